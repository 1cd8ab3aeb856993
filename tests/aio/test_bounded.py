"""A dictionary with a limit."""

from bot.aio.bounded import BoundedDict


def test_what_was_set_longest_ago_goes_first() -> None:
    kept = BoundedDict[str, int](2)
    kept["a"], kept["b"] = 1, 2
    kept["a"] = 3
    kept["c"] = 4
    assert dict(kept) == {"a": 3, "c": 4}
