"""Bring what stands in Discord to what should stand there: send, edit or delete the posts that are due.

Each kind of posts says where they stand, what they are made of, and what follows once they were sent.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from bot import posts
from bot.aio.tasks import StoreRetry
from bot.base import wake
from bot.connections import WRITE_TIMEOUT
from bot.engine.context import UNEXPECTED_TRIES, Delivery, EngineContext, Worker
from bot.engine.files import Outputs
from bot.engine.tuning import DAY
from bot.errors import DatabaseFailed
from bot.features import words
from bot.jobs import best_results, confirm, queries, results, transitions
from bot.jobs.models import Approval, FailureCode, Job, JobState, are_variations
from bot.jobs.results import HOURGLASS, EndOfJobs, ForModerators, Part
from bot.posts import (
    BEST,
    LEFT,
    MAX_FILES_IN_MESSAGE,
    MONTH,
    NOWHERE,
    OFFER,
    RESULT,
    SENT_SINCE,
    TOO_LONG,
    Gone,
    Later,
    Never,
    NotHere,
    Outcome,
    Post,
    Refuse,
    Stands,
    TooMuch,
    Turn,
)
from bot.reasons import Reason, ReasonCode
from bot.servers import notices, settings
from bot.servers.notices import REFUSAL, TO_ADMINS, TO_APPROVERS, TO_LOG, NoticeKind

_log = logging.getLogger(__name__)

# The jobs whose end was posted, and the names of files that are not needed any more.
Noted = tuple[Sequence[Job], Sequence[str]]


class Kind:
    """The making of posts of some kinds: where, of what, and what follows from that.

    As it is, that of offers, which go once they have expired, and of hourglasses on photos' messages.
    """

    sent_within: float | None = DAY  # since it was changed, in seconds; None: it is tried without a bound

    def __init__(self, context: EngineContext, outputs: Outputs) -> None:
        self._context, self._outputs = context, outputs

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it is to stand, best first."""
        return [post.place]

    async def load(self, post: Post) -> Any:
        """Return what the message is made of, or None if there is nothing to be said any more.

        Raises `Refuse`.
        """
        return True

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Note what came of a step of `post`, as it was claimed. `last`: nothing that is wanted stands,
        and nothing is tried again."""
        if last:
            session.delete(row)


class Questions(Kind):
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


class Refusals(Kind):
    """Tells members without an interaction why nothing was started."""

    sent_within = 300.0  # later, no one needs to hear it

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the member's direct messages, then the channel."""
        channel = [f"c{post.details['channel']}"] if "channel" in post.details else []
        return [f"u{post.key.partition('-')[0]}", *channel]

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Remember for a while that it was told."""
        notices.note_refusal(session, row, outcome, at, last=last)


class Starred(NamedTuple):
    """A starred result, and what its server wants of results."""

    job: Job
    rules: settings.GuildSettings


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
        _tell_lost(session, post, outcome, at)
        _, agreed = best_results.place(session, post.guild_id, int(post.key)) or ("", True)
        if last and (agreed or outcome is not NOWHERE):
            session.delete(row)


class Month(NamedTuple):
    """The best results of a month, each with its post, how many were made, and what the server wants."""

    results: Sequence[tuple[Post, Job]]
    made: int
    rules: settings.GuildSettings


class Months(Kind):
    """Shows the best results of a month together, and those that are left when one is taken back."""

    async def load(self, post: Post) -> Month | None:
        """Return what it is made of, or None if there is nothing to show any more."""
        return await self._context.db.read(_month, post.guild_id, post.key, self._context.clock.now())

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Tell admins if the channel is gone. The row stays, so that no month is shown twice."""
        _tell_lost(session, post, outcome, at)


class BestQuestions(Kind):
    """Asks makers by direct message whether their results may be shown, once."""

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


def _tell_lost(session: Session, post: Post, outcome: Outcome, at: datetime) -> None:
    if isinstance(outcome, NotHere) and post.wanted and post.message_id is None:
        lost = post.guild_id, NoticeKind.BEST_LOST, post.place[1:]
        posts.want(session, *lost, at=at, details={"channel": int(post.place[1:])})


def _month(session: Session, guild_id: int, key: str, at: datetime) -> Month | None:
    results, made = best_results.of_month(session, guild_id, key, at) or ((), 0)
    return Month(results, made, settings.of(session, guild_id)) if results else None


def _starred(session: Session, guild_id: int, message_id: int) -> Starred | None:
    job = best_results.result_of(session, guild_id, message_id)
    return None if job is None else Starred(job, settings.of(session, guild_id))


def _to_ask_about(session: Session, guild_id: int, user_id: int, message_id: int) -> Starred | None:
    best = best_results.get(session, guild_id, message_id)
    if best is None or not best.wanted or session.get(best_results.BestConsent, user_id) is not None:
        return None
    return _starred(session, guild_id, message_id)


# No news any more once the job has left that state.
_AS_LONG_AS = {NoticeKind.UNKNOWN: JobState.UNKNOWN, NoticeKind.STILL_RUNNING: JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class Told:
    """The material of a notice: the job that it is about, and what moderators are to see of it.

    `shown` is None where there is nothing to decide any more; `together` are then the jobs that it was about.
    """

    job: Job | None
    shown: ForModerators | None = None
    together: Sequence[Job] = ()


class Notices(Kind):
    """Tells admins, owners and members. What can't be told for a day is given up."""

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it goes, by the server's settings."""
        log = settings.of(session, post.guild_id).log_channel_id
        return notices.places(session, post, log, settings.of(session, post.guild_id).approval_channel)

    async def load(self, post: Post) -> Told | None:
        """Return what it is made of, or None if it is no news any more."""
        job = await self._context.db.read(queries.get, post.job_id or "")
        wanted = _AS_LONG_AS.get(NoticeKind(post.kind))
        over = wanted is not None and (job is None or job.state is not wanted)
        return None if over and post.message_id is None else Told(job)

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Tell the owner if the log channel is gone."""
        stands = isinstance(outcome, Stands)
        if last or stands:
            notices.erase_quotation(session, post)
        log = settings.of(session, post.guild_id).log_channel_id
        if post.kind in TO_LOG | TO_ADMINS and post.place == f"c{log}":
            lost = post.guild_id, NoticeKind.LOG_LOST
            if stands:
                posts.forget(session, *lost)
            elif isinstance(outcome, NotHere):
                posts.want(session, *lost, str(log), at=at, details={"channel": log})


class Approvals(Notices):
    """Asks moderators for as long as there is something to decide: that ends by itself."""

    sent_within = None

    async def load(self, post: Post) -> Told | None:
        """Return what they are to see, or what was decided where they were asked."""
        together, jobs = await self._context.db.read(_about, post.kind, post.job_id)
        if jobs:
            return Told(jobs[0], await self._shown(post, jobs))
        return None if post.message_id is None or not together else Told(together[0], together=together)

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """End what moderators can't be asked about."""
        if last:
            _, jobs = _about(session, post.kind, post.job_id)
            _end(session, jobs, at, turned_off=outcome is NOWHERE and not post.refused)

    async def _shown(self, post: Post, jobs: Sequence[Job]) -> ForModerators:
        """Return what moderators are to see. Raises `Refuse` while a lost result is fetched again."""
        names = [job.source_file for job in jobs if job.source_file is not None]
        opened = [await self._context.spool.open_output(name) for name in names]
        photos = tuple(photo for photo in opened if photo is not None)
        if post.kind == NoticeKind.APPROVAL:
            found = await self._context.db.read(words.rules, post.guild_id)
            rules = {one.key: one.words for one in found if one.effect is words.WordEffect.APPROVE}
            return ForModerators(tuple(jobs), photos, rules=rules)
        job, output = await self._outputs.with_output(jobs[0], post.tries)
        return ForModerators((job,), photos, output)


def _about(session: Session, kind: str, job_id: str | None) -> tuple[list[Job], list[Job]]:
    """Return the jobs that moderators decide on together, and those that still wait."""
    job = None if job_id is None else queries.get(session, job_id)
    together = [] if job is None else [job]
    if job is not None and job.set_id is not None and kind == NoticeKind.APPROVAL:
        together = queries.of_set(session, job.set_id)
    state = JobState.REVIEWING if kind == NoticeKind.REVIEW else JobState.PENDING
    waiting = [one for one in together if one.state is state]
    decided = [one for one in together if one.approval is Approval.GIVEN] or together
    return [one for one in decided if one.state is not JobState.CANCELLED] or decided, waiting


def _end(session: Session, jobs: Sequence[Job], at: datetime, *, turned_off: bool) -> None:
    """End what could not be shown to moderators: requests unpaid; a result is not posted.

    `turned_off`: nothing waits for approval any more, so the result needs none.
    """
    gone = (FailureCode.DECLINED, Reason(ReasonCode.APPROVALS_GONE), at)
    for job in jobs:  # of these, what its state allows
        transitions.fail_unpaid(session, job.id, JobState.PENDING, *gone)
        if turned_off:
            transitions.release_result(session, job.id, at)
        transitions.withhold_result(session, job.id, Reason(ReasonCode.RESULT_REVIEWS_GONE), at)


STAGING = "virtual-staging"  # the tool whose results may have a labelled copy
STAYS_THERE = NotHere("results from there can't be shown elsewhere")


class Results(Kind):
    """Says how jobs ended, for as long as it takes. What no one can be told is in `/jobs`."""

    sent_within = None

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it goes: with nothing left to say, where it may be."""
        jobs, _ = results.of_message(session, post.key, post.job_id)
        if not jobs:
            return [post.place]
        found = results.places(jobs)
        # The channel reads only that there is no result, without the reason, and not often.
        told = not results.made(jobs) and results.was_told_there(session, jobs[0], self._context.clock.now())
        return [one for one in found if not told or one[0] != "c"]

    async def load(self, post: Post) -> EndOfJobs | None:
        """Return what it is made of, or None if it has nothing to say any more. Raises `Refuse`."""
        db = self._context.db
        jobs, whole = await db.read(results.to_say, post.key, post.job_id, self._context.clock.now())
        if not jobs:
            return None
        parts, is_compared = list[Part](), True
        for one in jobs:
            shown = one.state is JobState.SUCCEEDED  # no one but moderators sees one that is withheld
            job, output = await self._outputs.with_output(one, post.tries) if shown else (one, None)
            if output is not None and not is_compared:
                output = replace(output, before=None)
            parts.append(Part(job, whole.index(one) + 1, output, is_compared))
            # One photo is shown once, beside the first of its variations.
            is_compared = is_compared and (output is None or not are_variations(whole))
        if jobs[0].posted_with_set and jobs[0].set_message is None:
            parts = first_message(parts, await db.read(settings.of, post.guild_id))
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
        whose, _, number = post.key.partition("-")
        if isinstance(outcome, Stands) and int(number) and whose == post.job_id:
            earlier = [f"{whose}-{one}" for one in range(int(number))]
            posts.unwant(session, post.guild_id, RESULT, earlier, at)
        # What may have to be removed stays known: that an outcome is unknown, that a result is withheld.
        lasting = any(job.state in {JobState.UNKNOWN, JobState.WITHHELD} for job in jobs)
        if row.due_at is None and (last or not lasting):
            session.delete(row)
        return jobs if said else [], files


def first_message(parts: Sequence[Part], rules: settings.GuildSettings) -> list[Part]:
    """Return the parts that the first message takes, of as few messages as take all their files.

    About equally many are in each. What is too large for one becomes two (`TooMuch`).
    """
    firsts = (parts[: ceil(len(parts) / messages)] for messages in range(1, len(parts) + 1))
    fit = (some for some in firsts if sum(_count(part, rules) for part in some) <= MAX_FILES_IN_MESSAGE)
    return list(next(fit))


def _count(part: Part, rules: settings.GuildSettings) -> int:
    """Return the largest number of files that a part may have."""
    if part.output is None:
        return 0
    labelled = bool(rules.staging_label) and part.job.tool == STAGING
    beside = 0 if part.output.before is None else 1 + (rules.splits or rules.wipes)
    return 1 + labelled + beside


KINDS: dict[str, type[Kind]] = {
    **dict.fromkeys(NoticeKind, Notices),
    **dict.fromkeys(TO_APPROVERS, Approvals),
    OFFER: Kind,
    HOURGLASS: Kind,
    confirm.QUESTION: Questions,
    REFUSAL: Refusals,
    BEST: BestResults,
    best_results.BEST_ASK: BestQuestions,
    MONTH: Months,
    RESULT: Results,
}


class Posts:
    """Works through the posts that are due: one message at a time in a place, places side by side."""

    def __init__(self, context: EngineContext, delivery: Delivery, outputs: Outputs) -> None:
        self._context, self._delivery = context, delivery
        self._kinds = {name: kind(context, outputs) for name, kind in KINDS.items()}
        self._began = context.clock.now().timestamp()
        self._retry = StoreRetry("storing what was posted", context.liveness, noun="post")
        size = context.tuning.posts_at_once
        self.worker = Worker(context, "posts", self._claim, self._do, size, noun="place", look_again=1.0)

    async def _claim(
        self, now: datetime, busy: Mapping[str, Turn]
    ) -> tuple[Mapping[str, Turn], datetime | None]:
        """Begin what is due in other places than those that are busy."""
        tuning = self._context.tuning
        begin = tuning.announcement_bound, now, tuning.posts_at_once - len(busy), tuple(busy)
        turns, due_at = await self._context.db.write(
            posts.claim, lambda session, post: self._kinds[post.kind].places(session, post), *begin
        )
        return {turn.post.place: turn for turn in turns}, due_at

    async def _do(self, turn: Turn) -> None:
        outcome = await self._bounded(turn)
        await self._retry.run(turn.post.id, self._note, turn, outcome)

    async def _bounded(self, turn: Turn) -> Outcome:
        """Take the step, until that was tried for too long."""
        post = turn.post
        try:
            outcome = await self._step(turn)
        except Refuse as refusal:
            return refusal.outcome
        except Exception as error:
            if isinstance(error, DatabaseFailed) or post.tries < UNEXPECTED_TRIES:
                raise
            _log.exception("Post %d (%s) can't be made", post.id, post.kind, extra={"job": post.job_id})
            return Never("unexpected errors")
        if isinstance(outcome, NotHere) and outcome.closed and post.message_id is not None:
            outcome = Later()
        patience = self._kinds[post.kind].sent_within if post.message_id is None else DAY
        age = (self._context.clock.now() - post.changed_at).total_seconds()
        if isinstance(outcome, Later) and patience is not None and age >= patience:
            return TOO_LONG
        return outcome

    async def _step(self, turn: Turn) -> Outcome:
        """Send, edit or delete."""
        post, begun_before = turn.post, turn.begun_before
        if not (turn.removes or post.is_placed):
            return NOWHERE
        # What another life has sent, a restored backup may not know.
        earlier = int(post.details.get(SENT_SINCE) or self._began) < int(self._began)
        if post.message_id is None and post.is_placed and (begun_before is not None or earlier):
            found = await self._delivery.find(post, begun_before)
            if not isinstance(found, Gone):
                return found
        unsure = begun_before is not None and post.message_id is None
        waited = (self._context.clock.now() - (begun_before or post.created_at)).total_seconds()
        # What is not there may still be on its way from a process that died.
        rest = self._context.tuning.settled_after - waited
        settling = Later(rest) if unsure and rest > 0 else None
        if turn.removes:
            if post.message_id is not None:
                return await self._delivery.delete(post)
            return settling or Gone()
        if turn.moved:
            return settling or Gone()
        shown = await self._kinds[post.kind].load(post)
        if shown is None:
            return settling or Never()
        if post.message_id is None:
            return await self._delivery.send(post, shown)
        return await self._delivery.edit(post, shown)

    async def _note(self, turn: Turn, outcome: Outcome) -> None:
        now, post = self._context.clock.now(), turn.post

        def note(session: Session) -> Noted | None:
            row, noted = posts.note(session, turn, outcome, now), None
            if row is None:
                return None
            if type(outcome) is not Later:
                last = row.due_at is None and not (row.wanted and row.message_id)
                noted = self._kinds[post.kind].note(session, row, post, outcome, now, last=last)
            if row.due_at is not None:
                wake(session, ("posts",))
            return noted

        jobs, files = await self._context.db.write(note, within=WRITE_TIMEOUT) or ((), ())
        if isinstance(outcome, NotHere | Never) and outcome.why and outcome is not NOWHERE:
            told = "Server %d: a message (%s) was not posted: %s"
            _log.warning(told, post.guild_id, post.kind, outcome.why, extra={"job": post.job_id})
        for job in jobs:
            _log.info("Job %s is posted", job.id)
            if job.finished_at is not None:
                # A result that had to be approved is late since then, not since its end.
                approved = job.result_approval is Approval.GIVEN
                self._context.posted(
                    (now - (job.changed_at if approved else job.finished_at)).total_seconds()
                )
        if files:
            await self._context.spool.remove(*files)
