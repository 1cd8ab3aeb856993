"""Messages that should stand in channels and direct messages: a row for each.

`want`, `change` and `unwant` are called in the transaction that makes a message needed, outdated or needless.
The engine sends, edits or deletes what is due, and notes it with `note`. A row stays after its message was
sent, so that it is not sent again.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    String,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.backoff import backoff
from bot.base import NUMBER, Base, ours, partial_index, put, readable, wake
from bot.clock import PUT_BACK

_log = logging.getLogger(__name__)

OFFER = "offer"  # the kind of an answer to a mention that offers tools
RESULT = "result"  # the kind of what says how jobs ended (see `bot.jobs.results`)
BEST, MONTH = "best", "month"  # the kinds of a starred result, and of a month's (see `bot.jobs.best_results`)
SENT_SINCE = "since"  # in the details: from when on (seconds) a life that was forgotten may have sent it
_MARKS, _MARK_BITS = 1 << 29, 28  # the numbers of messages' first components
FIRST_RETRY = 1.0  # seconds
# https://discord.com/developers/docs/components/reference#media-gallery
MAX_FILES_IN_MESSAGE = 10
Details = Mapping[str, str | int | None]


class Post(Base):
    """A message that should stand in one place, or not any more. A server has one of each `kind` and `key`.

    `details` are the arguments of its text, as they were when it was wanted.

    `place` is where it stands or is to stand: `c123` a channel, `t123` the thread under that message of the
    job's channel, `i456` the answer that only that person sees, `u456` a person's direct messages, `o1` those
    of a server's owner, and `s1` a place in that server that is not chosen yet. `refused` are places that
    don't take it. `shown_version` is what the message shows, or what the first try since `begun_at` was to
    show; since then it may have been sent or removed without our knowing.
    """

    __tablename__ = "posts"
    # Numbers are never used again: Discord would take a new message for an old one with the same nonce.
    __table_args__ = (
        UniqueConstraint("guild_id", "kind", "key"),
        partial_index("ix_posts_due_at", "due_at", "place", rows="due_at IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False)
    guild_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]  # when it was wanted, changed or unwanted
    place: Mapped[str] = mapped_column(String(24))
    due_at: Mapped[datetime | None] = mapped_column(default=None)  # None: nothing is to be done
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict[str, Any], repr=False)
    refused: Mapped[list[str]] = mapped_column(JSON, default_factory=list[str])
    job_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("jobs.id"), default=None)
    wanted: Mapped[bool] = mapped_column(default=True)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)  # then it is not wanted any more
    version: Mapped[int] = mapped_column(default=1)
    shown_version: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[int | None] = mapped_column(default=None)
    begun_at: Mapped[datetime | None] = mapped_column(default=None)
    number: Mapped[int] = mapped_column(default=0)  # of its message, as one can be wanted again
    tries: Mapped[int] = mapped_column(default=0)

    @property
    def nonce(self) -> str:
        """Return what makes Discord take the message once, at most 25 characters."""
        # A result is the same message after a backup was restored, too.
        return self.key if self.kind == RESULT else f"post-{self.id}-{self.number}"

    @property
    def is_placed(self) -> bool:
        """Return whether its place is chosen."""
        return not self.place.startswith("s")

    @property
    def is_in_channel(self) -> bool:
        """Return whether its place is one that several people see."""
        return self.place[0] in "ct"

    @property
    def mark(self) -> int:
        """Return the number of the message's first component, by which it is found."""
        digest = hashlib.sha256(self.nonce.encode()).digest()
        return _MARKS + int.from_bytes(digest[:4], "big") % (1 << _MARK_BITS)


@dataclass(frozen=True, slots=True)
class Turn:
    """A post as it was claimed, and since when an earlier try may have sent or removed it.

    `moved`: it is to stand elsewhere now, unless that try has sent it.
    """

    post: Post
    begun_before: datetime | None
    moved: bool = False

    @property
    def removes(self) -> bool:
        """Return whether it is removed. A removal that was begun is ended before it is sent anew."""
        return not self.post.wanted or (self.post.message_id is not None and self.begun_before is not None)


@dataclass(frozen=True, slots=True)
class Stands:
    """The message is there."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The message is not there any more: it was removed, or someone has deleted it."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is to be tried again after so many seconds. `unsent`: Discord has certainly not done it."""

    seconds: float = 0.0
    unsent: bool = False


@dataclass(frozen=True, slots=True)
class TooMuch(Later):
    """Discord doesn't take so much in one message. The kind leaves some of it to another one."""


@dataclass(frozen=True, slots=True)
class NotHere:
    """The place is gone, or closed to the bot: another one is tried. `why` is for the log.

    `closed`: it may be opened again, so what stands there is tried again.
    """

    why: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing is done any more: it can't be posted, or there is nothing to be said. `why` is for the log."""

    why: str = ""


NOWHERE = Never("there is no place for it")
TOO_LONG = Never("it was tried for too long")
LEFT = NotHere("the bot was removed from the server")
Outcome = Stands | Gone | Later | NotHere | Never


@dataclass(eq=False)
class Refuse(Exception):
    """The message is not sent there, with the outcome."""

    outcome: Outcome


Places = Callable[[Session, Post], list[str]]  # that a post is to stand in, best first


def want(
    session: Session,
    guild_id: int,
    kind: str,
    key: str,
    *,
    at: datetime,
    due_at: datetime | None = None,
    job_id: str | None = None,
    details: Details | None = None,
    place: str = "",
    expires_at: datetime | None = None,
    message_id: int | None = None,
    again: bool = False,
) -> bool:
    """Let a message stand. Return False if there is a row with that kind and key (at most 64 characters).

    It is due at once without `due_at`, and without `place` tried after what waits for a place in the same
    server. `message_id`: it was sent already. `again`: what is there and was not wanted any more is wanted
    again.
    """
    if added := put(
        session,
        Post,
        {"guild_id": guild_id, "kind": kind, "key": key},
        replace=False,
        created_at=at,
        changed_at=at,
        due_at=due_at or at,
        place=place or f"s{guild_id}",
        details=dict(details or {}),
        job_id=job_id,
        expires_at=expires_at,
        message_id=message_id,
        refused=[],
        wanted=True,
        version=1,
        shown_version=0,
        number=0,
        tries=0,
    ):
        wake(session, ("posts",))
    elif again and (post := get(session, guild_id, kind, key)) is not None and not post.wanted:
        post.wanted, post.changed_at = True, at
        _due(session, post, at)
    return added


def hasten(session: Session, guild_id: int, kind: str, key: str, due_at: datetime) -> None:
    """Let a message that waits for its time be due then, if that is sooner."""
    waiting = update(Post).filter_by(guild_id=guild_id, kind=kind, key=key, tries=0, message_id=None)
    session.execute(waiting.where(Post.due_at > due_at).values(due_at=due_at))
    wake(session, ("posts",))


def change(session: Session, guild_id: int, kind: str, key: str, at: datetime) -> None:
    """Let the message show what is so now. One that is tried again later is looked at then."""
    post = get(session, guild_id, kind, key)
    if post is not None and (post.message_id is not None or post.due_at is not None):
        post.version, post.changed_at = post.version + 1, at
        _due(session, post, at)


def unwant(session: Session, guild_id: int, kind: str, keys: Collection[str], at: datetime) -> None:
    """Let these messages not stand any more."""
    theirs = select(Post).where(Post.guild_id == guild_id, Post.kind == kind, Post.key.in_(keys), Post.wanted)
    for post in session.scalars(theirs):
        post.wanted, post.changed_at = False, at
        _due(session, post, at)


def get(session: Session, guild_id: int, kind: str, key: str) -> Post | None:
    """Return the post of that kind and key, whether it was sent or not."""
    return session.scalar(select(Post).filter_by(guild_id=guild_id, kind=kind, key=key))


def known(session: Session, guild_id: int, kind: str, *keys: str) -> bool:
    """Return whether there is a post with one of these keys, whether it was sent or not."""
    one = select(Post.id).where(Post.guild_id == guild_id, Post.kind == kind, Post.key.in_(keys))
    return session.scalar(one.limit(1)) is not None


def waiting(session: Session, guild_id: int, kind: str, at: datetime) -> int:
    """Return how many posts of that kind are due in the server."""
    return session.scalars(
        select(func.count(Post.id)).filter_by(guild_id=guild_id, kind=kind).where(Post.due_at <= at)
    ).one()


def waiting_until(session: Session, guild_id: int, kind: str, after: datetime) -> Sequence[Post]:
    """Return the server's posts of that kind that are not tried before some time after that."""
    later = select(Post).filter_by(guild_id=guild_id, kind=kind, tries=0, message_id=None)
    return session.scalars(later.where(Post.due_at > after)).all()


def forget(session: Session, guild_id: int, kind: str) -> None:
    """Delete the server's posts of that kind, so that they can be wanted again; messages stay."""
    session.execute(delete(Post).filter_by(guild_id=guild_id, kind=kind))


def next_due(session: Session, now: datetime) -> datetime | None:
    """Return when the next post is due."""
    due_at = case((_is_stale(now), literal(now, Post.__table__.c.due_at.type)), else_=Post.due_at)
    due = select(func.min(due_at)).where(Post.due_at.is_not(None))
    return session.scalar(ours(session, due, Post.__table__.c.guild_id))


def _is_stale(now: datetime) -> ColumnElement[bool]:
    """Return whether a post waits for a time of before the wall clock was put back."""
    soon = now + PUT_BACK
    return (Post.due_at > soon) & ((Post.tries > 0) | (Post.changed_at > soon))


def claim(
    session: Session,
    places: Places,
    bound: float,
    now: datetime,
    room: int,
    busy: Collection[str],
) -> tuple[list[Turn], datetime | None]:
    """Begin what is due: commit the try, and what it is to show, before anything is sent.

    One post a place, the oldest, and none in places that are `busy`; at most `room`. One that can't be read
    is left alone for a while, as others wait behind it. The pause after a try doubles, up to `bound` seconds.
    Return also when the next post is due.
    """
    due = (Post.due_at <= now) | _is_stale(now)
    first = select(func.min(Post.id)).where(due, Post.place.not_in(busy)).group_by(Post.place)
    found = select(Post).where(Post.id.in_(ours(session, first, Post.__table__.c.guild_id)))
    found = found.order_by(Post.kind != RESULT, Post.id).limit(room)  # what was paid for comes first
    taken = set(busy)

    def leave_alone(number: int, error: Exception) -> None:
        _log.error("The post %d can't be read: %r", number, error)
        session.execute(update(Post).filter_by(id=number).values(due_at=now + timedelta(hours=1)))

    begun = [
        begin(session, post, places, bound, now, taken)
        for post in readable(session, found, Post.id, leave_alone)
    ]
    session.flush()
    return [turn for turn in begun if turn is not None], next_due(session, now)


# A post that is to be tried again holds up those behind it, for three tries.
_HELD = select(func.max(Post.due_at)).where(
    Post.place == bindparam("place"), Post.due_at > bindparam("now"), Post.tries.between(1, 3)
)


def begin(
    session: Session,
    post: Post,
    places: Places,
    bound: float,
    now: datetime,
    taken: set[str],
) -> Turn | None:
    """Begin a post that is due, unless its place is taken. Its place is then."""
    post.changed_at = min(post.changed_at, now)  # the wall clock was put back: once is enough
    if post.expires_at is not None and post.expires_at <= now and post.wanted:
        post.wanted, post.changed_at = False, now
    begun_before, begins, moved = post.begun_at, post.begun_at is None, False
    if post.wanted and post.message_id is None:
        left = [one for one in places(session, post) if one not in post.refused]
        moved = not begins and post.is_placed and post.place not in left  # it may stand there already
        if not moved and post.place not in left:
            post.place = left[0] if left else f"s{post.guild_id}"
        begins = begins and bool(left)
    if post.place in taken:
        return None  # it comes next there
    if post.tries == 0 and (held_until := session.scalar(_HELD, {"place": post.place, "now": now})):
        post.due_at = held_until
        return None
    taken.add(post.place)
    post.tries += 1
    post.due_at = now + timedelta(seconds=backoff(post.tries, FIRST_RETRY, bound))
    if begins and post.wanted == (post.message_id is None):
        post.begun_at, post.shown_version = now, post.version
    return Turn(post, begun_before, moved)


def note(session: Session, turn: Turn, outcome: Outcome, now: datetime) -> Post | None:
    """Write what came of a turn. Return the post, or None if it was forgotten meanwhile.

    What was changed or unwanted meanwhile is due again at once.
    """
    post = session.get(Post, turn.post.id)
    if post is None:
        return None
    if isinstance(outcome, Later):
        again = now if isinstance(outcome, TooMuch) else (post.due_at or now)
        post.due_at = max(again, now + timedelta(seconds=outcome.seconds))
        if outcome.unsent:
            post.begun_at = turn.begun_before
        return post
    post.tries, post.begun_at, post.due_at = 0, None, None
    match outcome:
        case Stands(message_id):
            edited = turn.post.message_id is not None
            post.message_id = message_id
            post.shown_version = turn.post.version if edited else post.shown_version
            outdated = not post.wanted or post.shown_version != post.version
            post.due_at = now if outdated else post.expires_at
        case Gone():
            post.message_id = None
            if turn.removes:  # it may have been wanted again meanwhile
                post.number += 1
                post.due_at = now if post.wanted else None
            elif turn.moved:
                post.due_at = now
            else:
                post.wanted = False
        case NotHere() if turn.post.wanted and post.message_id is None:
            post.refused = [*post.refused, post.place]
            post.due_at = now
        case _:  # what stands stays as it is
            post.shown_version = turn.post.version
            post.due_at = now if post.version != turn.post.version else None
    return post


def _due(session: Session, post: Post, at: datetime) -> None:
    if post.due_at is None or post.tries == 0:
        post.due_at = at
    wake(session, ("posts",))
