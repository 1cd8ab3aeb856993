"""An item that was tried rests until its next try is due, or until it has news."""

import math

from bot.aio.next_tries import NextTries
from tests.support.clock import FakeClock


def test_an_item_rests_until_its_next_try_is_due() -> None:
    clock = FakeClock()
    tries = NextTries(clock)
    tries.later("a", tries["a"], 5.0, seen=1, news=1)
    tries.later("b", tries["b"], 9.0, seen=1, news=1)
    clock.advance(6.0)
    assert (tries.resting, tries.waited("a"), tries.waited("c")) == ({"a", "b"}, 6.0, 0.0)
    tries.end_due()
    assert tries.resting == {"b"}
    clock.advance(4.0)
    tries.end_due()
    assert (tries.resting, tries.next_at) == (set(), math.inf)
    assert tries["a"].count == 1  # until it is done
    tries.forget("a")
    assert tries["a"].count == 0


def test_an_item_with_news_does_not_rest() -> None:
    tries = NextTries(FakeClock())
    tries.later("a", tries["a"], 5.0, seen=1, news=2)
    assert tries.resting == set()
    tries.later("a", tries["a"], 5.0, seen=2, news=2)
    assert tries.resting == {"a"}
    tries.changed("a", 2)
    assert tries.resting == {"a"}
    tries.changed("a", 3)
    assert tries.resting == set()


def test_what_is_read_anew_decides_which_items_rest() -> None:
    tries = NextTries(FakeClock())
    for key in "abcd":
        tries.later(key, tries[key], 5.0, seen=1, news=1)
    tries.sync({"a": 1, "b": 2, "d": 1}, busy={"d"})
    assert tries.resting == {"a", "c"}
    tries.forget_all_but({"a"})
    tries.sync({"a": 1}, busy=())
    assert (tries.resting, len(tries)) == ({"a"}, 1)
