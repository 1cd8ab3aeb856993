"""The limits of members: allowances, grants, jobs at once, start rates; the check of a price."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Integer, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, Choice, put
from bot.credits import budgets, ledger
from bot.credits.budgets import BudgetState, Estimate
from bot.errors import CreditsShort, Refused
from bot.jobs.models import ACTIVE_STATES, jobs
from bot.languages import Message, discord_timestamp, lazy, nlazy, paragraph
from bot.servers import settings
from bot.servers.settings import GuildSettings, Period

MAX_AT_ONCE = 100
MAX_SECONDS = 7 * 86_400
CHANGE_ALLOWANCE = lazy("An admin can change this with `/studii credits`.")
# No job of the price is possible with the budget, or with the allowance.
BUDGET_BELOW_PRICE: Mapping[Period, Message] = {
    Period.DAY: lazy("The daily budget of {limit} is below the price."),
    Period.WEEK: lazy("The weekly budget of {limit} is below the price."),
    Period.MONTH: lazy("The monthly budget of {limit} is below the price."),
    Period.TOTAL: lazy("The one-off budget of {limit} is below the price."),
}
ALLOWANCE_BELOW_PRICE: Mapping[Period, Message] = {
    Period.DAY: lazy("The daily allowance of {limit} is below the price."),
    Period.WEEK: lazy("The weekly allowance of {limit} is below the price."),
    Period.MONTH: lazy("The monthly allowance of {limit} is below the price."),
    Period.TOTAL: lazy("The one-off allowance of {limit} is below the price."),
}
# Seconds of a day, an hour, a minute, a second, and how a rate is said in each.
_RATES: tuple[tuple[int, Callable[[int, Message], Message]], ...] = (
    (86_400, lambda n, jobs: nlazy("{jobs} in {count} day", "{jobs} in {count} days", n, jobs=jobs)),
    (3600, lambda n, jobs: nlazy("{jobs} in {count} hour", "{jobs} in {count} hours", n, jobs=jobs)),
    (60, lambda n, jobs: nlazy("{jobs} in {count} minute", "{jobs} in {count} minutes", n, jobs=jobs)),
    (1, lambda n, jobs: nlazy("{jobs} in {count} second", "{jobs} in {count} seconds", n, jobs=jobs)),
)


class LimitReached(Refused):
    """A member may start no more jobs now, at any price."""


class AllowanceScope(StrEnum):
    """The people that an allowance is for."""

    MEMBERS = "members"  # everyone without another one
    ROLE = "role"
    MEMBER = "member"


class Allowance(Base):
    """Credits per period of the server's budget, of a role, a member or (`subject_id` 0) everyone."""

    __tablename__ = "allowances"

    guild_id: Mapped[int] = mapped_column(primary_key=True)
    whose: Mapped[AllowanceScope] = mapped_column(Choice(AllowanceScope), primary_key=True)
    subject_id: Mapped[int] = mapped_column(primary_key=True)
    credits: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class StartRate:
    """A member may start at most `starts` jobs within `seconds`."""

    starts: int
    seconds: int

    @property
    def words(self) -> Message:
        """Return `5 jobs in 10 minutes` or `1 job in 2 days`."""
        unit, say = next(one for one in _RATES if self.seconds % one[0] == 0)
        return say(self.seconds // unit, nlazy("{count} job", "{count} jobs", self.starts))

    def next_start(self, starts: Sequence[datetime], now: datetime) -> datetime | None:
        """Return when the member may start again, None for now. Those of `starts` count, oldest first."""
        full = len(starts) >= self.starts
        return starts[-self.starts] + timedelta(seconds=self.seconds) if full else None


@dataclass(frozen=True, slots=True)
class MemberLimits:
    """The limits of a server's members. None means no limit.

    Allowances are in credits per period of the server's budget: `default` for everyone, `roles` by role id,
    `own` by member id. `at_once` is the number of unfinished jobs.
    """

    default: int | None = None
    roles: Mapping[int, int] = field(default_factory=dict[int, int])
    own: Mapping[int, int] = field(default_factory=dict[int, int])
    at_once: int | None = None
    rate: StartRate | None = None


def of_servers(session: Session, servers: Collection[GuildSettings]) -> dict[int, MemberLimits]:
    """Return the limits of the members of the servers with these settings."""
    scopes: dict[int, dict[AllowanceScope, dict[int, int]]] = {
        server.guild_id: {scope: {} for scope in AllowanceScope} for server in servers
    }
    for one in session.scalars(select(Allowance).where(Allowance.guild_id.in_(scopes))):
        scopes[one.guild_id][one.whose][one.subject_id] = one.credits
    return {
        one.guild_id: MemberLimits(
            scopes[one.guild_id][AllowanceScope.MEMBERS].get(0),
            scopes[one.guild_id][AllowanceScope.ROLE],
            scopes[one.guild_id][AllowanceScope.MEMBER],
            one.jobs_at_once,
            StartRate(one.starts, one.starts_seconds) if one.starts and one.starts_seconds else None,
        )
        for one in servers
    }


def of_server(session: Session, guild_id: int) -> MemberLimits:
    """Return the limits of the server's members."""
    return of_servers(session, [settings.of(session, guild_id)])[guild_id]


@dataclass(frozen=True, slots=True)
class MembersAllowance:
    """Credits per period of the server's budget, and the setting that they come from."""

    credits: int
    whose: AllowanceScope
    role_id: int | None = None


def allowance(limits: MemberLimits, user_id: int, roles: Collection[int]) -> MembersAllowance | None:
    """Return the member's own allowance, else the highest of their roles, else everyone's.

    None means that only the server's budget applies.
    """
    if user_id in limits.own:
        return MembersAllowance(limits.own[user_id], AllowanceScope.MEMBER)
    of_roles = [role for role in roles if role in limits.roles]
    if of_roles:
        highest = max(of_roles, key=lambda role: (limits.roles[role], role))
        return MembersAllowance(limits.roles[highest], AllowanceScope.ROLE, highest)
    return None if limits.default is None else MembersAllowance(limits.default, AllowanceScope.MEMBERS)


@dataclass(frozen=True, slots=True)
class MemberUse:
    """A member's use of their limits in the budget's period.

    `going` is the number of their unfinished jobs; `starts` are those that count for the rate, oldest first.
    """

    usage: ledger.Usage = field(default_factory=ledger.Usage)
    grants: int = 0
    going: int = 0
    starts: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class MemberState:
    """A member's limits in a server. Without an allowance only the server's budget limits them."""

    budget: BudgetState
    limits: MemberLimits
    use: MemberUse
    allowance: MembersAllowance | None
    next_start: datetime | None  # None if that is now

    @property
    def whole(self) -> int | None:
        """Return the credits that the member may spend in the period: the allowance and the grants."""
        return None if self.allowance is None else self.allowance.credits + self.use.grants

    @property
    def left(self) -> int | None:
        """Return the credits left, which may be negative after an allowance was lowered."""
        return None if self.whole is None else self.whole - self.use.usage.spent

    @property
    def left_words(self) -> Message | str:
        """Return `3 of 20 credits left today`, or nothing without an allowance."""
        if self.whole is None or self.left is None:
            return ""
        return budgets.rest_message(self.left, self.whole, self.budget.settings.budget_period)


def state_of_member(
    budget: BudgetState,
    limits: MemberLimits,
    user_id: int,
    roles: Collection[int],
    use: MemberUse,
    now: datetime,
) -> MemberState:
    """Return what a member may do after what they have used."""
    next_start = None if limits.rate is None else limits.rate.next_start(use.starts, now)
    return MemberState(budget, limits, use, allowance(limits, user_id, roles), next_start)


def use_of_members(
    session: Session,
    servers: Sequence[tuple[GuildSettings, MemberLimits, Sequence[int]]],
    at: datetime,
) -> dict[int, tuple[BudgetState, dict[int, MemberUse]]]:
    """Return the state of each server's budget, and what each of these members has used of their limits."""
    members = sorted({user_id for _, _, some in servers for user_id in some})
    books = budgets.read(session, [server for server, _, _ in servers], at, members)
    found: dict[int, tuple[BudgetState, dict[int, MemberUse]]] = {}
    for server, limits, some in servers:
        budget, used, granted = books[server.guild_id]
        theirs = (jobs.c.guild_id == server.guild_id) & jobs.c.user_id.in_(some)
        going = select(jobs.c.user_id, func.count()).where(theirs, jobs.c.state.in_(ACTIVE_STATES))
        unfinished = dict(session.execute(going.group_by(jobs.c.user_id)).all())
        starts: dict[int, list[datetime]] = {}
        if (rate := limits.rate) is not None:
            # None in the future counts, although the clock may have jumped.
            counted = (jobs.c.created_at > at - timedelta(seconds=rate.seconds)) & (jobs.c.created_at <= at)
            started = select(jobs.c.user_id, jobs.c.created_at).where(theirs, counted)
            for user_id, created_at in session.execute(started.order_by(jobs.c.created_at)):
                starts.setdefault(user_id, []).append(created_at)
        uses = {
            one: MemberUse(
                used.get(one, ledger.Usage()),
                granted.get(one, 0),
                unfinished.get(one, 0),
                starts.get(one, ()),
            )
            for one in some
        }
        found[server.guild_id] = budget, uses
    return found


def of_member(
    session: Session, guild_id: int, user_id: int, roles: Collection[int], at: datetime
) -> MemberState:
    """Return what the member may do now."""
    server, limits = settings.of(session, guild_id), of_server(session, guild_id)
    budget, used = use_of_members(session, [(server, limits, [user_id])], at)[guild_id]
    return state_of_member(budget, limits, user_id, roles, used[user_id], at)


def set_allowance(
    session: Session, guild_id: int, whose: AllowanceScope, subject_id: int, credits_: int | None
) -> None:
    """Set or remove (None) the allowance of a role, a member or (`subject_id` 0) everyone."""
    key = {"guild_id": guild_id, "whose": whose, "subject_id": subject_id}
    if credits_ is None:
        session.execute(delete(Allowance).filter_by(**key))
    else:
        put(session, Allowance, key, credits=credits_)


def grants(session: Session, guild_id: int, at: datetime) -> tuple[BudgetState, dict[int, int]]:
    """Return the budget of the present period, and what was granted to members for it."""
    budget, _, granted = budgets.read(session, [settings.of(session, guild_id)], at)[guild_id]
    return budget, {user: amount for user, amount in granted.items() if user and amount}


def grant(session: Session, guild_id: int, user_id: int | None, credits_: int, at: datetime) -> None:
    """Add credits to the present period of the server (`user_id` None) or a member; negative takes back.

    A member's grant is within the server's budget and does not raise it. Raises `Refused`.
    """
    if credits_ == 0:
        raise Refused(
            lazy(
                "Enter how many credits to add. A negative number takes credits back. Leave `credits` "
                "out to see the grants. Nothing was changed."
            )
        )
    ledger.lock(session, guild_id)
    budget, members = grants(session, guild_id, at)
    given = budget.grants if user_id is None else members.get(user_id, 0)
    if given + credits_ < 0:
        raise Refused(
            nlazy(
                # Translators: {period} is such as "for today".
                "{count} credit granted {period} is the most you can take back. Nothing was changed.",
                "{count} credits granted {period} is the most you can take back. Nothing was changed.",
                given,
                period=budget.for_words,
            )
            if given
            else lazy(
                # Translators: {period} is such as "for today".
                "No credits were granted {period}, so you can't take any back. Nothing was changed.",
                period=budget.for_words,
            )
        )
    ledger.grant(session, guild_id, user_id, credits_, budget.period_name, at)
    budgets.watch_budget(session, guild_id, at)


def ensure_within(state: MemberState, price: Estimate, number: int = 1) -> None:
    """Raise `Refused` if `number` jobs, which cost the price together, exceed the server's budget or a limit.

    It says the limit, what is left, the cost, when it renews, and who can change it.
    """
    budget, limits, use = state.budget, state.limits, state.use
    if budget.left < price.amount:
        said = lazy(
            # Translators: {left} is such as "3 of 100 credits left today".
            "Not enough credits: this costs {price}, and the server has {left}.",
            price=budgets.short_price(price),
            left=budget.left_words,
        )
        again = _when_again(
            budget, price, budget.settings.budget_limit, budget.left, budget.usage, BUDGET_BELOW_PRICE
        )
        raise CreditsShort(
            paragraph(said, again, lazy("An admin can change the budget with `/studii budget`."))
        )
    if state.allowance is not None and state.left is not None and state.left < price.amount:
        said = lazy(
            # Translators: {left} is such as "3 of 100 credits left today".
            "Not enough credits: this costs {price}, and your allowance has {left}.",
            price=budgets.short_price(price),
            left=state.left_words,
        )
        again = _when_again(
            budget, price, state.allowance.credits, state.left, use.usage, ALLOWANCE_BELOW_PRICE
        )
        raise CreditsShort(paragraph(said, again, CHANGE_ALLOWANCE))
    if limits.at_once is not None and use.going + number > limits.at_once:
        reached = nlazy(
            "You can run {count} job at the same time here, and have {running} running already.",
            "You can run {count} jobs at the same time here, and have {running} running already.",
            limits.at_once,
            running=use.going,
        )
        if not use.going:
            reached = nlazy(
                "You can run {count} job at the same time here.",
                "You can run {count} jobs at the same time here.",
                limits.at_once,
            )
        elif use.going >= limits.at_once:
            running = nlazy(
                "You already have {count} job running, the limit here.",
                "You already have {count} jobs running, the limit here.",
                use.going,
            )
            reached = paragraph(running, lazy("Try again when one finishes."))
        raise LimitReached(paragraph(reached, CHANGE_ALLOWANCE))
    if limits.rate is not None and state.next_start is not None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        reached = lazy("You've reached the limit of {rate} here.", rate=limits.rate.words)
        # Translators: {when} is shown as "in 3 hours".
        again = lazy("You can start the next one {when}.", when=discord_timestamp(state.next_start))
        raise LimitReached(paragraph(reached, again, CHANGE_ALLOWANCE))
    if limits.rate is not None and len(use.starts) + number > limits.rate.starts:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        reached = lazy("The limit here is {rate}.", rate=limits.rate.words)
        raise LimitReached(paragraph(reached, CHANGE_ALLOWANCE))


def _when_again(
    budget: BudgetState,
    price: Estimate,
    limit: int,
    left: int,
    usage: ledger.Usage,
    below: Mapping[Period, Message],
) -> Message:
    """Return when there will be room for the price in the `limit` for the budget's period, of which so much
    is left."""
    if budget.window.end is not None and price.amount <= limit:
        return budget.renewal_words
    if price.amount <= left + usage.reserved:  # if all running jobs were free
        return lazy("Credits may free up when running jobs finish.")
    if price.amount <= limit:
        return lazy("It's a one-off total and doesn't renew.")
    return below[budget.settings.budget_period].using(limit=budgets.credits_message(limit))
