"""Processes whose leases, turns and bounds are shorter than in earnest, so that a test need not sit through
them, or that are of another version."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

NAME = "TEST_LEASE_SECONDS"
RATE = "TEST_RATE_PERIOD"  # seconds for which a key's limit is
MIGRATIONS = "TEST_MIGRATIONS"  # the folder with those of another version


def shorten(environment: Mapping[str, str]) -> None:
    """Shorten what takes long, in the proportions that it has in earnest, if the environment says so."""
    if MIGRATIONS in environment:
        from bot import migrate

        migrate.SCRIPTS = Path(environment[MIGRATIONS])
    if NAME not in environment:
        return

    from bot import app, cluster
    from bot.engine import Tuning

    lasts = float(environment[NAME])
    cluster.LeaseTimes = partial(  # type: ignore[misc,assignment]
        cluster.LeaseTimes,
        lasts=lasts,
        renewed_every=lasts / 4,
        margin=lasts / 20,
        standby_pause=lasts / 20,
        identify_every=lasts / 4,
    )
    period = float(environment[RATE])
    app.Tuning = partial(  # type: ignore[misc,assignment]
        Tuning, answer_bound=min(lasts, period), rate_period=period + 0.3
    )
