"""The kinds of posts: ends of jobs, offers, questions, refusals, hourglasses, the best results, notices.

Where they stand, what they are made of, and what follows once they were sent.
"""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from bot import posts
from bot.engine.context import Delivery, EngineContext
from bot.engine.outbox import Kind, Noted
from bot.engine.outputs import Outputs
from bot.features import posting, words
from bot.features.posting import PostingRules
from bot.features.words import WordEffect
from bot.jobs import best_results, confirm, queries, results, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.results import EndOfJobs, ForModerators, Part
from bot.media.spool import OutputFile
from bot.posts import LEFT, NOWHERE, RESULT, Gone, Never, NotHere, Outcome, Post, Stands, TooMuch
from bot.reasons import Reason, ReasonCode
from bot.servers import access, notices, settings
from bot.servers.notices import TO_ADMINS, TO_LOG, NoticeKind

_log = logging.getLogger(__name__)

REFUSED_WITHIN = 300.0  # seconds; later, nobody needs to hear why nothing was started


class Hourglasses(Kind):
    """Stands on photos' messages while jobs of them go on."""

    async def load(self, post: Post) -> Any:
        """Return that there is something to be shown."""
        return True

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Forget it once it is gone."""
        if last:
            session.delete(row)


class Questions(Hourglasses):
    """Asks under photos, until the question is answered, withdrawn or over."""

    async def load(self, post: Post) -> Any:
        """Return the question, or None if it is over."""
        return await self._context.db.read(confirm.find_open, post.key, self._context.clock.now())

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Let its time begin once it stands, and forget it once it is gone."""
        if isinstance(outcome, Stands):
            confirm.asked(session, row, at)
        if last:
            confirm.end(session, post.guild_id, [post.key], at)
            session.delete(row)


class Refusals(Hourglasses):
    """Tells members without an interaction why nothing was started."""

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the member's direct messages, then the channel."""
        channel = [f"c{post.details['channel']}"] if "channel" in post.details else []
        return [f"u{post.key.partition('-')[0]}", *channel]

    def patience(self, post: Post) -> float | None:
        """Return for how long it is tried, or its removal."""
        return REFUSED_WITHIN if post.message_id is None else super().patience(post)

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Remember for a while that it was told."""
        notices.note_refusal(session, row, outcome, at, last=last)


class Starred(NamedTuple):
    """A starred result, and what its server wants of results."""

    job: Job
    rules: PostingRules


class BestResults(Kind):
    """Shows starred results once their makers agree, and takes back those that are not to be shown."""

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the server's channel for the best, once the maker has agreed."""
        place, agreed = best_results.place(session, post.guild_id, int(post.key)) or ("", False)
        return [place] if agreed else []

    async def load(self, post: Post) -> Starred | None:
        """Return what it is made of, or None if it is not to be shown any more."""
        return await self._context.db.read(_starred, post.guild_id, int(post.key))

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Tell admins if the channel is gone. Forget what isn't shown, unless its maker may still agree."""
        if isinstance(outcome, NotHere) and post.wanted and post.message_id is None:
            lost = post.place[1:]
            about, told = (post.guild_id, NoticeKind.BEST_LOST, lost), {"channel": int(lost)}
            posts.want(session, *about, at=at, details=told)
        _, agreed = best_results.place(session, post.guild_id, int(post.key)) or ("", True)
        if last and (agreed or outcome is not NOWHERE):
            session.delete(row)


class BestQuestions(BestResults):
    """Asks makers by direct message whether their results may be shown, once."""

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the maker's direct messages."""
        return [f"u{post.key}"]

    async def load(self, post: Post) -> Starred | None:
        """Return what it is about, or None if they were asked, or their result has lost its stars."""
        return await self._context.db.read(
            _to_ask_about, post.guild_id, int(post.key), int(post.details["message"])
        )

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Note who was asked, or can't be. If Discord took no question, the next starred result asks."""
        if isinstance(outcome, Stands) or (isinstance(outcome, NotHere) and outcome != LEFT):
            best_results.asked(session, int(post.key), at)
        if isinstance(outcome, Stands) or last:
            session.delete(row)


def _starred(session: Session, guild_id: int, message_id: int) -> Starred | None:
    job = best_results.result_of(session, guild_id, message_id)
    return None if job is None else Starred(job, posting.of(session, guild_id))


def _to_ask_about(session: Session, guild_id: int, user_id: int, message_id: int) -> Starred | None:
    best = best_results.get(session, guild_id, message_id)
    if best is None or not best.wanted or best_results.consent(session, user_id) is not None:
        return None
    return _starred(session, guild_id, message_id)


_ASKING = frozenset({NoticeKind.APPROVAL, NoticeKind.REVIEW})
# No news any more once the job has left that state.
_AS_LONG_AS = {NoticeKind.UNKNOWN: JobState.UNKNOWN, NoticeKind.STILL_RUNNING: JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class Told:
    """The material of a notice: the job that it is about, and what moderators are to see of it.

    `shown` is None where there is nothing to decide any more.
    """

    job: Job | None
    shown: ForModerators | None = None


class Notices(Kind):
    """Tells admins, owners and members, and asks moderators. What can't be told for a day is given up."""

    def __init__(self, context: EngineContext, outputs: Outputs) -> None:
        super().__init__(context)
        self._outputs = outputs

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it goes, by the server's settings."""
        log = settings.of(session, post.guild_id).log_channel_id
        return notices.places(session, post, log, access.approvals(session, post.guild_id).channel_id)

    def patience(self, post: Post) -> float | None:
        """Return for how long it is tried. What nobody decides on ends by itself."""
        asks = _asks(post) and post.message_id is None
        return None if asks else super().patience(post)

    async def load(self, post: Post) -> Told | None:
        """Return what it is made of, or None if it is no news any more."""
        job, jobs = await self._context.db.read(_about, post.kind, post.job_id)
        if jobs:
            return Told(jobs[0], await self._shown(post, jobs))
        if _asks(post):
            return None if post.message_id is None else Told(job)
        wanted = _AS_LONG_AS.get(NoticeKind(post.kind))
        over = wanted is not None and (job is None or job.state is not wanted)
        return None if over else Told(job)

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Tell the owner if the log channel is gone, and end what moderators can't be asked about."""
        stands = isinstance(outcome, Stands)
        if last or stands:
            notices.erase_quotation(session, post)
        self._note_log(session, post, outcome, at)
        if last and _asks(post):
            _, jobs = _about(session, post.kind, post.job_id)
            _end(session, post, jobs, at, turned_off=outcome is NOWHERE and not post.refused)

    def _note_log(self, session: Session, post: Post, outcome: Outcome, at: datetime) -> None:
        log = settings.of(session, post.guild_id).log_channel_id
        by_log = post.kind in TO_LOG | TO_ADMINS
        if not by_log or log is None or post.place != f"c{log}":
            return
        if isinstance(outcome, Stands):
            posts.forget(session, post.guild_id, NoticeKind.LOG_LOST)
        elif isinstance(outcome, NotHere):
            kind, told = NoticeKind.LOG_LOST, {"channel": log}
            posts.want(session, post.guild_id, kind, str(log), at=at, details=told)

    async def _shown(self, post: Post, jobs: Sequence[Job]) -> ForModerators:
        """Return what moderators are to see. Raises `Refuse` while a lost result is fetched again."""
        names = [job.source_file for job in jobs if job.source_file is not None]
        photos = tuple([photo for name in names if (photo := await self._file(name)) is not None])
        if post.kind == NoticeKind.APPROVAL:
            found = await self._context.db.read(words.rules, post.guild_id)
            rules = {one.key: one.words for one in found if one.effect is WordEffect.APPROVE}
            return ForModerators(tuple(jobs), photos, rules=rules)
        job = await self._outputs.with_file(jobs[0], post.tries)
        return ForModerators((job,), photos, await self._file(job.output_file))

    async def _file(self, name: str | None) -> OutputFile | None:
        return None if name is None else await self._context.spool.open_output(name)


def _asks(post: Post) -> bool:
    return post.kind in _ASKING


def _about(session: Session, kind: str, job_id: str | None) -> tuple[Job | None, list[Job]]:
    """Return the job of a post, and those on which moderators still have to decide: it, or its set's."""
    job = None if job_id is None else queries.get(session, job_id)
    if job is None or kind not in _ASKING:
        return job, []
    if kind == NoticeKind.REVIEW:
        return job, [job] if job.state is JobState.REVIEWING else []
    together = [job] if job.set_id is None else queries.of_set(session, job.set_id)
    return job, [one for one in together if one.state is JobState.PENDING]


def _end(session: Session, post: Post, jobs: Sequence[Job], at: datetime, *, turned_off: bool) -> None:
    """End what could not be shown to moderators: requests unpaid; a result is not posted.

    `turned_off`: nothing waits for approval any more, so the result needs none.
    """
    for job in jobs:
        if post.kind == NoticeKind.APPROVAL:
            gone = (FailureCode.DECLINED, Reason(ReasonCode.APPROVALS_GONE), at)
            transitions.fail_unpaid(session, job.id, JobState.PENDING, *gone)
        elif turned_off:
            transitions.release_result(session, job.id, at)
        else:
            transitions.withhold_result(session, job.id, Reason(ReasonCode.RESULT_REVIEWS_GONE), at)


# https://discord.com/developers/docs/components/reference#media-gallery
MAX_FILES_IN_MESSAGE = 10
MIN_BEFORE_BYTES = 48 * 1024  # that a photo before is worth being shown with
BEFORE_ROOM_BYTES = 4 * MIN_BEFORE_BYTES  # that a photo before has beside its result of a set, at least
MARGIN_BYTES = 64 * 1024  # for what stands around a file in a request
STAGING = "virtual-staging"  # the tool whose results may have a labelled copy
STAYS_THERE = NotHere("results from there can't be shown elsewhere")


class Results(Kind):
    """Says how jobs ended, for as long as it takes. What nobody can be told is in `/jobs`."""

    def __init__(self, context: EngineContext, delivery: Delivery, outputs: Outputs) -> None:
        super().__init__(context)
        self._delivery, self._outputs = delivery, outputs

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it goes: with nothing left to say, where it may be."""
        jobs, _ = results.of_message(session, post.key, post.job_id)
        if not jobs:
            return [post.place]
        found = results.places(jobs)
        # The channel reads only that there is no result, without the reason, and not often.
        told = not results.made(jobs) and results.was_told_there(session, jobs[0], self._context.clock.now())
        return [one for one in found if not told or one[0] != "c"]

    def patience(self, post: Post) -> None:
        """Return that it is tried without a bound."""

    async def load(self, post: Post) -> EndOfJobs | None:
        """Return what it is made of, or None if it has nothing to say any more. Raises `Refuse`."""
        db = self._context.db
        jobs, whole = await db.read(results.to_say, post.key, post.job_id, self._context.clock.now())
        if not jobs:
            return None
        numbers = {job.id: number for number, job in enumerate(whole, 1)}
        parts: list[Part] = []
        for one in jobs:
            job, output = one, None
            if one.state is JobState.SUCCEEDED:  # nobody but moderators sees one that is withheld
                job, output = await self._outputs.with_output(one, post.tries)
            parts.append(Part(job, numbers[job.id], output))
        if jobs[0].posted_with_set and jobs[0].set_message is None:
            rules = await db.read(posting.of, post.guild_id)
            parts = first_message(parts, self._delivery.size_limit(post.guild_id), rules)
            chosen = [part.job.id for part in parts]
            await db.write(results.choose, post.guild_id, post.key, chosen, self._context.clock.now())
        return EndOfJobs(tuple(parts), tuple(whole), int(post.key.partition("-")[2]))

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Store what came of it, and remove an earlier message that it takes the place of."""
        if isinstance(outcome, TooMuch):
            jobs, _ = results.of_message(session, post.key, post.job_id)
            half = [job.id for job in jobs[: (len(jobs) + 1) // 2]]
            results.choose(session, post.guild_id, post.key, half, at)
            return None
        if outcome == STAYS_THERE and post.place[0] == "u":
            told = {"user": int(post.place[1:])}
            posts.want(session, post.guild_id, NoticeKind.ENDED, post.key, at=at, details=told)
        said = post.wanted and isinstance(outcome, Stands | Gone)
        jobs, files = list[Job](), list[str]()
        if said or (post.wanted and last):
            there = outcome.message_id if isinstance(outcome, Stands) and post.is_in_channel else None
            jobs, files = results.note(session, post, there, at, said=said)
            if not said and outcome != Never():  # else there was nothing to say
                for job in jobs:
                    _log.warning("Job %s can't be delivered", job.id)
        whose, _, number = post.key.partition("-")
        if isinstance(outcome, Stands) and int(number) and whose == post.job_id:
            earlier = [f"{whose}-{one}" for one in range(int(number))]
            posts.unwant(session, post.guild_id, RESULT, earlier, at)
        # What may have to be removed stays known: that an outcome is unknown, that a result is withheld.
        lasting = any(job.state in {JobState.UNKNOWN, JobState.WITHHELD} for job in jobs)
        if row.due_at is None and (last or not lasting):
            session.delete(row)
        return Noted(jobs if said else [], files)


def first_message(parts: Sequence[Part], room: int, rules: PostingRules) -> list[Part]:
    """Return the parts that the first message takes, of as few messages as take them all in this order.

    About equally many are in each. `room` is the bytes of files that a message takes. A part that needs more
    is alone in its message.
    """

    def fits(some: Sequence[Part]) -> bool:
        files = sum(_count(part, rules) for part in some)
        return files <= MAX_FILES_IN_MESSAGE and sum(map(_size, some)) <= room

    packed: list[list[Part]] = []
    for part in parts:
        if packed and fits([*packed[-1], part]):
            packed[-1].append(part)
        else:
            packed.append([part])
    bounds = [len(parts) * number // len(packed) for number in range(len(packed) + 1)]
    equal = [list(parts[start:end]) for start, end in itertools.pairwise(bounds)]
    return equal[0] if all(map(fits, equal)) else packed[0]


def _count(part: Part, rules: PostingRules) -> int:
    """Return the largest number of files that a part may have."""
    if part.output is None or part.output.before is None:
        return int(part.output is not None)
    labelled = bool(rules.staging_label) and part.job.tool == STAGING
    return 2 + rules.splits + labelled


def _size(part: Part) -> int:
    """Return the bytes that a part needs, with a photo before that may be made smaller."""
    if part.output is None:
        return 0
    before = 0 if part.output.before is None else BEFORE_ROOM_BYTES
    return part.output.size + MARGIN_BYTES + before
