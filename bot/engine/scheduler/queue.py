"""The jobs that wait to be sent to Studii, and their order. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.engine.scheduler.durations import Work


class Step(StrEnum):
    """What is done for a job at once: one request, or several that belong together."""

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
    not_before: float
    begun: bool  # its photo has been uploaded: its turn is not over
    held: bool  # what stopped it stops all jobs of the key: they are tried one at a time
    price: str | None  # names an unknown price: of the jobs with the same one, a single one goes first


class LaneQueue:
    """The waiting jobs of a lane. Members take turns; a member's own jobs go in the order of arrival."""

    def __init__(self) -> None:
        self.jobs: dict[str, Waiting] = {}
        self._turns: dict[int, int] = {}  # user -> number of the last turn
        self._turn = 0

    def sync(self, waiting: Iterable[Waiting], keep: Collection[str]) -> None:
        """Replace the jobs by `waiting`, except for those in `keep`, which stay as they are."""
        queued = {one.id: one for one in waiting if one.id not in keep}
        queued.update({job_id: self.jobs[job_id] for job_id in keep if job_id in self.jobs})
        self.jobs = queued
        if not queued:
            self._turns.clear()

    def postpone(self, job_id: str, until: float) -> None:
        """Do not send the job before `until`."""
        if job_id in self.jobs:
            self.jobs[job_id] = replace(self.jobs[job_id], not_before=until)

    def postpone_alike(self, price: str, until: float) -> None:
        """Send no job with that unknown price before `until`."""
        for job_id, one in list(self.jobs.items()):
            if one.price == price and one.not_before < until:
                self.postpone(job_id, until)

    def priced(self, price: str) -> None:
        """Record that the price is known now."""
        alike = {name: replace(one, price=None) for name, one in self.jobs.items() if one.price == price}
        self.jobs.update(alike)

    def waits_for_price(self, job_id: str, busy: Collection[str]) -> bool:
        """Return whether another job goes before this one, to learn the price of both."""
        one = self.jobs.get(job_id)
        if one is None or one.price is None:
            return False
        return next(other for other in self.order(busy) if other.price == one.price).id != job_id

    def copy(self) -> "LaneQueue":
        """Return an independent copy."""
        twin = LaneQueue()
        twin.jobs, twin._turns, twin._turn = dict(self.jobs), dict(self._turns), self._turn
        return twin

    def begin(self, job_id: str) -> None:
        """Record that the job is being sent: its member's turn is used."""
        waiting = self.jobs.get(job_id)
        if waiting is not None and not waiting.begun:
            self._turn += 1
            self._turns[waiting.user_id] = self._turn

    def next(self, now: float, busy: Collection[str]) -> tuple[Waiting | None, float | None]:
        """Return the job to send now, leaving out those in `busy`, or the time at which there may be one.

        Both are None if something else has to happen first.
        """
        candidates = [one for one in self.jobs.values() if one.id not in busy]
        if not candidates:
            return None, None
        # What stops one job would stop the others as well: all wait until the first is tried again.
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
        """Whether the jobs are stopped by something that concerns all of them."""
        return any(one.held for one in self.jobs.values())

    def order(self, busy: Collection[str]) -> list[Waiting]:
        """Return the jobs in order: the first job of each member, then the second of each, and so on."""
        taken: dict[int, int] = {}
        ranked: list[tuple[tuple[bool, int, int, float, str], Waiting]] = []
        for one in sorted(self.jobs.values(), key=lambda one: (one.since, one.id)):
            ahead = one.begun or one.id in busy
            turn = 0 if ahead else taken.get(one.user_id, 0)
            ranked.append(((not ahead, turn, self._turns.get(one.user_id, 0), one.since, one.id), one))
            taken[one.user_id] = taken.get(one.user_id, 0) + (not ahead)
        return [one for _, one in sorted(ranked, key=lambda entry: entry[0])]

    def _rank(self, one: Waiting) -> tuple[bool, int, float, str]:
        return (not one.begun, self._turns.get(one.user_id, 0), one.since, one.id)
