"""Reasons why nothing was started, told to members who have no interaction: each once in a while.

They are posts: by direct message or, if those are closed, as a line in the channel without the reason. Their
rows stay for an hour, so that the same is not told again.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot import posts
from bot.errors import CreditsWanted
from bot.posts import Outcome, Post, Stands

REFUSAL = "refusal"  # the kind of these posts
BETWEEN = timedelta(hours=1)  # the same reason is told a member again
LINE_STANDS = timedelta(minutes=1)  # in a channel
MAX_WAITING = 1000  # of a server
_DIGEST = 16  # hex digits


def tell(
    session: Session,
    guild_id: int,
    user_id: int,
    reason: str,
    words: str,
    at: datetime,
    under: tuple[int, int] | None = None,
    wanted: CreditsWanted | None = None,
) -> None:
    """Let the member be told that nothing was started, in these words, unless they were within the hour.

    `under`: the channel and the message that is replied to if their direct messages are closed. `wanted`: the
    credits that an admin can be asked for. `reason` are the words in English: sentences that differ in
    figures alone are the same reason, and after an update that rewords one it may be said once more.
    """
    digest = hashlib.sha256(re.sub(r"\d+", "", reason).encode()).hexdigest()[:_DIGEST]
    key = f"{user_id}-{digest}"
    # A time in the future means that the clock was set back. It does not count.
    over = (Post.created_at > at) | (~Post.wanted & (Post.due_at <= at))
    session.execute(delete(Post).filter_by(guild_id=guild_id, kind=REFUSAL, key=key).where(over))
    if posts.waiting(session, guild_id, REFUSAL, at) >= MAX_WAITING:
        return
    details: dict[str, Any] = {"words": words, "user": user_id}
    if under is not None:
        details |= {"channel": under[0], "message": under[1]}
    if wanted is not None:
        details |= {"tool": wanted.tool, "price": wanted.price, "for": wanted.channel_id}
    posts.want(session, guild_id, REFUSAL, key, at=at, place=f"u{user_id}", details=details)


def places(post: Post) -> list[str]:
    """Return the member's direct messages, then the channel."""
    channel = [f"c{post.details['channel']}"] if "channel" in post.details else []
    return [f"u{post.key.partition('-')[0]}", *channel]


def wanted_credits(post: Post) -> CreditsWanted | None:
    """Return the credits that an admin can be asked for."""
    told = post.details
    return CreditsWanted(post.guild_id, told["tool"], told["price"], told["for"]) if "tool" in told else None


def note(session: Session, row: Post, outcome: Outcome, at: datetime, *, last: bool) -> None:
    """Erase what was said, and let the row be forgotten later, with the line in a channel before."""
    if isinstance(outcome, Stands) and row.is_in_channel:
        row.due_at = row.expires_at = at + LINE_STANDS
    elif isinstance(outcome, Stands) or last:
        forgotten_at = row.created_at + BETWEEN
        row.message_id, row.wanted, row.due_at = None, False, forgotten_at
        if forgotten_at <= at:
            session.delete(row)
    else:
        return
    row.details = {}


def forget_member(session: Session, user_id: int, guild_id: int | None) -> None:
    """Forget what the member was told, or is to be told; a line in a channel is removed in its time."""
    theirs = delete(Post).where(
        Post.kind == REFUSAL, Post.key.startswith(f"{user_id}-"), Post.message_id.is_(None)
    )
    session.execute(theirs if guild_id is None else theirs.where(Post.guild_id == guild_id))
