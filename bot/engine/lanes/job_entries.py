"""Converts jobs of the database to the entries of a lane's schedule, which name no wall-clock time."""

from datetime import datetime

from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits.charges import price_name
from bot.engine.lane import Running, Step, Waiting, Work
from bot.engine.lanes.step_result import StepResult
from bot.jobs.models import Job, JobState
from bot.jobs.submission import needs_upload


class JobEntries:
    """Makes a lane's entries of jobs: of waiting ones for its queue, of running ones for its polls.

    Their times are of the monotonic clock.
    """

    def __init__(self, clock: Clock, longest_pause: float, catalog: Catalog) -> None:
        self._clock = clock
        self._longest_pause = longest_pause
        self._catalog = catalog

    def waiting(self, job: Job, key_id: int | None, again: float | None = None) -> Waiting:
        """Return the entry of a job that is to be sent with this key."""
        now = self._clock.monotonic()
        not_before = now + (again or 0.0)
        if (until := job.waits_until(key_id)) is not None:
            # Bounded, for the case that the wall clock was put back.
            pause = min(self._seconds_until(until), self._longest_pause)
            not_before = max(not_before, now + pause)
        return Waiting(
            job.id,
            job.user_id,
            job.created_at.timestamp(),
            Step.UPLOAD if needs_upload(job, key_id) else Step.SUBMIT,
            self._work(job),
            not_before,
            begun=job.state is JobState.UPLOADING,
            held=job.held is not None,
            price=None if job.price_learned else price_name(self._catalog, job),
        )

    def running(self, job: Job) -> Running:
        """Return the entry of a job that is to be polled."""
        now = self._clock.monotonic()
        age = 0.0 if job.submitted_at is None else -self._seconds_until(job.submitted_at)
        not_before = 0.0
        if job.not_before is not None:
            not_before = now + min(self._seconds_until(job.not_before), self._longest_pause)
        priced = job.charged is not None
        return Running(job.id, now - max(0.0, age), self._work(job), not_before, priced)

    def after(self, result: StepResult) -> Waiting | Running | None:
        """Return the entry of a job after a step, or None if the lane is done with it."""
        job = result.job
        if job is None:
            return None
        if job.state is JobState.RUNNING and job.output_url is None:
            return self.running(job)
        if job.state is JobState.WAITING or (job.state is JobState.UPLOADING and job.object_key):
            return self.waiting(job, job.key_id, result.again)
        return None

    def _work(self, job: Job) -> Work:
        tool = self._catalog.tools.get(job.tool)
        kind = "image" if tool is None else tool.output_kind(job.inputs)
        return Work(job.tool, kind)

    def _seconds_until(self, moment: datetime) -> float:
        return (moment - self._clock.now()).total_seconds()
