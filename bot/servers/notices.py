"""Notices: what admins, owners and members are sent without having asked, each once.

Each is a post of its kind: `posts.want` adds it, unless there is one with that key. A member without
an interaction learns the same way why no job started: by direct message or, if those are closed, by a line in
the channel without the reason. Its row stays for an hour, so that the same reason is not sent again.
"""

import hashlib
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, cast, delete, update
from sqlalchemy.orm import Session

from bot import posts
from bot.errors import CreditsWanted
from bot.posts import Outcome, Post, Stands

REFUSAL = "refusal"  # the kind of the posts that say why nothing was started


class NoticeKind(StrEnum):
    """The kinds of notices."""

    BUDGET_80 = "budget_80"
    BUDGET_100 = "budget_100"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"  # of the account, or its spend cap is reached
    UNKNOWN = "unknown"  # a job's outcome is unknown
    STILL_RUNNING = "still_running"  # a job has been running for a day
    RESULT_LOST = "result_lost"  # paid for, and neither the bot nor Studii's address has it
    MADE = "made"  # a result, where these are logged
    PLAN_DOUBTED = "plan_doubted"  # Studii refuses requests well below the plan's limit
    WORDS = "words"  # a word rule refused what a member asked for
    APPROVAL = "approval"  # a request waits for approval
    REVIEW = "review"  # a result waits for approval
    CREDITS_ASKED = "credits_asked"  # a member asks for more credits; it can be posted where they ask
    CREDITS_ANSWER = "credits_answer"  # what became of that
    BLOCKED = "blocked"  # an admin has blocked a member
    ENDED = "ended"  # a job has ended, and how can't be shown elsewhere than in its age-restricted channel
    BEST_LOST = "best_lost"  # the channel for the best results is gone
    LOG_LOST = "log_lost"  # the log channel is gone
    CHANGED = "changed"  # an admin has changed settings


# To the log channel, without which no one gets them.
TO_LOG = frozenset(
    {
        *(NoticeKind.BUDGET_80, NoticeKind.BUDGET_100, NoticeKind.MADE, NoticeKind.WORDS),
        NoticeKind.CHANGED,
    }
)
# To the log channel; without one, to the server's owner by DM, as an admin has to act.
TO_ADMINS = frozenset(
    {
        *(NoticeKind.KEY_REFUSED, NoticeKind.OUT_OF_CREDITS, NoticeKind.UNKNOWN, NoticeKind.STILL_RUNNING),
        *(NoticeKind.RESULT_LOST, NoticeKind.PLAN_DOUBTED, NoticeKind.CREDITS_ASKED, NoticeKind.BEST_LOST),
    }
)
# To the channel for approvals.
TO_APPROVERS = frozenset({NoticeKind.APPROVAL, NoticeKind.REVIEW})
DECIDED_BY = "by"  # in their details, once a moderator has decided
# To the member whose id is `user` in the details, by DM.
TO_MEMBER = frozenset({NoticeKind.CREDITS_ANSWER, NoticeKind.BLOCKED, NoticeKind.ENDED})
# Notices that quote a person: the quotation is erased once they are posted. Their keys begin with the member.
QUOTING = frozenset({NoticeKind.WORDS, NoticeKind.BLOCKED, NoticeKind.CHANGED})


def places(session: Session, post: Post, log_channel: int | None, approval_channel: int | None) -> list[str]:
    """Return where the notice goes, best first: none if no one is to read it."""
    owner = f"o{post.guild_id}"
    asked_in = [f"c{there}"] if (there := post.details.get("asked_in")) else []
    if post.kind == NoticeKind.LOG_LOST:
        return [owner]
    if post.kind in TO_MEMBER:
        return [f"u{post.details.get('user')}", *asked_in]
    if post.kind in TO_APPROVERS:
        return [] if approval_channel is None else [f"c{approval_channel}"]
    log = [f"c{log_channel}"] if log_channel and not post.details.get("in_place") else []
    return [*log, *asked_in, *([owner] if post.kind in TO_ADMINS else [])]


def erase_quotation(session: Session, post: Post) -> None:
    """Erase what the notice quotes of a person, once it was posted or given up."""
    if post.kind in QUOTING:
        session.execute(update(Post).where(Post.id == post.id).values(details={}))


def tell_refusal(
    session: Session,
    guild_id: int,
    user_id: int,
    words: str,
    at: datetime,
    under: tuple[int, int] | None = None,
    wanted: CreditsWanted | None = None,
) -> None:
    """Let the member be told that nothing was started, in these words, unless they were within the hour.

    `under`: the channel and the message that is replied to if their direct messages are closed. `wanted`: the
    credits that an admin can be asked for. Sentences that differ in figures alone are the same reason;
    after an update that rewords one it may be said once more.
    """
    digest = hashlib.sha256(re.sub(r"\d+", "", words).encode()).hexdigest()[:16]
    key = f"{user_id}-{digest}"
    # A time in the future means that the clock was set back. It does not count.
    over = (Post.created_at > at) | (~Post.wanted & (Post.due_at <= at))
    session.execute(delete(Post).filter_by(guild_id=guild_id, kind=REFUSAL, key=key).where(over))
    if posts.waiting(session, guild_id, REFUSAL, at) >= 1000:  # a server that is flooded
        return
    details: dict[str, Any] = {"words": words, "user": user_id}
    if under is not None:
        details |= {"channel": under[0], "message": under[1]}
    if wanted is not None:
        details |= {"tool": wanted.tool, "price": wanted.price, "for": wanted.channel_id}
    posts.want(session, guild_id, REFUSAL, key, at=at, place=f"u{user_id}", details=details)


def wanted_credits(post: Post) -> CreditsWanted | None:
    """Return the credits that an admin can be asked for."""
    told = post.details
    return CreditsWanted(post.guild_id, told["tool"], told["price"], told["for"]) if "tool" in told else None


def note_refusal(session: Session, row: Post, outcome: Outcome, at: datetime, *, last: bool) -> None:
    """Erase what was said, and let the row be forgotten later, with the line in a channel before."""
    if isinstance(outcome, Stands) and row.is_in_channel:
        row.due_at = row.expires_at = at + timedelta(minutes=1)  # the line goes from the channel
    elif isinstance(outcome, Stands) or last:
        forgotten_at = row.created_at + timedelta(hours=1)  # then the same reason may be told again
        row.message_id, row.wanted, row.due_at = None, False, forgotten_at
        if forgotten_at <= at:
            session.delete(row)
    else:
        return
    row.details = {}


def forget_member(session: Session, user_id: int, guild_id: int | None = None) -> None:
    """Erase what notices quote of the member that were not posted yet, in one server or (None) all.

    Forget what they were told, or are to be told; a line in a channel is removed in its time.
    """
    here: Any = True if guild_id is None else Post.guild_id == guild_id
    quoting = Post.kind.in_(QUOTING) & Post.key.startswith(f"{user_id}:") & Post.due_at.is_not(None)
    session.execute(update(Post).where(quoting, here).values(details={}, due_at=None))
    decided = cast(Post.details, Text).endswith(f'"{DECIDED_BY}": {user_id}}}')
    session.execute(update(Post).where(Post.kind.in_(TO_APPROVERS), decided, here).values(details={}))
    told = (Post.kind == REFUSAL) & Post.key.startswith(f"{user_id}-") & Post.message_id.is_(None)
    session.execute(delete(Post).where(told, here))
