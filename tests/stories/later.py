"""A process of the bot whose clock is ahead: what happens after days is seen at its next start.

It asks Studii, and tries again what failed, sooner than in earnest.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

AHEAD = "TEST_CLOCK_AHEAD"


def set_clock(environment: Mapping[str, str]) -> None:
    """Set the bot's clock ahead by as many seconds as the environment says, if it says so."""
    if AHEAD not in environment:
        return
    from bot import app
    from bot.clock import SystemClock
    from bot.engine import Tuning

    ahead = timedelta(seconds=float(environment[AHEAD]))
    SystemClock.now = lambda self: datetime.now(UTC) + ahead
    app.Tuning = partial(Tuning, first_poll=0.2, backoff=0.4)  # type: ignore[misc,assignment]
