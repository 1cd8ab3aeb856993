"""Questions to a person before jobs start: when one is asked, and its row until the jobs start."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import convert
from sqlalchemy import ColumnElement, Index, Integer, String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base, Choice, put
from bot.credits.budgets import Estimate
from bot.errors import Refused, StudiiBotError
from bot.jobs.models import JobRequest, MemberContext
from bot.languages import lazy, nlazy

QUESTION = "question"  # the kind of those under photos, as posts; their keys are the questions' ids
ANSWERED_WITHIN = timedelta(minutes=15)  # as long as Discord lets a command be answered
MAX_OPEN_QUESTIONS = 10  # questions to a member in a server
TAP_SKIPPED = lazy(
    "Too many photos were tapped at the same time, so yours was skipped. Remove "
    "your reaction and tap again in a few minutes. Nothing was charged."
)
AUTO_SKIPPED = lazy(
    "Too many photos were posted at the same time, so nothing ran on yours. "
    "Post it again in a few minutes. Nothing was charged."
)
# Facts about a request that are read again with the answer, or have been used before the question.
_NOT_KEPT = ("context", "shown_price", "agreed", "confirmation", "set_id", "own")


class WhyAsk(StrEnum):
    """A reason to ask a person first."""

    FIRST_TAP = "first_tap"  # the member's first tap in the server starts nothing
    PRICE = "price"  # the price is above what the server asks from
    DEARER = "dearer"  # the price is above the one that the person has seen
    SEEN = "seen"  # moderators see the request, although it is private
    RESULT_SEEN = "result_seen"  # the same, and they see the result too


class Repeated(Refused):
    """This is being done, or has been done."""

    default = lazy("That's already running, or done.")


class ConfirmationNeeded(StudiiBotError):
    """The person has to be asked first, for that reason. Once the question is stored, `question` is it.

    `id` is the question's, which tells it from another one about the same if its commit got no answer. It has
    no sentence of its own: the caller shows the question.
    """

    def __init__(
        self, request: JobRequest, price: Estimate, why: WhyAsk, others: Sequence[JobRequest]
    ) -> None:
        super().__init__()
        self.id = request.confirmation or secrets.token_hex(8)
        self.request, self.others = request, tuple(others)
        self.price, self.why = price, why
        self.question: Confirmation | None = None


class Confirmation(Base):
    """A question to a person whether a job, or all jobs of a set, are to start, at a price in credits.

    `price` is that of all together. There are few at any time: a row goes when its question was answered or
    has expired. With an `origin_message_id`, it is asked by a message under that photo, else by an answer.
    """

    __tablename__ = "confirmations"
    __table_args__ = (Index(None, "guild_id", "user_id"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)  # 16 hex digits
    guild_id: Mapped[int]
    channel_id: Mapped[int]
    user_id: Mapped[int]
    kept: Mapped[dict[str, Any]] = mapped_column("request", repr=False)
    once: Mapped[str | None] = mapped_column(repr=False)
    origin_message_id: Mapped[int | None]
    price: Mapped[int] = mapped_column(Integer)
    learned: Mapped[bool]  # from past charges with the server's key, else assumed
    why: Mapped[WhyAsk] = mapped_column(Choice(WhyAsk, "why"))
    expires_at: Mapped[datetime]

    @property
    def requests(self) -> tuple[JobRequest, ...]:
        """Return what the person is asked about, without the facts that are read again with the answer."""
        return tuple(convert(one, JobRequest) for one in self.kept["requests"])

    @property
    def request(self) -> JobRequest:
        return self.requests[0]

    def confirmed(self, context: MemberContext) -> list[JobRequest]:
        """Return the requests that the person has confirmed, with the facts about them as they are now."""
        return [
            replace(request, context=context, agreed=self.price, confirmation=self.id)
            for request in self.requests
        ]


class Tapper(Base):
    """A member who has started a job by a tap in a server: their taps start at once."""

    __tablename__ = "tappers"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def why_ask(
    request: JobRequest, price: int, *, above: int | None, tapped_before: bool, seen: WhyAsk | None
) -> WhyAsk | None:
    """Return why the person is asked before a job of that price starts, or None if it starts at once.

    `above`: the server asks before jobs that cost more. `tapped_before`: the member has started a job by a
    tap in the server. `seen`: moderators see it, in that way; of a set, its progress tells that.
    """
    if request.agreed is not None:
        return None if price <= request.agreed else WhyAsk.DEARER
    if seen is not None and request.private and request.set_id is None:
        return seen
    if request.tapped is not None and not tapped_before:
        return WhyAsk.FIRST_TAP
    if above is not None and price > above:
        return WhyAsk.PRICE
    if request.shown_price is not None and price > request.shown_price:
        return WhyAsk.DEARER
    return None


def store(session: Session, needed: ConfirmationNeeded, at: datetime) -> Confirmation:
    """Store the question, and return it: its time begins now. It is asked again if it is stored already.

    Raises `Repeated` if there is another one about the same, and `Refused` if the person has too many to
    answer already.
    """
    request, price = needed.request, needed.price
    forget_over(session, at)
    if (there := session.get(Confirmation, needed.id)) is not None:
        there.price, there.learned, there.why = price.amount, price.learned, needed.why
        return there
    same = select(Confirmation.id).where(Confirmation.once == request.once)
    if request.once is not None and session.scalars(same).first() is not None:
        raise Repeated
    theirs = (
        select(func.count(Confirmation.id))
        .where(is_open(at))
        .filter_by(guild_id=request.guild_id, user_id=request.user_id)
    )
    if session.scalars(theirs).one() >= MAX_OPEN_QUESTIONS:
        raise Refused(
            nlazy(
                "You have {count} job here that waits for your confirmation. Answer it, or try again in a "
                "few minutes. Nothing was charged.",
                "You have {count} jobs here that wait for your confirmation. Answer one of them, or try "
                "again in a few minutes. Nothing was charged.",
                MAX_OPEN_QUESTIONS,
            )
        )
    kept = [asdict(one) for one in (request, *needed.others)]
    question = Confirmation(
        needed.id,
        request.guild_id,
        request.channel_id,
        request.user_id,
        {"requests": [{name: one[name] for name in one if name not in _NOT_KEPT} for one in kept]},
        request.once,
        request.origin_message_id,
        price.amount,
        price.learned,
        needed.why,
        at + ANSWERED_WITHIN,
    )
    session.add(question)
    return question


def ask_under_photo(session: Session, needed: ConfirmationNeeded, at: datetime) -> Refused | None:
    """Store the question, and let it be asked by a reply to the photo's message, unless it is already.

    Return why it isn't asked if too many are.
    """
    request = needed.request
    if posts.waiting(session, request.guild_id, QUESTION, at) >= 1000:  # to be posted
        return Refused(AUTO_SKIPPED if request.tapped is None else TAP_SKIPPED)
    try:
        question = store(session, needed, at)
    except Repeated:
        return None
    except Refused as too_many:
        return too_many
    posts.want(
        session,
        request.guild_id,
        QUESTION,
        question.id,
        at=at,
        place=f"c{request.channel_id}",
        expires_at=question.expires_at,
    )
    return None


def asked(session: Session, row: posts.Post, at: datetime) -> None:
    """Let the time of a question that was posted begin."""
    until = at + timedelta(minutes=1)  # a tap is answered at once, or not at all
    session.execute(update(Confirmation).filter_by(id=row.key).values(expires_at=until))
    if row.wanted:
        row.expires_at = row.due_at = until


def is_open(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a question can still be answered."""
    return Confirmation.expires_at > at


def find_open(session: Session, question_id: str, at: datetime) -> Confirmation | None:
    """Return the question, or None if it was answered, has expired, or is unknown."""
    return session.scalar(select(Confirmation).where(Confirmation.id == question_id, is_open(at)))


def take_answer(session: Session, request: JobRequest, at: datetime) -> None:
    """Store that the request's question was answered, if its jobs start by an answer to one.

    About requests that are accepted together, as a set, there is one question: `request` is any of them.
    """
    if request.confirmation is None:
        return
    end(session, request.guild_id, [request.confirmation], at)
    if request.tapped is not None:
        put(session, Tapper, {"guild_id": request.guild_id, "user_id": request.user_id}, replace=False)


def under(session: Session, guild_id: int, message_id: int) -> Sequence[Confirmation]:
    """Return the questions under the photo in that message."""
    return session.scalars(
        select(Confirmation).filter_by(origin_message_id=message_id, guild_id=guild_id)
    ).all()


def end(session: Session, guild_id: int, ids: Collection[str], at: datetime) -> None:
    """Delete questions that were answered, or are asked for nothing, with the messages that ask them."""
    session.execute(delete(Confirmation).where(Confirmation.id.in_(ids)))
    posts.unwant(session, guild_id, QUESTION, ids, at)


def forget_over(session: Session, at: datetime) -> None:
    """Delete questions that have expired; the messages that ask them expire by themselves."""
    session.execute(delete(Confirmation).where(Confirmation.expires_at <= at))
