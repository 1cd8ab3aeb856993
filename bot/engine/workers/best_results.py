"""Starred results and the questions to their makers, as posts."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from bot import posts
from bot.engine.context import EngineContext
from bot.engine.workers.outbox import Noted
from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs import best_results
from bot.jobs.models import Job
from bot.posts import LEFT, NOWHERE, NotHere, Outcome, Post, Stands
from bot.servers.notices import NoticeKind


class Starred(NamedTuple):
    """A starred result, and what its server wants of results."""

    job: Job
    rules: PostingRules


class BestResults:
    """Shows starred results once their makers agree, and takes back those that are not to be shown."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def places(self, session: Session, post: Post) -> list[str]:
        """Return the server's channel for the best, once the maker has agreed."""
        place, agreed = best_results.place(session, post.guild_id, int(post.key)) or ("", False)
        return [place] if agreed else []

    def patience(self, post: Post) -> float | None:
        """Return for how long it is tried."""
        return self._context.tuning.best_bound

    async def load(self, post: Post) -> Starred | None:
        """Return what it is made of, or None if it is not to be shown any more."""
        return await self._context.db.read(_starred, post.guild_id, int(post.key))

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted:
        """Tell admins if the channel is gone. Forget what isn't shown, unless its maker may still agree."""
        if isinstance(outcome, NotHere) and post.wanted and post.message_id is None:
            lost = post.place[1:]
            about, told = (post.guild_id, NoticeKind.BEST_LOST, lost), {"channel": int(lost)}
            posts.want(session, *about, at=at, details=told)
        _, agreed = best_results.place(session, post.guild_id, int(post.key)) or ("", True)
        if last and (agreed or outcome is not NOWHERE):
            session.delete(row)
        return Noted()


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
    ) -> Noted:
        """Note who was asked, or can't be. If Discord took no question, the next starred result asks."""
        if isinstance(outcome, Stands) or (isinstance(outcome, NotHere) and outcome != LEFT):
            best_results.asked(session, int(post.key), at)
        if isinstance(outcome, Stands) or last:
            session.delete(row)
        return Noted()


def _starred(session: Session, guild_id: int, message_id: int) -> Starred | None:
    job = best_results.result_of(session, guild_id, message_id)
    return None if job is None else Starred(job, posting.of(session, guild_id))


def _to_ask_about(session: Session, guild_id: int, user_id: int, message_id: int) -> Starred | None:
    best = best_results.get(session, guild_id, message_id)
    if best is None or not best.wanted or best_results.consent(session, user_id) is not None:
        return None
    return _starred(session, guild_id, message_id)
