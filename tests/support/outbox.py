"""The posts that follow from taps, sent and removed as the engine does, where no engine runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
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
from bot.engine.posts import Posts
from bot.jobs.confirm import QUESTION
from bot.posts import Post, Turn
from bot.servers.notices import REFUSAL


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
        turn = posts.begin(session, post, outbox._places, 300.0, now, set())
        if turn is not None:
            return turn
    return None
