"""Ends of jobs, as posts: what they are made of, and what follows once they were sent."""

import itertools
import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot import posts
from bot.engine.context import Delivery, EngineContext
from bot.engine.outbox import Noted
from bot.engine.outputs import Refetch
from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs import results
from bot.jobs.models import Job, JobState
from bot.jobs.results import EndOfJobs, Part
from bot.posts import RESULT, Gone, Never, NotHere, Outcome, Post, Stands, TooMuch
from bot.servers.notices import NoticeKind

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/components/reference#media-gallery
MAX_FILES_IN_MESSAGE = 10
MIN_BEFORE_BYTES = 48 * 1024  # that a photo before is worth being shown with
BEFORE_ROOM_BYTES = 4 * MIN_BEFORE_BYTES  # that a photo before has beside its result of a set, at least
MARGIN_BYTES = 64 * 1024  # for what stands around a file in a request
STAGING = "virtual-staging"  # the tool whose results may have a labelled copy
STAYS_THERE = NotHere("results from there can't be shown elsewhere")


class Results:
    """Says how jobs ended, for as long as it takes. What nobody can be told is in `/jobs`."""

    def __init__(self, context: EngineContext, delivery: Delivery, refetch: Refetch) -> None:
        self._context, self._delivery, self._refetch = context, delivery, refetch

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
        """Return what it is made of, or None if it has nothing to say any more. Raises `NotYet`."""
        db = self._context.db
        jobs, whole = await db.read(results.to_say, post.key, post.job_id, self._context.clock.now())
        if not jobs:
            return None
        numbers = {job.id: number for number, job in enumerate(whole, 1)}
        parts: list[Part] = []
        for one in jobs:
            job, output = one, None
            if one.state is JobState.SUCCEEDED:  # nobody but moderators sees one that is withheld
                job, output = await self._refetch.with_output(one, post.tries)
            parts.append(Part(job, numbers[job.id], output))
        if jobs[0].posted_with_set and jobs[0].set_message is None:
            rules = await db.read(posting.of, post.guild_id)
            parts = first_message(parts, self._delivery.size_limit(post.guild_id), rules)
            chosen = [part.job.id for part in parts]
            await db.write(results.choose, post.guild_id, post.key, chosen, self._context.clock.now())
        return EndOfJobs(tuple(parts), tuple(whole), int(post.key.partition("-")[2]))

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Store what came of it, and remove an earlier message that it takes the place of."""
        if isinstance(outcome, TooMuch):
            jobs, _ = results.of_message(session, post.key, post.job_id)
            half = [job.id for job in jobs[: (len(jobs) + 1) // 2]]
            results.choose(session, post.guild_id, post.key, half, at)
            return Noted()
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
