"""Which cards of waiting jobs show what is not true any more. Pure."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from itertools import islice

from bot.domain import Progress

# Discord's limits on edits are for changes of state first; a place may lag behind for so long.
EVERY = 15.0  # seconds
UNPLACED_EVERY = 1.0  # a card that shows no place yet
DRIFT = timedelta(seconds=30)  # by which a time that was foretold may be wrong
CHECKED = 20  # cards at a time
BOUND = 2000


class Places:
    """Remembers what each waiting job's card showed; told the time, never asks for it."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, tuple[Progress, float]] = OrderedDict()  # the longest unchecked first

    def shown(self, job_id: str, way: Progress, now: float) -> None:
        """The waiting job's card shows that."""
        self._shown.pop(job_id, None)
        self._shown[job_id] = (way, now)
        while len(self._shown) > BOUND:
            self._shown.popitem(last=False)

    def forget(self, job_id: str) -> None:
        """The job waits no more."""
        self._shown.pop(job_id, None)

    def due(self, now: float) -> list[str]:
        """Some jobs whose card was shown a while ago."""
        due = (
            job_id
            for job_id, (was, at) in self._shown.items()
            if now - at >= (UNPLACED_EVERY if was.position is None else EVERY)
        )
        return list(islice(due, CHECKED))

    def moved(self, way_of: Callable[[str], Progress], now: float) -> list[str]:
        """Those of them whose way is another one now, the foremost first."""
        moved: list[tuple[int, str]] = []
        for job_id in self.due(now):
            was, way = self._shown[job_id][0], way_of(job_id)
            if way.position is not None and _differs(was, way):
                moved.append((way.position, job_id))
            else:
                self.shown(job_id, was, now)
        return [job_id for _, job_id in sorted(moved)]


def _differs(was: Progress, way: Progress) -> bool:
    if (was.position, was.waits_for_price) != (way.position, way.waits_for_price) or (
        was.starts_at is None
    ) != (way.starts_at is None):
        return True
    return (
        was.starts_at is not None and way.starts_at is not None and abs(way.starts_at - was.starts_at) > DRIFT
    )
