"""A member asks an admin for more credits; an admin grants them, or declines."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base, Choice, partial_index
from bot.credits import budgets, ledger, limits
from bot.errors import NotAllowed, Refused
from bot.languages import discord_timestamp, lazy
from bot.servers import settings
from bot.servers.notices import NoticeKind

MIN_GRANT_CREDITS = 20
_ROUNDED_TO = 10
REQUEST_LASTS = timedelta(days=1)


class RequestState(StrEnum):
    """The state of a request."""

    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    EXPIRED = "expired"  # no one has answered for a day
    LEFT = "left"  # the member isn't in the server any more


ANSWERED = {
    RequestState.GRANTED: lazy("{admin} has already granted this."),
    RequestState.DECLINED: lazy("{admin} has already declined this."),
    RequestState.EXPIRED: lazy("This request has expired. `/studii grant` still adds credits."),
    RequestState.LEFT: lazy("This member isn't in the server any more. Nothing was granted."),
}


class CreditRequest(Base):
    """A request of a member who was refused a job for lack of credits. A member has one open one in a server.

    `amount` is what is granted if an admin agrees: to the member if `of_member`, whose allowance is short,
    and to the server if `of_server`, whose budget is. The row stays after its answer, so that a later press
    of a button is answered with it.
    """

    __tablename__ = "credit_requests"
    __table_args__ = (
        partial_index("uq_credit_requests_open", "guild_id", "user_id", unique=True, rows="state = 'open'"),
    )

    guild_id: Mapped[int]
    user_id: Mapped[int]
    channel_id: Mapped[int]
    tool: Mapped[str]
    price: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int] = mapped_column(Integer)
    of_member: Mapped[bool]
    of_server: Mapped[bool]
    created_at: Mapped[datetime]
    state: Mapped[RequestState] = mapped_column(Choice(RequestState, "state"), default=RequestState.OPEN)
    answered_by: Mapped[int | None] = mapped_column(default=None)
    id: Mapped[str] = mapped_column(
        String(16), primary_key=True, default_factory=lambda: secrets.token_hex(8)
    )


def amount_for(missing: int) -> int:
    """Return the credits to grant if `missing` are lacking: a round figure, at least 20."""
    return max(MIN_GRANT_CREDITS, -(-missing // _ROUNDED_TO) * _ROUNDED_TO)


def ask(
    session: Session,
    guild_id: int,
    user_id: int,
    roles: Collection[int],
    channel_id: int,
    tool: str,
    price: int,
    at: datetime,
) -> CreditRequest:
    """Ask the server's admins for the credits that the member lacks for a job of that price.

    Raises `Refused` if they don't lack any, or have asked already.
    """
    ledger.lock(session, guild_id)
    member = limits.of_member(session, guild_id, user_id, roles, at)
    of_them = 0 if member.left is None else price - member.left
    of_server = price - member.budget.left
    if max(of_them, of_server) <= 0:
        raise Refused(lazy("You have enough credits for this now. Try again."))
    before = session.scalar(
        select(CreditRequest).filter_by(guild_id=guild_id, user_id=user_id, state=RequestState.OPEN)
    )
    if before is not None and before.created_at > at - REQUEST_LASTS:
        raise Refused(
            lazy(
                # Translators: {when} is shown as "3 hours ago".
                "You already asked {when}. You'll be told when an admin answers.",
                when=discord_timestamp(before.created_at),
            )
        )
    if before is not None:
        before.state = RequestState.EXPIRED
        session.flush()
    amount = amount_for(max(of_them, of_server))
    request = CreditRequest(
        guild_id, user_id, channel_id, tool, price, amount, of_them > 0, of_server > 0, created_at=at
    )
    session.add(request)
    rules = settings.of(session, guild_id)
    in_place = bool(rules.requests_in_place) or rules.log_channel_id is None
    _tell(session, NoticeKind.CREDITS_ASKED, request, at, in_place=in_place)
    return request


def get(session: Session, request_id: str) -> CreditRequest:
    """Return the request. Raises `Refused` if it is unknown."""
    if (request := session.get(CreditRequest, request_id)) is None:
        raise Refused(lazy("There's no such request here. Nothing was granted."))
    return request


def answer(session: Session, request_id: str, state: RequestState, by: int, at: datetime) -> CreditRequest:
    """Answer a request once: grant what was asked for, decline it, or end that of a member who has left.

    Raises `Refused` if it was answered already; one that no one answered for a day has expired.
    """
    ledger.lock(session, get(session, request_id).guild_id)
    request = session.scalars(
        select(CreditRequest).filter_by(id=request_id).execution_options(populate_existing=True)
    ).one()
    if request.state is RequestState.OPEN and request.created_at <= at - REQUEST_LASTS:
        raise NotAllowed(ANSWERED[RequestState.EXPIRED])
    if request.state is not RequestState.OPEN:
        raise NotAllowed(ANSWERED[request.state].using(admin=f"<@{request.answered_by}>"))
    request.state, request.answered_by = state, by
    if state is RequestState.GRANTED:  # for the present period
        period, guild_id = budgets.state(session, request.guild_id, at).period_name, request.guild_id
        if request.of_member:
            ledger.grant(session, guild_id, request.user_id, request.amount, period, at)
        if request.of_server:
            ledger.grant(session, guild_id, None, request.amount, period, at)
        budgets.watch_budget(session, guild_id, at)
    if state is not RequestState.LEFT:
        _tell(session, NoticeKind.CREDITS_ANSWER, request, at)
    return request


def _tell(
    session: Session,
    kind: NoticeKind,
    request: CreditRequest,
    at: datetime,
    *,
    in_place: bool = False,
) -> None:
    """Add the notice. `in_place`: it is posted where the member asked, not in the log channel."""
    posts.want(
        session,
        request.guild_id,
        kind,
        request.id,
        at=at,
        details={
            "user": request.user_id,
            "tool": request.tool,
            "price": request.price,
            "amount": request.amount,
            "state": request.state.value,
            "server": int(request.of_server),
            "member": int(request.of_member),
            "asked_in": request.channel_id,
            "period": settings.of(session, request.guild_id).budget_period.value,
            "in_place": int(in_place),
        },
    )
