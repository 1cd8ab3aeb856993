"""The jobs that wait to be sent to Studii, and their order. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.engine.scheduler.durations import Work


class Step(StrEnum):
    """An operation for a job: one request, or several that belong together."""

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


@dataclass(frozen=True, slots=True)
class _Order:
    """The jobs in order while those in `busy` are being sent."""

    busy: frozenset[str]
    jobs: Sequence[Waiting]
    positions: Mapping[str, int]  # from 1
    first: Mapping[str, str]  # unknown price -> the job that goes first


class LaneQueue:
    """The waiting jobs of a lane. Members take turns; a member's own jobs go in the order of arrival."""

    def __init__(self) -> None:
        self._jobs: dict[str, Waiting] = {}
        # Until a job or a turn changes: many cards ask for their job's position at once, and each sorts all.
        self._ordered: _Order | None = None
        self._turns: dict[int, int] = {}  # user -> number of the last turn
        self._turn = 0

    def sync(self, waiting: Iterable[Waiting], keep: Collection[str]) -> None:
        """Replace the jobs by `waiting`, except for those in `keep`, which stay as they are."""
        queued = {one.id: one for one in waiting if one.id not in keep}
        queued.update({job_id: self._jobs[job_id] for job_id in keep if job_id in self._jobs})
        self._jobs, self._ordered = queued, None
        if not queued:
            self._turns.clear()

    @property
    def jobs(self) -> Mapping[str, Waiting]:
        """Return the waiting jobs by their ids."""
        return self._jobs

    def add(self, job: Waiting) -> None:
        """Take over the job, or what has changed of it."""
        self._jobs[job.id], self._ordered = job, None

    def remove(self, job_id: str) -> Waiting | None:
        """Remove the job and return it, or None if it does not wait."""
        removed = self._jobs.pop(job_id, None)
        if removed is not None:
            self._ordered = None
        return removed

    def postpone(self, job_id: str, until: float) -> None:
        """Do not send the job before `until`."""
        if job_id in self._jobs:
            self.add(replace(self._jobs[job_id], not_before=until))

    def postpone_alike(self, price: str, until: float) -> None:
        """Send no job with that unknown price before `until`."""
        for job_id, one in list(self._jobs.items()):
            if one.price == price and one.not_before < until:
                self.postpone(job_id, until)

    def priced(self, price: str) -> None:
        """Record that the price is known now."""
        alike = {name: replace(one, price=None) for name, one in self._jobs.items() if one.price == price}
        self._jobs.update(alike)
        self._ordered = None

    def waits_for_price(self, job_id: str, busy: Collection[str]) -> bool:
        """Return whether another job goes before this one, to learn the price of both."""
        one = self._jobs.get(job_id)
        return one is not None and one.price is not None and self._order(busy).first[one.price] != job_id

    def position(self, job_id: str, busy: Collection[str]) -> int | None:
        """Return the job's position from 1, or None if it does not wait."""
        return self._order(busy).positions.get(job_id)

    def copy(self) -> "LaneQueue":
        """Return an independent copy."""
        twin = LaneQueue()
        twin._jobs, twin._turns, twin._turn = dict(self._jobs), dict(self._turns), self._turn
        return twin

    def begin(self, job_id: str) -> None:
        """Record that the job is being sent: its member's turn is used."""
        waiting = self._jobs.get(job_id)
        if waiting is not None and not waiting.begun:
            self._turn += 1
            self._turns[waiting.user_id], self._ordered = self._turn, None

    def next(self, now: float, busy: Collection[str]) -> tuple[Waiting | None, float | None]:
        """Return the job to send now, leaving out those in `busy`, or the time at which there may be one.

        Both are None if something else has to happen first.
        """
        asked = {self._jobs[job_id].price for job_id in busy if job_id in self._jobs} - {None}
        candidates = [one for one in self._jobs.values() if one.id not in busy and one.price not in asked]
        if not candidates:
            return None, None
        # What stops one job would stop the others as well: all wait until the first is tried again.
        held = [one.not_before for one in self._jobs.values() if one.held]
        allowed_at = min(held, default=now)
        ready = [one for one in candidates if one.not_before <= now]
        if not ready or allowed_at > now:
            return None, max(min(one.not_before for one in candidates), allowed_at)
        return min(ready, key=self._rank), None

    @property
    def held(self) -> bool:
        """Return whether the jobs are stopped by something that concerns all of them."""
        return any(one.held for one in self._jobs.values())

    def order(self, busy: Collection[str]) -> Sequence[Waiting]:
        """Return the jobs in order: the first job of each member, then the second of each, and so on."""
        return self._order(busy).jobs

    def _order(self, busy: Collection[str]) -> _Order:
        sending = frozenset(job_id for job_id in busy if job_id in self._jobs)
        if self._ordered is None or self._ordered.busy != sending:
            jobs, first = self._sorted(sending), dict[str, str]()
            for one in jobs:
                if one.price is not None:
                    first.setdefault(one.price, one.id)
            positions = {one.id: position for position, one in enumerate(jobs, 1)}
            self._ordered = _Order(sending, jobs, positions, first)
        return self._ordered

    def _sorted(self, busy: Collection[str]) -> list[Waiting]:
        taken: dict[int, int] = {}
        ranked: list[tuple[tuple[bool, int, int, float, str], Waiting]] = []
        for one in sorted(self._jobs.values(), key=lambda one: (one.since, one.id)):
            ahead = one.begun or one.id in busy
            turn = 0 if ahead else taken.get(one.user_id, 0)
            ranked.append(((not ahead, turn, self._turns.get(one.user_id, 0), one.since, one.id), one))
            taken[one.user_id] = taken.get(one.user_id, 0) + (not ahead)
        return [one for _, one in sorted(ranked, key=lambda entry: entry[0])]

    def _rank(self, one: Waiting) -> tuple[bool, int, float, str]:
        return (not one.begun, self._turns.get(one.user_id, 0), one.since, one.id)
