"""Say what came of a step of a lane: an upload, a submission or a poll."""

from dataclasses import dataclass

from bot.jobs.models import Job
from bot.studii import RateLimited


@dataclass(frozen=True, slots=True)
class StepResult:
    """The job after the step, or None if it no longer belongs to the lane.

    `sent`: whether a request left this process; none does for a job that could not be claimed. `again`: leave
    the job alone for this many seconds. `limited`: the 429 that Studii answered. `unexpected`: the step met
    an unexpected error, and says nothing of the job.
    """

    job: Job | None
    sent: bool = True
    again: float | None = None
    limited: RateLimited | None = None
    unexpected: bool = False
