"""Find the cards of waiting jobs that are out of date. Pure."""

from collections.abc import Callable
from datetime import timedelta
from itertools import islice

from bot.aio.bounded import BoundedDict
from bot.jobs.models import Progress

# Changes of state come first within Discord's limit on edits; a queue position may be this old.
EVERY = 15.0  # seconds
UNPLACED_EVERY = 1.0  # for a card that shows no position yet
DRIFT = timedelta(seconds=30)  # a predicted start may be off by this much
CHECKED = 20  # cards checked at a time
MAX_SHOWN_POSITIONS = 2000


class QueuePositions:
    """The positions that the cards of waiting jobs show. The caller passes the time."""

    def __init__(self) -> None:
        # Least recently checked first.
        self._shown = BoundedDict[str, tuple[Progress, float]](MAX_SHOWN_POSITIONS)

    def shown(self, job_id: str, progress: Progress, now: float) -> None:
        """Record what the card of a waiting job shows."""
        self._shown[job_id] = (progress, now)

    def forget(self, job_id: str) -> None:
        """Forget a job that no longer waits."""
        self._shown.pop(job_id, None)

    def due(self, now: float) -> list[str]:
        """Return some of the jobs whose card was checked a while ago."""
        due = (
            job_id
            for job_id, (shown, at) in self._shown.items()
            if now - at >= (UNPLACED_EVERY if shown.position is None else EVERY)
        )
        return list(islice(due, CHECKED))

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._shown

    def __len__(self) -> int:
        return len(self._shown)

    def moved(self, progress_of: Callable[[str], Progress], now: float) -> list[str]:
        """Return those of the due jobs whose progress has changed, in the order of the queue."""
        moved: list[tuple[int, str]] = []
        for job_id in self.due(now):
            before, progress = self._shown[job_id][0], progress_of(job_id)
            if progress.position is not None and _differs(before, progress):
                moved.append((progress.position, job_id))
            else:
                self.shown(job_id, before, now)
        return [job_id for _, job_id in sorted(moved)]


def _differs(before: Progress, progress: Progress) -> bool:
    if (before.position, before.waits_for_price) != (progress.position, progress.waits_for_price):
        return True
    if before.starts_at is None or progress.starts_at is None:
        return before.starts_at is not progress.starts_at
    return abs(progress.starts_at - before.starts_at) > DRIFT
