"""A key's requests stay under its limit, however the server counts, and nothing is wasted."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings, strategies as st

from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting, RateStyle, make_limiter

TUNING = Tuning()
MONDAY = datetime(2027, 3, 15, tzinfo=UTC)


def left(window: RateWindow, now: float) -> int:
    """How many requests there is room for, of which the first may be sent now."""
    return window.usable - window.used(now) if window.free_at(now) == now else 0


def send(window: RateWindow, at: float, takes: float = 0.0) -> None:
    window.begin(at)
    window.end(at, at + takes)


def test_requests_of_an_earlier_life_count() -> None:
    window = RateWindow(60, TUNING)
    for _ in range(30):
        send(window, 950.0)
    for _ in range(20):
        window.begin(990.0)  # whose answers are not known
    later = RateWindow(60, TUNING)
    later.restore(window.note(995.0), 1000.0)
    assert left(later, 1000.0) == 8
    assert left(later, 1010.2) == 8
    assert left(later, 1010.4) == 38
    assert left(later, 990.0 + TUNING.answer_bound + 60.2) == 38
    assert left(later, 990.0 + TUNING.answer_bound + 60.4) == 58


def test_what_other_processes_sent_leaves_less_room_until_a_period_after_its_answer() -> None:
    window = RateWindow(4, TUNING)
    window.begin(0.0)
    window.end(0.0, 1.0)
    window.set_others([130.3, 60.3])
    assert left(window, 10.0) == 0
    assert window.free_at(10.0) == 61.3
    window.set_others([65.3])  # in place of those before
    assert left(window, 10.0) == 0
    window.set_others([])
    assert left(window, 10.0) == 1


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


def later_life(window: RateWindow, now: float) -> RateWindow:
    later = RateWindow(60, TUNING)
    later.restore_evidence(window.plan, window.evidence, now)
    return later


def test_another_life_waits_and_goes_slowly_for_as_long() -> None:
    window = RateWindow(60, TUNING)
    window.limited(10.0, 30.0)
    later = later_life(window, 15.0)
    assert left(later, 39.9) == 0
    assert later.free_at(15.0) == pytest.approx(40.0)
    send(later, 40.0)
    assert later.free_at(40.0) == pytest.approx(40.0 + 60.3 / 58)
    assert left(later, 41.0 + TUNING.paced_for) > 3


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
    noted: Sequence[float] = ()
    for turn in range(limit * 6):
        there, back, pause = ways[turn % len(ways)]
        now += pause
        if turn in kills:
            pending.clear()
            window = RateWindow(limit, TUNING)
            window.restore(noted, now)
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
        noted = window.note(now)  # with this one: before it is sent
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
