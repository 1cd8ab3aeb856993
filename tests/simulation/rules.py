"""What admins have set, as far as anybody outside of the bot can know it."""

from dataclasses import dataclass
from typing import Any

from tests.simulation.loop import Clock

FORBIDDEN = "kraken"  # by the word filter, at times


@dataclass
class _Change:
    """`told_at`: when the admin was told that it is so; before, it may or may not be."""

    value: Any
    sent_at: float
    told_at: float | None = None


class Rules:
    """Settings by name, and which values may have been in effect at a time.

    A change is possible from when it was asked for, and what was before it until the change was confirmed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changes: dict[str, list[_Change]] = {}

    def asked(self, name: str, value: Any) -> None:
        """Note that an admin asks for a change."""
        self._changes.setdefault(name, []).append(_Change(value, self._clock.now))

    def confirmed(self, name: str) -> None:
        """Note that the last change is in effect: the bot has said so."""
        self._changes[name][-1].told_at = self._clock.now

    def possible(self, name: str, since: float, until: float, default: Any = None) -> list[Any]:
        """Return the values that may have been in effect between these moments."""
        changes = [_Change(default, 0.0, 0.0), *self._changes.get(name, ())]
        certain = max(n for n, one in enumerate(changes) if one.told_at is not None and one.told_at <= since)
        return [one.value for one in changes[certain:] if one.sent_at <= until]

    def certainly(self, name: str, value: Any, since: float, until: float, default: Any = None) -> bool:
        """Return whether nothing but this value was in effect all the time."""
        return all(one == value for one in self.possible(name, since, until, default))
