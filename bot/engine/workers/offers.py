"""Posts that need no message to be made: offers that are removed when nobody takes them, and hourglasses."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.engine.context import EngineContext
from bot.engine.workers.outbox import Noted
from bot.posts import Outcome, Post


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

    async def load(self, post: Post) -> bool | None:
        """Return nothing: it was sent as the answer to a mention, and isn't changed."""

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Forget it: it is gone, as one that was taken, or it stays."""
        session.delete(row)
        return Noted()


class Hourglasses(Offers):
    """Stands on photos' messages while jobs of them go on."""

    async def load(self, post: Post) -> bool:
        """Return that there is something to be shown."""
        return True

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Forget it once it is gone."""
        if last:
            session.delete(row)
        return Noted()
