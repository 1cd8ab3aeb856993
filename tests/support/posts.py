"""What waits to be posted, and how it is posted where no engine runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts
from bot.aio.tasks import Liveness
from bot.clock import Clock
from bot.cluster import Membership
from bot.db import Database
from bot.delivery import DiscordDelivery
from bot.engine import Tuning
from bot.engine.context import EngineContext
from bot.engine.posts import Posts, Told
from bot.jobs import results
from bot.jobs.confirm import QUESTION
from bot.jobs.models import Job
from bot.jobs.results import EndOfJobs, ForModerators, Part
from bot.media.spool import OutputFile
from bot.posts import RESULT, Gone, Never, NotHere, Outcome, Post, Stands, Turn
from bot.servers import notices
from bot.servers.notices import REFUSAL, TO_MEMBER, NoticeKind


def open_posts(session: Session, guild_id: int | None = None) -> list[Post]:
    """Return the posts that are due or will be, but for ends of jobs and refusals, oldest first."""
    found = select(Post).where(Post.due_at.is_not(None), Post.kind.not_in((RESULT, REFUSAL)))
    found = found.order_by(Post.id)
    return list(session.scalars(found if guild_id is None else found.where(Post.guild_id == guild_id)))


def sent(session: Session, post: Post, at: datetime, message_id: int = 1) -> None:
    """Note that the post stands where it was sent to."""
    row = session.get_one(Post, post.id)
    row.place, row.shown_version = post.place, row.version
    posts.note(session, Turn(post, None), Stands(message_id), at)
    notices.erase_quotation(session, post)


def a_post(
    guild_id: int,
    kind: NoticeKind,
    key: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    job_id: str | None = None,
) -> Post:
    """Return a post that is in no database."""
    post = Post(guild_id, kind, key, at, at, f"s{guild_id}", at, dict(details or {}), job_id=job_id)
    post.id = 1
    return post


async def deliver(
    desk: Any, post: Post, channel_id: int | None, job: Job | None = None, shown: ForModerators | None = None
) -> Outcome:
    """Send a notice to that channel, or to the member or owner whom it is for (None)."""
    is_member = post.kind in TO_MEMBER
    person = f"u{post.details.get('user')}" if is_member else f"o{post.guild_id}"
    place = person if channel_id is None else f"c{channel_id}"
    return await desk.delivery.send(placed(post, place), Told(job, shown))


def placed(post: Post, place: str, message_id: int | None = None) -> Post:
    """Return the post as it is in that place."""
    values: dict[str, Any] = {one.name: getattr(post, one.name) for one in fields(post) if one.init}
    values |= {"place": place, "message_id": message_id}
    there = Post(**values)
    there.id = post.id
    return there


@dataclass(frozen=True)
class Posted:
    """An end of jobs was posted. `message_id` is None where nobody can link to it."""

    message_id: int | None
    channel_id: int | None = None  # None: in the job's own
    by_dm: bool = False


@dataclass(frozen=True)
class Undeliverable:
    """It can be posted nowhere."""

    reason: str


async def tell_end(delivery: DiscordDelivery, job: Job, output: OutputFile | None) -> Any:
    """Post how the job ended as the engine does: in the first place that takes it, unless it is there."""
    return await post_ending(delivery, EndOfJobs((Part(job, 1, output),), (job,)))


async def post_ending(delivery: DiscordDelivery, ending: EndOfJobs) -> Any:
    """Post how these jobs ended; return what came of it, also `Later`."""
    job, why = ending.job, ""
    key = f"{job.set_id}-{ending.number}" if job.posted_with_set else job.nonce
    for place in results.places([part.job for part in ending.parts]):
        at = max(part.job.changed_at for part in ending.parts)
        post = Post(job.guild_id, RESULT, key, at, at, place, job_id=job.id)
        post.id = 1
        found = await delivery.find(post, None)
        outcome = found if isinstance(found, Stands) else await delivery.send(post, ending)
        if isinstance(outcome, NotHere):
            why = f"{why}; {outcome.why}"
            continue
        if not isinstance(outcome, Stands | Gone):
            return Undeliverable(outcome.why) if isinstance(outcome, Never) else outcome
        there = outcome.message_id if isinstance(outcome, Stands) and post.is_in_channel else None
        elsewhere = None if there is None or place == f"c{job.channel_id}" else int(place[1:])
        return Posted(there, elsewhere, by_dm=place[0] == "u")
    return Undeliverable(why)


class Outbox:
    """Sends questions under photos and refusals as soon as they are wanted, and removes them."""

    def __init__(self, db: Database, clock: Clock, delivery: Callable[[], DiscordDelivery]) -> None:
        nothing, liveness = cast(Any, None), Liveness(clock)
        self._context = EngineContext(
            db, Membership(), nothing, nothing, nothing, clock, Tuning(), nothing, liveness
        )
        self._delivery, self._db = delivery, db
        self._turn, self._tasks = asyncio.Lock(), set[asyncio.Task[None]]()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work after each change."""
        with self._db.listening(self._changed):
            yield
        await asyncio.gather(*self._tasks)

    async def work(self) -> None:
        """Do what is due now."""
        async with self._turn:
            outbox = Posts(self._context, self._delivery(), cast(Any, None))
            while turn := await self._db.write(_begin, outbox, self._context.clock.now()):
                await outbox._do(turn)  # pyright: ignore[reportPrivateUsage]

    def _changed(self, wakes: Mapping[Any, Any]) -> None:
        if ("posts",) in wakes:
            task = asyncio.create_task(self.work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _begin(session: Session, outbox: Any, now: Any) -> Turn | None:
    due = select(Post).where(Post.kind.in_((QUESTION, REFUSAL)), Post.due_at <= now).order_by(Post.id)
    for post in session.scalars(due).all():
        turn = posts.begin(session, post, outbox._kinds[post.kind].places, 300.0, now, set())
        if turn is not None:
            return turn
    return None
