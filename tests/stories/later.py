"""A process of the bot whose clock is ahead: what happens after days is seen at its next start."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

AHEAD = "TEST_CLOCK_AHEAD"


def set_clock(environment: Mapping[str, str]) -> None:
    """Set the bot's clock ahead by as many seconds as the environment says."""
    ahead = timedelta(seconds=float(environment.get(AHEAD, "0")))
    if ahead:
        from bot.clock import SystemClock

        SystemClock.now = lambda self: datetime.now(UTC) + ahead
