"""The states of jobs, how long some may last, and why jobs fail."""

from collections.abc import Mapping
from enum import StrEnum

LOST_AFTER_DAYS = 7  # a job that runs for so long ends
UNRULED_DAYS = 30  # an unknown outcome then counts as charged
KEPT_DAYS = 30  # an output that could not be posted, or was withheld, is kept for so long


class JobState(StrEnum):
    """The state of a job. `NEXT_STATES` has the allowed changes."""

    RECEIVED = "received"
    PENDING = "pending"  # waits for a moderator's approval
    WAITING = "waiting"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    RUNNING = "running"
    REVIEWING = "reviewing"  # finished and paid; its result waits for a moderator's decision
    SUCCEEDED = "succeeded"
    WITHHELD = "withheld"  # finished and paid; its result is not posted, unless a moderator releases it
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


NEXT_STATES: Mapping[JobState, frozenset[JobState]] = {
    JobState.RECEIVED: frozenset(
        {JobState.PENDING, JobState.WAITING, JobState.FAILED, JobState.CANCELLED},
    ),
    JobState.PENDING: frozenset({JobState.WAITING, JobState.FAILED, JobState.CANCELLED}),
    JobState.WAITING: frozenset(
        # Back to received when its photo was evicted from the spool and must be fetched again.
        {JobState.RECEIVED, JobState.UPLOADING, JobState.SUBMITTING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.UPLOADING: frozenset(
        {JobState.SUBMITTING, JobState.WAITING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.SUBMITTING: frozenset(
        {JobState.RUNNING, JobState.WAITING, JobState.FAILED, JobState.UNKNOWN},
    ),
    JobState.RUNNING: frozenset({JobState.REVIEWING, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.REVIEWING: frozenset({JobState.SUCCEEDED, JobState.WITHHELD}),
    JobState.WITHHELD: frozenset({JobState.SUCCEEDED}),
    JobState.UNKNOWN: frozenset({JobState.RUNNING, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
# Nothing happens in these automatically any more, and the credits are settled or released.
TERMINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.WITHHELD})
# There is a result, and it is not shown to its person: a moderator has not decided yet, or declined it.
UNSHOWN_STATES = (JobState.REVIEWING, JobState.WITHHELD)
# Not sent to Studii yet: such a job can be cancelled and costs nothing.
UNSENT_STATES = (JobState.RECEIVED, JobState.PENDING, JobState.WAITING, JobState.UPLOADING)
# With Studii, or on their way there.
SENT_STATES = (JobState.SUBMITTING, JobState.RUNNING)
ACTIVE_STATES = (*UNSENT_STATES, *SENT_STATES)


class FailureCode(StrEnum):
    """The cause of a job's failure, for code to decide on. People read the words for `Job.failure_text`."""

    PHOTO = "photo"  # the source is not a supported picture
    INPUTS = "inputs"  # 400
    KEY = "key"  # 401
    CREDITS = "credits"  # 402
    PLAN = "plan"  # 403
    UPLOAD = "upload"  # the source could not be uploaded
    API = "api"  # Studii kept failing before it took the job
    STUDII = "studii"  # Studii took the job and says that it failed
    OUTPUT = "output"  # finished, but its output is gone or unusable
    LOST = "lost"  # Studii does not know the job any more, or it never ended
    BUDGET = "budget"  # its price turned out higher than assumed and exceeds a limit
    DECLINED = "declined"  # by a moderator, or nobody approved it in time
    RULED = "ruled"  # an admin ruled on a job whose outcome was unknown
