"""A key's requests stay under its limit, however the server counts, and nothing is wasted."""

import pytest
from hypothesis import example, given, settings, strategies as st

from bot.engine.scheduler.rate_limit import EarlierRequest, RateWindow, Slowdown
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting, RateStyle, make_limiter

TUNING = Tuning()


def send(window: RateWindow, at: float, takes: float = 0.0) -> None:
    window.begin(at)
    window.end(at, at + takes)


def test_a_fresh_key_has_its_limit_less_the_margin() -> None:
    window = RateWindow(60, TUNING)
    assert window.requests_left(0.0) == 58
    for _ in range(58):
        send(window, 0.0)
    assert window.requests_left(0.0) == 0
    assert window.next_request_at(0.0) == pytest.approx(60.3)
    assert window.requests_left(60.2) == 0
    assert window.requests_left(60.3) == 58


def test_a_request_under_way_counts_until_a_period_after_its_answer() -> None:
    window = RateWindow(3, TUNING)
    window.begin(0.0)
    assert window.requests_left(100.0) == 0
    assert window.next_request_at(100.0) is None
    window.end(0.0, 100.0)
    assert window.next_request_at(100.0) == pytest.approx(160.3)


def test_a_request_that_never_left_costs_nothing() -> None:
    window = RateWindow(3, TUNING)
    window.begin(0.0)
    window.end(0.0, 1.0, sent=False)
    assert window.requests_left(1.0) == 1


def test_requests_of_an_earlier_life_count() -> None:
    window = RateWindow(60, TUNING)
    window.restore([EarlierRequest(50.0, settled=None)] * 30 + [EarlierRequest(10.0, 20.0)] * 20, now=1000.0)
    assert window.requests_left(1000.0) == 8
    assert window.requests_left(1050.2) == 8
    assert window.requests_left(1050.4) == 38


def test_requests_whose_answer_is_not_known_count_as_late_as_one_may_come() -> None:
    window = RateWindow(60, TUNING)
    window.restore(
        [EarlierRequest(50.0, settled=None)] * 30 + [EarlierRequest(10.0, settled=None)] * 20, now=1000.0
    )
    assert window.requests_left(1000.0) == 8
    assert window.requests_left(1000.0 + 20.0 + 60.2) == 8
    assert window.requests_left(1000.0 + 20.0 + 60.4) == 38
    assert window.requests_left(1000.0 + 60.0 + 60.4) == 58


def test_requests_from_the_future_count_as_made_now() -> None:
    window = RateWindow(60, TUNING)
    window.restore([EarlierRequest(-3600.0, settled=None)] * 58, now=5.0)
    assert window.next_request_at(5.0) == pytest.approx(65.3 + TUNING.answer_bound)


def test_a_smaller_plan_has_to_wait_until_enough_has_left() -> None:
    window = RateWindow(300, TUNING)
    for second in range(100):
        send(window, float(second) / 10)
    window.set_limit(60)
    at = window.next_request_at(10.0)
    assert at is not None
    assert window.requests_left(at - 0.01) == 0
    assert window.requests_left(at) == 1


def test_after_a_429_nothing_is_sent_until_retry_after_and_then_little() -> None:
    window = RateWindow(60, TUNING)
    window.limited(10.0, 30.0)
    assert window.requests_left(39.9) == 0
    assert window.next_request_at(10.0) == pytest.approx(40.0)
    assert window.requests_left(40.0) == TUNING.paced_burst
    for _ in range(TUNING.paced_burst):
        send(window, 40.0)
    later = window.next_request_at(40.0)
    assert later == pytest.approx(40.0 + 60.3 / 58)
    assert window.requests_left(40.0 + TUNING.paced_for + 1) > TUNING.paced_burst


def test_retry_after_is_bounded() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, 86_400.0)
    assert window.requests_left(TUNING.rate_block_bound) > 0


def test_another_life_waits_and_goes_slowly_for_as_long() -> None:
    window = RateWindow(60, TUNING)
    window.limited(10.0, 30.0)
    slowed = window.slowdown(15.0)
    assert slowed is not None
    later = RateWindow(60, TUNING)
    later.restore_slowdown(slowed, 1000.0)
    assert later.requests_left(1024.9) == 0
    assert later.next_request_at(1000.0) == pytest.approx(1025.0)
    assert later.requests_left(1025.0) == TUNING.paced_burst
    assert later.slowdown(1025.0 + TUNING.paced_for) is None


def test_a_life_that_begins_while_it_goes_slowly_has_no_burst_to_spend() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, 1.0)
    slowed = window.slowdown(30.0)
    assert slowed is not None
    later = RateWindow(60, TUNING)
    later.restore_slowdown(slowed, 1000.0)
    assert later.requests_left(1000.0) == 1
    send(later, 1000.0)
    assert later.next_request_at(1000.0) == pytest.approx(1000.0 + 60.3 / 58)


def test_429s_in_a_row_are_still_in_a_row_after_a_restart() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, None)
    slowed = window.slowdown(5.0)
    assert slowed is not None
    later = RateWindow(60, TUNING)
    later.restore_slowdown(slowed, 5.0)
    later.limited(5.0, None)
    assert later.next_request_at(5.0) == pytest.approx(15.0)


def test_a_wall_clock_that_was_put_back_blocks_no_key_for_ever() -> None:
    window = RateWindow(60, TUNING)
    window.restore_slowdown(Slowdown(1e9, 1e9, 1), 0.0)
    assert window.requests_left(TUNING.rate_block_bound) > 0
    assert window.slowdown(TUNING.rate_block_bound + TUNING.paced_for) is None


def test_429s_without_retry_after_pause_longer_each_time() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, None)
    assert window.next_request_at(0.0) == pytest.approx(5.0)
    window.limited(5.0, None)
    assert window.next_request_at(5.0) == pytest.approx(15.0)


def test_no_pause_without_retry_after_is_longer_than_a_minute() -> None:
    window, now, pause = RateWindow(60, TUNING), 0.0, 0.0
    for _ in range(30):
        window.limited(now, None)
        pause = (window.next_request_at(now) or 0.0) - now
        now += pause
    assert pause == pytest.approx(60.0)


def test_429s_of_requests_that_were_under_way_together_are_one() -> None:
    window = RateWindow(60, TUNING)
    for _ in range(6):
        window.limited(0.0, None)
    assert window.next_request_at(0.0) == pytest.approx(5.0)


@settings(max_examples=60)
@given(
    limit=st.integers(3, 30),
    counting=st.sampled_from(("sliding", "fixed", "bucket")),
    ways=st.lists(
        st.tuples(st.floats(0, 3) | st.floats(0, 40), st.floats(0, 3), st.floats(0, 2)),
        min_size=1,
        max_size=40,
    ),
    offset=st.floats(0, 60),
    kills=st.sets(st.integers(1, 150), max_size=5),
)
@example(
    limit=5, counting="sliding", ways=[(30.0, 0.0, 0.0)] * 3 + [(0.0, 0.0, 0.0)] * 3, offset=0.0, kills={3}
)
def test_no_server_ever_sees_too_many(
    limit: int, counting: Counting, ways: list[tuple[float, float, float]], offset: float, kills: set[int]
) -> None:
    """Eager as can be, over ways that take between nothing and many seconds; killed, and at once there
    again."""
    window = RateWindow(limit, TUNING)
    server = make_limiter(limit, RateStyle(counting=counting))
    now = 1000.0 + offset
    arrivals: list[float] = []
    pending: dict[float, float] = {}  # when it will be answered: when it was sent
    noted: list[tuple[float, float]] = []
    for turn in range(limit * 6):
        there, back, pause = ways[turn % len(ways)]
        now += pause
        if turn in kills:
            pending.clear()
            window = RateWindow(limit, TUNING)
            window.restore([EarlierRequest(now - at, now - settled) for at, settled in noted], now)
        while True:
            for answered in sorted(answer for answer in pending if answer <= now):
                window.end(pending.pop(answered), answered)
            if window.requests_left(now):
                break
            at = window.next_request_at(now)
            moments = pending if at is None else [*pending, at]
            now = min(moments)
        window.begin(now)
        arrivals.append(now + there)
        pending[now + there + back + turn / 1e6] = now  # no two at the same moment
        noted.append((now, min(pending.values())))
    assert [server.take(at) for at in sorted(arrivals)] == [0.0] * len(arrivals)


@settings(max_examples=100)
@given(
    limit=st.integers(1, 40),
    moments=st.lists(st.floats(0, 200), max_size=80),
    limited=st.lists(st.tuples(st.floats(0, 200), st.none() | st.floats(0, 100)), max_size=3),
)
def test_room_comes_exactly_when_it_was_predicted(
    limit: int, moments: list[float], limited: list[tuple[float, float | None]]
) -> None:
    window = RateWindow(limit, TUNING)
    sends: list[tuple[float, str, float | None]] = [(at, "send", None) for at in moments]
    events = sorted(sends + [(at, "429", after) for at, after in limited], key=lambda event: event[0])
    now = 0.0
    for now, what, after in events:
        if what == "429":
            window.limited(now, after)
        elif window.requests_left(now):
            send(window, now)
        at = window.next_request_at(now)
        assert at is not None
        assert at >= now
        assert (window.requests_left(now) == 0) is (at > now)
        assert window.requests_left(at) >= 1
