"""Choose which running job to poll, and when. Pure: the caller passes the time.

A poll is worth its request when the job has probably been finished for a while: when the expected unseen
wait A (see `Model.unseen`) reaches the price of a request, in seconds. Of the jobs that are due, the one
with the largest A is polled first.
"""

from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.engine.scheduler.durations import Durations, Glance, Model, Work
from bot.engine.tuning import HOUR, Tuning


@dataclass(frozen=True, slots=True)
class Running:
    """A job that Studii works on, and when it was submitted (by the monotonic clock)."""

    id: str
    submitted: float
    work: Work
    not_before: float = 0.0  # not polled until then, because its key was refused
    priced: bool = True  # Studii has told what it charges


class Poll(NamedTuple):
    """The most useful poll at a moment, and the probability that the job has ended."""

    job_id: str
    ended: float


@dataclass(slots=True)
class _Watch:
    job: Running
    model: Model
    since: Glance  # at the last poll that found it running
    due: float
    sent: float | None = None  # when the last poll was sent


class PollSchedule:
    """The times to poll the running jobs of a lane at. `price`: of a request, in seconds of unseen wait."""

    def __init__(self, durations: Durations, tuning: Tuning) -> None:
        self._durations = durations
        self._tuning = tuning
        self._watches: dict[str, _Watch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._watches

    def sync(self, running: Iterable[Running], keep: Collection[str], price: float) -> None:
        """Replace the jobs by `running`, except for those in `keep`. Known jobs keep their age."""
        before, self._watches = self._watches, {}
        for job in running:
            if job.id not in before:
                self.follow(job, price)
            else:
                watch = self._watches[job.id] = before[job.id]
                if job.not_before < watch.job.not_before:
                    watch.due = min(watch.due, job.not_before)
                watch.job = replace(watch.job, not_before=job.not_before)
                self._refresh(watch, price)
        for job_id in keep:
            if job_id in before:
                self._watches[job_id] = before[job_id]

    def follow(self, job: Running, price: float) -> None:
        """Add a job that has not been polled yet."""
        model = self._durations.model(job.work)
        watch = self._watches[job.id] = _Watch(job, model, model.glance(0.0), job.submitted)
        watch.due = max(self._worth_at(watch, price), job.not_before)

    def polled(self, job_id: str, now: float, price: float, again: float | None) -> None:
        """Record a poll that found the job running, or that failed if `again` is given.

        `again`: seconds until the next poll.
        """
        watch = self._watches.get(job_id)
        if watch is None:
            return
        if again is not None:
            watch.due = now + max(again, self._tuning.first_poll)
            return
        watch.job = replace(watch.job, not_before=0.0)
        sent = now if watch.sent is None else watch.sent
        watch.model = self._durations.model(watch.job.work)
        watch.since = watch.model.glance(max(0.0, sent - watch.job.submitted))
        watch.due = max(now, self._worth_at(watch, price))

    def sending(self, job_id: str, now: float) -> None:
        """Record that a poll of the job is being sent."""
        if job_id in self._watches:
            self._watches[job_id].sent = now

    def forget(self, job_id: str) -> None:
        """Forget a job that no longer runs."""
        self._watches.pop(job_id, None)

    def postpone(self, job_id: str, until: float) -> None:
        """Do not poll the job before `until`."""
        if job_id in self._watches:
            self._watches[job_id].due = until

    def age(self, job_id: str, now: float) -> float:
        """Return the seconds since the job was submitted."""
        watch = self._watches.get(job_id)
        return 0.0 if watch is None else max(0.0, now - watch.job.submitted)

    def ended_between(self, job_id: str, now: float) -> tuple[Work, float, float] | None:
        """Return the ages between which a job ended, for one that a poll has just found ended."""
        watch = self._watches.get(job_id)
        return None if watch is None else (watch.job.work, watch.since.age, self.age(job_id, now))

    def best(self, now: float, busy: Collection[str]) -> tuple[Poll | None, float | None]:
        """Return the job to poll now, leaving out those in `busy`, or the time at which one is due."""
        best: Poll | None = None
        most, soonest = -1.0, None
        for job_id, watch in self._watches.items():
            if job_id in busy:
                continue
            if watch.due > now:
                soonest = watch.due if soonest is None else min(soonest, watch.due)
                continue
            ended, unseen = watch.model.unseen(watch.since, now - watch.job.submitted)
            if unseen > most:
                best, most = Poll(job_id, ended), unseen
        return best, None if best is not None else soonest

    def overdue(self, now: float) -> float:
        """Return by how many seconds the most overdue poll is late; 0.0 if none is."""
        return max(0.0, now - min((watch.due for watch in self._watches.values()), default=now))

    def burden(self, now: float) -> float:
        """Return the requests per second that all jobs need."""
        return sum(self._needs(watch.model, now - watch.job.submitted) for watch in self._watches.values())

    def needs(self, work: Work) -> float:
        """Return the requests per second that a new job needs, spread over its life."""
        return self._needs(self._durations.model(work), 0.0)

    def _needs(self, model: Model, age: float) -> float:
        return self._tuning.decent_requests / max(model.mean, age, self._tuning.first_poll)

    def of(self, job_id: str) -> Running | None:
        """Return a running job, or None if it is unknown."""
        watch = self._watches.get(job_id)
        return None if watch is None else watch.job

    def all(self) -> list[Running]:
        """Return all running jobs."""
        return [watch.job for watch in self._watches.values()]

    def may_end(self, job_id: str, share: float, stretch: float) -> float:
        """Return the moment by which a job will have ended with probability `share`; it may be in the past.

        `stretch`: the factor by which the catalogue's guess is wrong. It matters less, the more such jobs
        were seen.
        """
        watch = self._watches[job_id]
        age = watch.since.age
        wrong = stretch ** self._durations.doubt(watch.job.work)
        return watch.job.submitted + age + watch.model.left(age, share) * wrong

    def copy(self) -> "PollSchedule":
        """Return an independent copy."""
        twin = copy(self)
        twin._watches = {job_id: replace(watch) for job_id, watch in self._watches.items()}  # noqa: SLF001 - its own twin
        return twin

    def ends_in(self, job_id: str, now: float) -> float | None:
        """Return the seconds until a running job has taken as long as half of such jobs do.

        Negative if it has taken longer.
        """
        watch = self._watches.get(job_id)
        return None if watch is None else watch.model.median - self.age(job_id, now)

    def _refresh(self, watch: _Watch, price: float) -> None:
        """Take over what was learned since of how long such jobs take."""
        model = self._durations.model(watch.job.work)
        if model is watch.model:
            return
        watch.model, watch.since = model, model.glance(watch.since.age)
        watch.due = min(watch.due, max(self._worth_at(watch, price), watch.job.not_before))

    def _worth_at(self, watch: _Watch, price: float) -> float:
        """Return when a poll is worth its request, within the cap: what was learned may be wrong."""
        tuning, submitted, age = self._tuning, watch.job.submitted, watch.since.age
        if age >= tuning.hourly_after:
            return submitted + age + HOUR
        cap = min(max(tuning.poll_share * age, tuning.poll_bound), tuning.poll_cap)
        worth = min(watch.model.due(watch.since, price), age + cap)
        return submitted + max(worth, age + max(tuning.first_poll, tuning.poll_least_share * age))
