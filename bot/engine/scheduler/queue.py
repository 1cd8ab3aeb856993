"""What waits to be sent to Studii, and in which order. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.engine.scheduler.durations import Work


class Step(StrEnum):
    """A request, or a few that belong together."""

    UPLOAD = "upload"
    SUBMIT = "submit"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that has not been submitted. Times are those of the clock that never jumps."""

    id: str
    user_id: int
    since: float  # only its order matters
    step: Step  # UPLOAD or SUBMIT
    work: Work
    not_before: float = 0.0
    begun: bool = False  # it has been uploaded: its turn goes on
    held: bool = False  # it met something that is in the way of all: they are tried one by one
    price: str | None = None  # names a price that is not known yet: of those with the same, one is sent first


class Line:
    """Members take turns, whoever asked first twenty times; a member's own jobs go in their order."""

    def __init__(self) -> None:
        self.jobs: dict[str, Waiting] = {}
        self._turns: dict[int, int] = {}  # user -> number of the last turn
        self._turn = 0

    def sync(self, waiting: Iterable[Waiting], keep: Collection[str]) -> None:
        """Take over what waits; what is known of the jobs in `keep` stays as it is."""
        queued = {one.id: one for one in waiting if one.id not in keep}
        queued.update({job_id: self.jobs[job_id] for job_id in keep if job_id in self.jobs})
        self.jobs = queued
        if not queued:
            self._turns.clear()

    def postpone(self, job_id: str, until: float) -> None:
        """Leave a job alone until then."""
        if job_id in self.jobs:
            self.jobs[job_id] = replace(self.jobs[job_id], not_before=until)

    def priced(self, price: str) -> None:
        """That price is known now."""
        alike = {name: replace(one, price=None) for name, one in self.jobs.items() if one.price == price}
        self.jobs.update(alike)

    def waits_for_price(self, job_id: str, busy: Collection[str]) -> bool:
        """Whether another job is sent before this one to learn what both cost."""
        one = self.jobs.get(job_id)
        if one is None or one.price is None:
            return False
        return next(other for other in self.order(busy) if other.price == one.price).id != job_id

    def copy(self) -> "Line":
        twin = Line()
        twin.jobs, twin._turns, twin._turn = dict(self.jobs), dict(self._turns), self._turn
        return twin

    def begin(self, job_id: str) -> None:
        """It is a job's turn."""
        waiting = self.jobs.get(job_id)
        if waiting is not None and not waiting.begun:
            self._turn += 1
            self._turns[waiting.user_id] = self._turn

    def next(self, now: float, busy: Collection[str]) -> tuple[Waiting | None, float | None]:
        """Whose turn it is, of those that are not busy; else when (None: something has to happen first)."""
        candidates = [one for one in self.jobs.values() if one.id not in busy]
        if not candidates:
            return None, None
        # What holds one of them would meet the others as well: all wait until the first is tried again.
        held = [one.not_before for one in self.jobs.values() if one.held]
        allowed_at = min(held, default=now)
        asked = {self.jobs[job_id].price for job_id in busy if job_id in self.jobs} - {None}
        candidates = [one for one in candidates if one.price not in asked]
        if not candidates:
            return None, None
        ready = [one for one in candidates if one.not_before <= now]
        if not ready or allowed_at > now:
            return None, max(min(one.not_before for one in candidates), allowed_at)
        return min(ready, key=self._rank), None

    @property
    def held(self) -> bool:
        """Whether something is in the way of all."""
        return any(one.held for one in self.jobs.values())

    def order(self, busy: Collection[str]) -> list[Waiting]:
        """Turn by turn: the first jobs of all members, then their second ones, and so on."""
        taken: dict[int, int] = {}
        line: list[tuple[tuple[bool, int, int, float, str], Waiting]] = []
        for one in sorted(self.jobs.values(), key=lambda one: (one.since, one.id)):
            ahead = one.begun or one.id in busy
            turn = 0 if ahead else taken.get(one.user_id, 0)
            line.append(((not ahead, turn, self._turns.get(one.user_id, 0), one.since, one.id), one))
            taken[one.user_id] = taken.get(one.user_id, 0) + (not ahead)
        return [one for _, one in sorted(line, key=lambda entry: entry[0])]

    def _rank(self, one: Waiting) -> tuple[bool, int, float, str]:
        return (not one.begun, self._turns.get(one.user_id, 0), one.since, one.id)
