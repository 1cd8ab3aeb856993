"""Decide how long a card stays as it is, because it will have more to say in a moment. Pure."""

from datetime import datetime, timedelta

from bot.engine.workers.cards.queue_positions import UNPLACED_EVERY
from bot.jobs.models import Job, JobState, Progress

# A job that is about to be queued has its position in a moment: one edit of its card then shows both.
POSITION_KNOWN_IN = 0.2  # seconds
POSITION_SOON = 1.0  # for which it is asked for that often
# Before it is in its lane's queue, its card keeps saying what it said: "in the queue" always has a position.
POSITION_PATIENCE = 60.0
# What follows is in multiples of the time within which a card is not edited twice.
# A job that is being sent runs in a moment: its card shows that at once, as a second edit had to wait.
SENT_PATIENCE = 1
# One that is expected to end in a moment is not shown as running at all, unless it takes longer.
END_EXPECTED_WITHIN = 2
# When Studii has finished a job, its card shows the end alone, unless the download takes longer; and nothing
# of an end that is about to be posted in its place, unless posting takes longer.
END_PATIENCE = 4


def news(job: Job) -> tuple[bool, bool]:
    """Return what a card that waits is shown at once for: that there is nothing more to wait for.

    That of a set shows each end, and that of a job alone is removed once its end is posted.
    """
    return job.announced_at is not None, job.over and (not job.terminal or job.set_id is not None)


def pause_of_state(job: Job, waited: float, between: float) -> float | None:
    """Return for how many seconds to leave the card as it is, without regard to the job's lane.

    `waited` is for how long it has been left so, and `between` for how long a card is not edited twice.
    """
    if _is_about_to_run(job):
        return _rest_of(SENT_PATIENCE * between, waited)
    finished = job.state is JobState.RUNNING and job.output_url is not None
    to_be_posted = job.terminal and job.announced_at is None and job.set_id is None
    return _rest_of(END_PATIENCE * between, waited) if finished or to_be_posted else None


def pause(
    job: Job, progress: Progress, waited: float, between: float, *, told: bool, now: datetime
) -> float | None:
    """Return the same with what its lane says. `told`: the card shows the job's newest version already."""
    if _is_to_be_queued(job, progress) and waited < POSITION_PATIENCE:
        return POSITION_KNOWN_IN if waited < POSITION_SOON else UNPLACED_EVERY
    if _is_to_be_posted(progress) or (not told and _ends_in_a_moment(job, progress, now, between)):
        return _rest_of(END_PATIENCE * between, waited)
    return None


def _rest_of(patience: float, waited: float) -> float | None:
    return patience - waited if waited < patience else None


def _is_to_be_queued(job: Job, progress: Progress) -> bool:
    untold = job.state is JobState.WAITING and job.held is None and progress.position is None
    return untold and not progress.whole_set


def _is_about_to_run(job: Job) -> bool:
    return job.state in {JobState.UPLOADING, JobState.SUBMITTING} and job.cancel_told is None


def _is_to_be_posted(progress: Progress) -> bool:
    """Return whether all jobs of a set have ended: their postings then take the place of its card."""
    return bool(progress.whole_set) and all(
        one.terminal and one.announced_at is None for one in progress.whole_set
    )


def _ends_in_a_moment(job: Job, progress: Progress, now: datetime, between: float) -> bool:
    """Return whether the job will probably end before an edit of its card could show that it runs."""
    if job.state is not JobState.RUNNING or job.cancel_told is not None or progress.whole_set:
        return False
    moment = timedelta(seconds=END_EXPECTED_WITHIN * between)
    return progress.late or (progress.ends_at is not None and progress.ends_at - now <= moment)
