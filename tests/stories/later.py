"""A process of the bot whose clock is ahead, or fast: what happens after days is seen at its next start, and
what takes minutes within seconds."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

AHEAD, SPEED = "TEST_CLOCK_AHEAD", "TEST_CLOCK_SPEED"


def set_clock(environment: Mapping[str, str]) -> None:
    """Set the bot's clock ahead by as many seconds, and let it run as many times as fast, as the environment
    says. Its pauses last as long as ever."""
    ahead, speed = float(environment.get(AHEAD, "0")), float(environment.get(SPEED, "1"))
    if (ahead, speed) == (0.0, 1.0):
        return
    from bot.clock import SystemClock

    began, since = datetime.now(UTC) + timedelta(seconds=ahead), time.perf_counter()

    def gone() -> float:
        return (time.perf_counter() - since) * speed

    SystemClock.now = lambda self: began + timedelta(seconds=gone())
    SystemClock.monotonic = lambda self: since + ahead + gone()
