"""Find the cards of running jobs that name a time that has passed. Pure."""

from datetime import datetime, timedelta
from itertools import islice

from bot.aio.bounded import BoundedDict
from bot.jobs.models import Progress

GRACE = timedelta(seconds=2)  # a result that comes with its time needs no other card
CARDS_AT_ONCE = 20
MAX_EXPECTED_ENDS = 2000


class ExpectedEnds:
    """The times that the cards of running jobs name, until they have passed. The caller passes the time."""

    def __init__(self) -> None:
        self._passes = BoundedDict[str, datetime](MAX_EXPECTED_ENDS)

    def shown(self, job_id: str, progress: Progress) -> None:
        """Record what the card of a running job shows."""
        if progress.ends_at is None:
            self.forget(job_id)
        else:
            self._passes[job_id] = progress.ends_at + GRACE

    def forget(self, job_id: str) -> None:
        """Forget a job that doesn't run any more."""
        self._passes.pop(job_id, None)

    def passed(self, now: datetime) -> list[str]:
        """Return some of the jobs whose time has passed, and forget them until they are shown again."""
        found = list(islice((job_id for job_id, at in self._passes.items() if at <= now), CARDS_AT_ONCE))
        for job_id in found:
            self.forget(job_id)
        return found

    def next_in(self, now: datetime) -> float | None:
        """Return the seconds until the next time will have passed, or None if no card names one."""
        if not self._passes:
            return None
        return max(0.0, (min(self._passes.values()) - now).total_seconds())
