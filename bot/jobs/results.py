"""Messages that say how jobs ended: one for each job, or for as many of a set as a message takes.

Which jobs a set's message is about is stored, with its number, before it is sent: whenever the process ends,
the next one sends the same message, or finds it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts
from bot.credits import ledger
from bot.jobs import answers, queries
from bot.jobs.models import ACTIVE_STATES, Job, JobState
from bot.media.spool import OutputFile
from bot.servers import notices, settings

HOURGLASS = "hourglass"  # the kind of the posts on photos' messages; the key is the message
HOURGLASS_SIGN = "⏳"
SET_PATIENCE = timedelta(minutes=2)  # how long the ends of a set's jobs wait for its others, after the first


@dataclass(frozen=True, slots=True)
class Part:
    """A job that has ended. `number` is its photo's place in its set, from 1; `output` its file, if there is
    one, with the photo before if that `is_compared`."""

    job: Job
    number: int
    output: OutputFile | None
    is_compared: bool = True


@dataclass(frozen=True, slots=True)
class EndOfJobs:
    """A message that says how jobs ended: one, or several of a set.

    `number` is the message's among the set's, from 0; `whole` are all jobs of the set as they are now.
    """

    parts: tuple[Part, ...]
    whole: tuple[Job, ...]
    number: int = 0

    @property
    def job(self) -> Job:
        """Return the first of its jobs. All have the same person and channel."""
        return self.parts[0].job

    @property
    def made(self) -> bool:
        """Return whether it shows a result."""
        return made(part.job for part in self.parts)

    @property
    def is_news(self) -> bool:
        """Return whether it says what had not ended at the set's last message: then it notifies."""
        said = [job.announced_at for job in self.whole if job.announced_at is not None]
        return not said or any(part.job.changed_at > max(said) for part in self.parts)

    @property
    def complete(self) -> bool:
        """Return whether it says how all photos of the set ended, but for those that were cancelled."""
        said = {part.job.id for part in self.parts}
        return all(job.id in said or job.state is JobState.CANCELLED for job in self.whole)


@dataclass(frozen=True, slots=True)
class ForModerators:
    """The files that moderators see of what they decide on: photos of requests, or a result and its photo.

    `jobs` is one, or those of a set on which they decide together. `rules` of the word filter send requests
    to approval: the words of each, as an admin wrote them, by its key.
    """

    jobs: tuple[Job, ...]
    photos: tuple[OutputFile, ...]
    result: OutputFile | None = None
    rules: Mapping[str, str] = field(default_factory=dict[str, str])


def ended(session: Session, job: Job, at: datetime) -> None:
    """Let it be posted how the job ended, unless its person knows that already."""
    if job.set_id is not None:
        session.flush()
        _want_next(session, queries.of_set(session, job.set_id), at)
    if job.announced_at is None and not job.posted_with_set:
        _want(session, job.nonce, [job], at)


def follow_hourglass(session: Session, job: Job, at: datetime) -> None:
    """Let an hourglass stand on the photo's message while one of the jobs that no interaction started from it
    goes on, after this one has changed."""
    if job.origin_message_id is None:
        return
    session.flush()
    going = select(Job.id).where(Job.origin_message_id == job.origin_message_id, Job.state.in_(ACTIVE_STATES))
    key = str(job.origin_message_id)
    if session.scalar(going.limit(1)) is not None:
        posts.want(session, job.guild_id, HOURGLASS, key, at=at, place=f"c{job.channel_id}", again=True)
    else:
        posts.unwant(session, job.guild_id, HOURGLASS, [key], at)


def of_message(
    session: Session, key: str, job_id: str | None, *, locked: bool = False
) -> tuple[list[Job], list[Job]]:
    """Return the jobs that the message with that key is about, and all of their set.

    Before a set's are chosen, these are all that no message is about. With none, nothing is left to say.
    They may be `locked` until the transaction ends.
    """
    job = queries.get(session, job_id or "", locked=locked)
    if job is None:
        return [], []
    whole = [job] if job.set_id is None or job.posting else queries.of_set(session, job.set_id, locked=locked)
    if key.startswith(job.id):
        open_ = job.over and job.announced_at is None and job.nonce == key
        return [job] if open_ else [], whole
    number = int(key.partition("-")[2])
    left = unposted(whole)
    mine = [one for one in left if one.set_message == number]
    if not mine and number == next_number(whole):
        mine = [one for one in left if one.set_message is None]
    return mine, whole


def choose(session: Session, guild_id: int, key: str, job_ids: Collection[str], at: datetime) -> None:
    """Store which jobs of a set the message is about. What no message is about gets another one."""
    ledger.lock(session, guild_id)  # as several jobs are changed
    set_id, _, number = key.partition("-")
    whole = queries.of_set(session, set_id)
    for job in unposted(whole):
        if job.set_message in {None, int(number)}:
            job.set_message = int(number) if job.id in job_ids else None
    _want_next(session, whole, at)


def note(
    session: Session, post: posts.Post, message_id: int | None, at: datetime, *, said: bool
) -> tuple[list[Job], list[str]]:
    """Record that the message was sent, or (not `said`) can't be.

    Return its jobs, and the names of files that are not needed any more. If a job was ruled on, or is to be
    posted again, meanwhile, this was not its last word.
    """
    ledger.lock(session, post.guild_id)  # as several jobs may be changed
    jobs, _ = of_message(session, post.key, post.job_id, locked=True)
    files: list[str | None] = []
    for job in jobs:
        job.announced_at, job.result_message_id = at, message_id
        if job.approval or job.result_approval:
            tell_approvers(session, job.id, at)
        if said:
            place = int(post.place[1:])
            job.result_channel_id = None if message_id is None or place == job.channel_id else place
            job.result_by_dm = post.place[0] == "u"
            if job.state is not JobState.WITHHELD:  # for moderators, who may still release it
                files += [job.source_file, job.output_file]
                job.source_file = job.output_file = None
            if settings.of(session, job.guild_id).log_results and job.state is JobState.SUCCEEDED:
                posts.want(session, job.guild_id, notices.NoticeKind.MADE, job.nonce, at=at, job_id=job.id)
        else:
            # A result that could not be posted is kept, with the photo before, until its person fetches it.
            job.set_message = None
            if job.output_file is None:
                files.append(job.source_file)
                job.source_file = None
            session.info["wakes"].update({("job", job.id): job})  # its answer links to it
    return jobs, [file for file in files if file is not None]


def tell_approvers(session: Session, job_id: str, at: datetime) -> None:
    """Let what moderators read of a job link to its result, once that was posted."""
    job = queries.get(session, job_id)
    if job is not None and job.announced_at is not None:
        posts.change(session, job.guild_id, notices.NoticeKind.APPROVAL, job.set_id or job.id, at)
        posts.change(session, job.guild_id, notices.NoticeKind.REVIEW, job.id, at)


def photo_message_of(job: Job) -> int | None:
    """Return the message with the job's photo, if it is in the job's channel."""
    if job.origin_message_id is not None:
        return job.origin_message_id
    source = job.source
    here = source is not None and source.channel_id in {None, job.channel_id}
    return source.message_id if source is not None and here else None


def places(jobs: Sequence[Job]) -> list[str]:
    """Return where it may be said how the jobs ended, best first.

    Results are posted elsewhere if the server wants that. Private ones, and why there is none, are for their
    person alone.
    """
    job = jobs[0]
    own, dm = f"c{job.channel_id}", f"u{job.user_id}"
    if not made(jobs):
        return [dm] if job.private else [dm, own]
    if job.private:
        return [f"i{job.user_id}", dm]
    above = photo_message_of(job)
    if job.in_thread:
        return [own, dm] if above is None else [f"t{above}", own, dm]
    there = job.post_channel_id or job.channel_id
    return [own, dm] if there == job.channel_id else [f"c{there}", own, dm]


def to_say(
    session: Session, key: str, job_id: str | None, at: datetime
) -> tuple[Sequence[Job], Sequence[Job]]:
    """Return what `of_message` does, without jobs whose person knows how they ended."""
    jobs, whole = of_message(session, key, job_id)
    if not jobs or made(jobs) or any(one.settled or one.reserved for one in jobs):
        return jobs, whole
    # Nothing was made or charged: they see that where they asked a moment ago, if Discord took the answer.
    answer = answers.of(session, answers.subject_of(jobs[0]), jobs[0].user_id, at - answers.IN_VIEW)
    return [] if answer is not None and answer.shown else jobs, whole


def answer_lost(session: Session, answer_id: int, at: datetime) -> None:
    """Forget an answer that can't be edited any more. A message says instead how its jobs failed."""
    answer = session.get(answers.Reply, answer_id)
    if answer is None:
        return
    jobs = answers.jobs_of(session, [answer.subject or ""])[answer.subject or ""]
    ledger.lock(session, answer.guild_id)  # as several jobs may be changed
    answers.drop(session, answer_id)
    for job in jobs:
        told = job.result_message_id is not None or job.result_by_dm
        if job.state is JobState.FAILED and job.announced_at is not None and not told:
            job.announced_at = None
            ended(session, job, at)


def was_told_there(session: Session, job: Job, at: datetime) -> bool:
    """Return whether a line in the channel told the member lately that one of their jobs has no result."""
    told = select(Job.id).where(
        Job.guild_id == job.guild_id, Job.channel_id == job.channel_id, Job.user_id == job.user_id,
        Job.state != JobState.SUCCEEDED, Job.result_message_id.is_not(None), Job.id != job.id,
        Job.announced_at > at - timedelta(hours=1),  # one line an hour for a member is enough
    )  # fmt: skip
    return session.scalar(told.limit(1)) is not None


def unposted(whole: Iterable[Job]) -> list[Job]:
    """Return the jobs of a set that have ended and whose end no message has said."""
    return [job for job in whole if job.posted_with_set and job.announced_at is None]


def next_number(whole: Iterable[Job]) -> int:
    """Return the number of the set's next message, from 0."""
    return 1 + max((job.set_message for job in whole if job.set_message is not None), default=-1)


def _want_next(session: Session, whole: Sequence[Job], at: datetime) -> None:
    """Let the set's next message stand: when all have ended, or some time after the first did."""
    left = [job for job in unposted(whole) if job.set_message is None]
    if not left:
        return
    due = at
    if not all(job.over for job in whole):
        # A clock that was set back doesn't make it longer.
        due = max(at, min(at, *(job.changed_at for job in whole if job.over)) + SET_PATIENCE)
    _want(session, f"{left[0].set_id}-{next_number(whole)}", left, at, due)


def _want(
    session: Session, key: str, jobs: Sequence[Job], at: datetime, due_at: datetime | None = None
) -> None:
    job = jobs[0]
    one, place = (job.guild_id, posts.RESULT, key), places(jobs)[0]
    since = {posts.SENT_SINCE: int(job.created_at.timestamp())}
    if not posts.want(session, *one, at=at, due_at=due_at, job_id=job.id, details=since, place=place):
        posts.hasten(session, *one, due_at or at)
        row = posts.get(session, *one)
        if row is not None and row.begun_at is None and not row.refused:
            row.place = place  # there may be a result among them by now


def made(jobs: Iterable[Job]) -> bool:
    """Return whether one of them has a result to show."""
    return any(job.state is JobState.SUCCEEDED for job in jobs)
