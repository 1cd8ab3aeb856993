"""Posts without results: offers, questions under photos, refusals and hourglasses."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.engine.context import EngineContext
from bot.engine.workers.outbox import Noted
from bot.features import refusals
from bot.jobs import confirm
from bot.posts import Outcome, Post, Stands

REFUSED_WITHIN = 300.0  # seconds; later, nobody needs to hear why nothing was started


class Offers:
    """Lets them go once they have expired."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it stands."""
        return [post.place]

    def patience(self, post: Post) -> float | None:
        """Return for how long its removal is tried."""
        return self._context.tuning.question_removal_bound

    async def load(self, post: Post) -> Any:
        """Return nothing: it was sent as the answer to a mention, and isn't changed."""

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Forget it: it is gone, as one that was taken, or it stays."""
        session.delete(row)
        return Noted()


class Hourglasses(Offers):
    """Stands on photos' messages while jobs of them go on."""

    async def load(self, post: Post) -> Any:
        """Return that there is something to be shown."""
        return True

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Forget it once it is gone."""
        if last:
            session.delete(row)
        return Noted()


class Questions(Hourglasses):
    """Asks under photos, until the question is answered, withdrawn or over."""

    async def load(self, post: Post) -> Any:
        """Return the question, or None if it is over."""
        return await self._context.db.read(confirm.find_open, post.key, self._context.clock.now())

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Let its time begin once it stands, and forget it once it is gone."""
        if isinstance(outcome, Stands):
            confirm.asked(session, row, at)
        if last:
            confirm.end(session, post.guild_id, [post.key], at)
            session.delete(row)
        return Noted()


class Refusals(Hourglasses):
    """Tells members without an interaction why nothing was started."""

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the member's direct messages, then the channel."""
        return refusals.places(post)

    def patience(self, post: Post) -> float | None:
        """Return for how long it is tried, or its removal."""
        return REFUSED_WITHIN if post.message_id is None else super().patience(post)

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Remember for a while that it was told."""
        refusals.note(session, row, outcome, at, last=last)
        return Noted()
