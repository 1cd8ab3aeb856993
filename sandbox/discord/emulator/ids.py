"""Ids that Discord gives, by its own clock.

https://discord.com/developers/docs/reference#snowflakes
"""

import time
from datetime import UTC, datetime
from itertools import count

EPOCH = 1_420_070_400_000  # milliseconds
BEHIND = 20.0  # seconds that Discord's clock is behind ours


def snowflake(seconds: float, number: int) -> int:
    """Return the id given at that moment of Discord's clock. Ids grow with `number`."""
    return (int(seconds * 1000) - EPOCH << 22) + number


class Ids:
    """Gives ids, each larger than the one before."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self) -> int:
        """Return a new id."""
        return snowflake(time.time() - BEHIND, next(self._numbers) & 0x3FFFFF)


def moment(of: int) -> str:
    """Return when the id was given, as Discord writes times."""
    return datetime.fromtimestamp(((of >> 22) + EPOCH) / 1000, UTC).isoformat()


def created_at(of: int) -> float:
    """Return when the id was given, by our clock, as a timestamp."""
    return ((of >> 22) + EPOCH) / 1000 + BEHIND
