"""Which cards show a place in line that is not true any more. Pure."""

from collections import OrderedDict
from collections.abc import Callable

# Discord's limits on edits are for changes of state first; a place may lag behind for so long.
EVERY = 15.0  # seconds
CHECKED = 20  # cards at a time
BOUND = 2000


class Places:
    """Remembers what place each card showed; told the time, never asks for it."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, tuple[int, float]] = OrderedDict()  # the card longest unchecked first

    def shown(self, job_id: str, place: int | None, now: float) -> None:
        """The job's card shows that place, or none (any more)."""
        self._shown.pop(job_id, None)
        if place is not None:
            self._shown[job_id] = (place, now)
        while len(self._shown) > BOUND:
            self._shown.popitem(last=False)

    def moved(self, place_of: Callable[[str], int | None], now: float) -> list[str]:
        """Jobs whose card was shown a while ago and whose place is another one now, the foremost first."""
        due = [job_id for job_id, (_, at) in list(self._shown.items())[:CHECKED] if now - at >= EVERY]
        moved: list[tuple[int, str]] = []
        for job_id in due:
            was, place = self._shown[job_id][0], place_of(job_id)
            if place is not None and place != was:
                moved.append((place, job_id))
            else:
                self.shown(job_id, place, now)
        return [job_id for _, job_id in sorted(moved)]
