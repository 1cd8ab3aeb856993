"""A key's requests stay under its limit however the server counts, and a plan that is another is noticed."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings, strategies as st

from bot.engine import Tuning
from bot.engine.rate import RateWindow
from sandbox.studii.ratelimit import Counting, RateStyle, make_limiter

TUNING = Tuning()


def left(window: RateWindow, now: float) -> int:
    """How many requests there is room for, of which the first may be sent now."""
    return window.usable - window.used(now) if window.free_at(now) == now else 0


def send(window: RateWindow, at: float, takes: float = 0.0) -> None:
    window.begin(at)
    window.end(at, at + takes)


def later_life(window: RateWindow, now: float) -> RateWindow:
    later = RateWindow(60, TUNING)
    later.restore_limits(window.blocked_until, window.odd_at, window.lowered_until, now)
    return later


@pytest.mark.promise
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


def test_a_plan_that_seems_smaller_is_tried_again_after_an_hour_or_when_it_is_chosen_anew() -> None:
    window = RateWindow(300, TUNING)
    assert [window.limited(now, 0.0) for now in (10.0, 1000.0)] == [False, True]
    later = later_life(window, 1001.0)
    later.set_plan(300, chosen_at=0.0)
    assert (limit(window, 1001.0), limit(later, 1001.0), limit(window, 4601.0)) == (60, 60, 300)
    window.set_plan(300, chosen_at=1001.0)
    assert limit(window, 1002.0) == 300


def limit(window: RateWindow, now: float) -> int:
    window.free_at(now)
    return window.limit
