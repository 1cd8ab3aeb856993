"""A key's requests stay under its limit, however the server counts, and nothing is wasted."""

import pytest
from hypothesis import example, given, settings, strategies as st

from bot.engine.lane import RateWindow, Slowdown, latest_answers
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting, RateStyle, make_limiter

TUNING = Tuning()


def left(window: RateWindow, now: float) -> int:
    """How many requests there is room for, of which the first may be sent now."""
    return window.usable - window.used(now) if window.free_at(now) == now else 0


def send(window: RateWindow, at: float, takes: float = 0.0) -> None:
    window.begin(at)
    window.end(at, at + takes)


def test_a_fresh_key_has_its_limit_less_the_margin() -> None:
    window = RateWindow(60, TUNING)
    assert left(window, 0.0) == 58
    for _ in range(58):
        send(window, 0.0)
    assert left(window, 0.0) == 0
    assert window.free_at(0.0) == pytest.approx(60.3)
    assert left(window, 60.2) == 0
    assert left(window, 60.3) == 58


def test_a_request_under_way_counts_until_a_period_after_its_answer() -> None:
    window = RateWindow(3, TUNING)
    window.begin(0.0)
    assert left(window, 100.0) == 0
    assert window.free_at(100.0) is None
    window.end(0.0, 100.0)
    assert window.free_at(100.0) == pytest.approx(160.3)


def test_a_request_that_never_left_costs_nothing() -> None:
    window = RateWindow(3, TUNING)
    window.begin(0.0)
    window.end(0.0, 1.0, sent=False)
    assert left(window, 1.0) == 1


def test_requests_of_an_earlier_life_count() -> None:
    window = RateWindow(60, TUNING)
    sent = [(950.0, None)] * 30 + [(990.0, 980.0)] * 20
    window.restore(latest_answers(sent, TUNING.answer_bound))
    assert left(window, 1000.0) == 8
    assert left(window, 1050.2) == 8
    assert left(window, 1050.4) == 38


def test_requests_whose_answer_is_not_known_count_as_late_as_one_may_come() -> None:
    window = RateWindow(60, TUNING)
    window.restore(latest_answers([(950.0, None)] * 30 + [(990.0, None)] * 20, TUNING.answer_bound))
    assert left(window, 1000.0) == 8
    assert left(window, 1000.0 + 20.0 + 60.2) == 8
    assert left(window, 1000.0 + 20.0 + 60.4) == 38
    assert left(window, 1000.0 + 60.0 + 60.4) == 58


def test_a_request_was_answered_when_a_later_one_says_so() -> None:
    sent = [(70.0, None), (80.0, 75.0), (90.0, 85.0)]
    assert latest_answers(sent, bound=70.0) == [80.0, 90.0, 160.0]  # nobody says when the last one was


def test_what_other_processes_sent_leaves_less_room_until_a_period_after_its_answer() -> None:
    window = RateWindow(4, TUNING)
    window.begin(0.0)
    window.end(0.0, 1.0)
    window.set_others([70.0, 0.0])
    assert left(window, 10.0) == 0
    assert window.free_at(10.0) == 61.3
    window.set_others([5.0])  # in place of those before
    assert left(window, 10.0) == 0
    window.set_others([])
    assert left(window, 10.0) == 1


def test_a_smaller_plan_has_to_wait_until_enough_has_left() -> None:
    window = RateWindow(300, TUNING)
    for second in range(100):
        send(window, float(second) / 10)
    window.limit = 60
    at = window.free_at(10.0)
    assert at is not None
    assert left(window, at - 0.01) == 0
    assert left(window, at) == 1


def test_after_a_429_nothing_is_sent_until_retry_after_and_then_little() -> None:
    window = RateWindow(60, TUNING)
    window.limited(10.0, 30.0)
    assert left(window, 39.9) == 0
    assert window.free_at(10.0) == pytest.approx(40.0)
    for number in range(5):
        at = 40.0 + number * 60.3 / 58
        assert window.free_at(at) == pytest.approx(at)
        send(window, at)
        assert window.free_at(at) == pytest.approx(at + 60.3 / 58)
    send(window, 41.0 + TUNING.paced_for)
    assert left(window, 41.0 + TUNING.paced_for) > 3


def test_retry_after_is_bounded() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, 86_400.0)
    assert left(window, TUNING.rate_block_bound) > 0


def test_another_life_waits_and_goes_slowly_for_as_long() -> None:
    window = RateWindow(60, TUNING)
    window.limited(10.0, 30.0)
    slowed = window.slowdown(15.0)
    assert slowed is not None
    later = RateWindow(60, TUNING)
    later.restore_slowdown(slowed, 1000.0)
    assert left(later, 1024.9) == 0
    assert later.free_at(1000.0) == pytest.approx(1025.0)
    send(later, 1025.0)
    assert later.free_at(1025.0) == pytest.approx(1025.0 + 60.3 / 58)
    assert later.slowdown(1025.0 + TUNING.paced_for) is None


def test_429s_in_a_row_are_still_in_a_row_after_a_restart() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, None)
    slowed = window.slowdown(5.0)
    assert slowed is not None
    later = RateWindow(60, TUNING)
    later.restore_slowdown(slowed, 5.0)
    later.limited(5.0, None)
    assert later.free_at(5.0) == pytest.approx(15.0)


def test_a_wall_clock_that_was_put_back_blocks_no_key_for_ever() -> None:
    window = RateWindow(60, TUNING)
    window.restore_slowdown(Slowdown(1e9, 1e9, 1), 0.0)
    assert left(window, TUNING.rate_block_bound) > 0
    assert window.slowdown(TUNING.rate_block_bound + TUNING.paced_for) is None


def test_429s_without_retry_after_pause_longer_each_time() -> None:
    window = RateWindow(60, TUNING)
    window.limited(0.0, None)
    assert window.free_at(0.0) == pytest.approx(5.0)
    window.limited(5.0, None)
    assert window.free_at(5.0) == pytest.approx(15.0)


def test_no_pause_without_retry_after_is_longer_than_a_minute() -> None:
    window, now, pause = RateWindow(60, TUNING), 0.0, 0.0
    for _ in range(30):
        window.limited(now, None)
        pause = (window.free_at(now) or 0.0) - now
        now += pause
    assert pause == pytest.approx(60.0)


def test_429s_of_requests_that_were_under_way_together_are_one() -> None:
    window = RateWindow(60, TUNING)
    for _ in range(6):
        window.limited(0.0, None)
    assert window.free_at(0.0) == pytest.approx(5.0)


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
            window.restore(latest_answers(noted, TUNING.answer_bound))
        while True:
            for answered in sorted(answer for answer in pending if answer <= now):
                window.end(pending.pop(answered), answered)
            if left(window, now):
                break
            at = window.free_at(now)
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
        elif left(window, now):
            send(window, now)
        at = window.free_at(now)
        assert at is not None
        assert at >= now
        assert (left(window, now) == 0) is (at > now)
        assert left(window, at) >= 1
