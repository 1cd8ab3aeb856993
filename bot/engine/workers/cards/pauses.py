"""How long a card stays as it is, because it will have more to say in a moment. Pure."""

from datetime import datetime, timedelta

from bot.domain import Job, JobState, Progress
from bot.engine.workers.cards.queue_positions import UNPLACED_EVERY

# A job that is about to be queued has its position in a moment: one edit of its card then shows both.
POSITION_KNOWN_IN = 0.2  # seconds
POSITION_CHECKS = 5
# Before it is in its lane's queue, its card keeps saying what it said: "in the queue" always has a position.
PATIENT_CHECKS = 60
# A job that is being sent runs in a moment: its card shows that at once, as a second edit had to wait.
SENT_CHECKS = 1
# One that is expected to end in a moment is not shown as running at all, unless it takes longer.
END_EXPECTED_WITHIN = 2  # multiples of the pause between two checks
END_EXPECTED_CHECKS = 4
# When Studii has finished a job, its card shows the end alone, unless the download takes longer.
END_CHECKS = 4
# A card says nothing of an end that is about to be posted in its place, unless posting takes longer.
POSTED_CHECKS = 4


def is_about_to_end(job: Job, checks: int) -> bool:
    """Return whether a card waits for the end of a job that Studii has finished, after this many checks."""
    return job.state is JobState.RUNNING and job.output_url is not None and checks < END_CHECKS


def pause(job: Job, way: Progress, checks: int, *, told: bool, now: datetime, between: float) -> float | None:
    """Return for how many seconds to leave the card as it is, or None to show the job now.

    `checks` is how often this was asked before; there are `between` seconds between two checks, except for
    the position in the queue. `told`: the card shows the job's newest version already.
    """
    if _is_to_be_queued(job, way) and checks < PATIENT_CHECKS:
        return POSITION_KNOWN_IN if checks < POSITION_CHECKS else UNPLACED_EVERY
    waits = (
        (_is_about_to_run(job) and checks < SENT_CHECKS)
        or (_is_to_be_posted(job, way) and checks < POSTED_CHECKS)
        or (not told and _ends_in_a_moment(job, way, now, between) and checks < END_EXPECTED_CHECKS)
    )
    return between if waits else None


def _is_to_be_queued(job: Job, way: Progress) -> bool:
    untold = job.state is JobState.WAITING and job.held is None and way.position is None
    return untold and not way.whole_set


def _is_about_to_run(job: Job) -> bool:
    return job.state in {JobState.UPLOADING, JobState.SUBMITTING} and job.cancel_told is None


def _is_to_be_posted(job: Job, way: Progress) -> bool:
    """Return whether the job's posting, which takes the card's place, is about to be made.

    That of a set takes its place once all have ended.
    """
    return all(one.terminal and one.announced_at is None for one in way.whole_set or (job,))


def _ends_in_a_moment(job: Job, way: Progress, now: datetime, between: float) -> bool:
    """Return whether the job will probably end before an edit of its card could show that it runs."""
    if job.state is not JobState.RUNNING or job.cancel_told is not None or way.whole_set:
        return False
    moment = timedelta(seconds=END_EXPECTED_WITHIN * between)
    return way.late or (way.ends_at is not None and way.ends_at - now <= moment)
