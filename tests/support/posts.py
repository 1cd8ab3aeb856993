"""What waits to be posted, and how it is posted without the engine."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts
from bot.engine.workers.notices import Told
from bot.jobs.delivery import ForModerators
from bot.jobs.models import Job
from bot.posts import Outcome, Post, Stands, Turn
from bot.servers import notices
from bot.servers.notices import Addressee, NoticeKind


def open_posts(session: Session, guild_id: int | None = None) -> list[Post]:
    """Return the posts for which there is something to do, oldest first."""
    found = select(Post).where(Post.due_at.is_not(None)).order_by(Post.id)
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
    is_member = NoticeKind(post.kind).addressee is Addressee.MEMBER
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
