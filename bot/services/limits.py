"""Limits of members, set by admins and checked in the transaction that reserves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict, Unpack

from bot.clock import Clock
from bot.domain import GuildSettings, Usage
from bot.domain.limits import (
    Allowance,
    AllowanceScope,
    MemberLimits,
    StartRate,
    allowance,
    counted_since,
    next_start,
)
from bot.domain.prices import Estimate
from bot.errors import CreditsShort, Refused
from bot.languages import Message, lazy, nlazy, paragraph
from bot.lifecycle.budget_alerts import watch_budget
from bot.services.budgets import (
    MAX_BUDGET,
    BudgetState,
    budget_period,
    budget_state,
    ensure_room,
    short_price_message,
    state_of_budget,
    when_again,
)
from bot.services.limit_words import (
    allowance_below_price,
    rate_message,
    too_many_at_once,
    too_much_taken_back,
)
from bot.services.wording import credits_message, discord_timestamp, rest_message
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage, Transaction

MAX_AT_ONCE = 100
MAX_SECONDS = 7 * 86_400
CHANGE_ALLOWANCE = lazy("An admin can change this with `/studii allowance`.")


class LimitReached(Refused):
    """A member may start no more jobs now, whatever they cost."""


@dataclass(frozen=True, slots=True)
class MemberUse:
    """What a member has used of their limits in the budget's period.

    `going` is the number of their unfinished jobs; `starts` are those that count for the rate, oldest first.
    """

    usage: Usage = field(default_factory=Usage)
    grants: int = 0
    going: int = 0
    starts: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class MemberState:
    """What a member may do in a server. Without an allowance only the server's budget limits them."""

    budget: BudgetState
    allowance: Allowance | None
    usage: Usage
    grants: int
    going: int  # jobs
    at_once: int | None
    rate: StartRate | None
    next_start: datetime | None  # None: now

    @property
    def whole(self) -> int | None:
        """The credits that the member may spend in the period: the allowance and the grants."""
        return None if self.allowance is None else self.allowance.credits + self.grants

    @property
    def left(self) -> int | None:
        """May be negative after an allowance was lowered."""
        return None if self.whole is None else self.whole - self.usage.spent

    @property
    def left_words(self) -> str:
        """`3 of 20 credits left today`; empty without an allowance."""
        if self.whole is None or self.left is None:
            return ""
        return str(rest_message(self.left, self.whole, self.budget.settings.budget.period))


@dataclass(frozen=True, slots=True)
class GrantState:
    """The grants of the server's present period, to the server and to members."""

    budget: BudgetState
    members: dict[int, int]


class LimitChanges(TypedDict, total=False):
    """What is to be set; None: no such limit.

    `allowance`: whose it is, the member or role (0: everyone), and the credits in each period.
    """

    allowance: tuple[AllowanceScope, int, int | None]
    at_once: int | None
    rate: StartRate | None


class LimitService:
    """Allowances, grants, and how many jobs a member may have and start."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def limits(self, guild_id: int) -> MemberLimits:
        """Return the limits of the server's members."""
        async with self._storage.read() as transaction:
            return await transaction.policies.limits(guild_id)

    async def of_member(self, guild_id: int, user_id: int, roles: Collection[int]) -> MemberState:
        """Return what the member may do now."""
        now = self._clock.now()
        async with self._storage.read() as transaction:
            settings, limits = (
                await transaction.guilds.get(guild_id),
                await transaction.policies.limits(guild_id),
            )
            budget, used = await use_of_members(transaction, settings, limits, [user_id], now, whole=True)
        return state_of_member(budget, limits, user_id, roles, used[user_id], now)

    async def set(self, guild_id: int, **changes: Unpack[LimitChanges]) -> None:
        """Set some of the limits, all in one step; they hold at once.

        Raises `Refused` for a figure that makes no sense; then nothing is changed.
        """
        _ensure_sense(changes)
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            await transaction.ledger.lock(guild_id)
            if "allowance" in changes:
                await transaction.policies.set_allowance(guild_id, *changes["allowance"])
            if "at_once" in changes:
                await transaction.policies.set(guild_id, jobs_at_once=changes["at_once"])
            if "rate" in changes:
                rate = changes["rate"]
                starts, seconds = (None, None) if rate is None else (rate.starts, rate.seconds)
                await transaction.policies.set(guild_id, starts=starts, starts_seconds=seconds)

    async def grant(self, guild_id: int, user_id: int | None, credits_: int) -> GrantState:
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
        if abs(credits_) > MAX_BUDGET:
            most = credits_message(MAX_BUDGET)
            raise Refused(lazy("You can grant or take back at most {most}. Nothing was changed.", most=most))
        now = self._clock.now()
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            await transaction.ledger.lock(guild_id)
            state = await _grants(transaction, guild_id, now)
            given = state.budget.grants if user_id is None else state.members.get(user_id, 0)
            if given + credits_ < 0:
                raise Refused(too_much_taken_back(given, state.budget.settings.budget.period))
            await transaction.ledger.grant(guild_id, user_id, credits_, state.budget.period_name, now)
            await watch_budget(transaction, guild_id, now)
            return await _grants(transaction, guild_id, now)

    async def grants(self, guild_id: int) -> GrantState:
        """Return the grants of the present period."""
        async with self._storage.read() as transaction:
            return await _grants(transaction, guild_id, self._clock.now())


async def use_of_members(
    transaction: Transaction,
    settings: GuildSettings,
    limits: MemberLimits,
    members: Sequence[int],
    at: datetime,
    *,
    whole: bool = False,
) -> tuple[BudgetState, dict[int, MemberUse]]:
    """Return the state of the server's budget, and what each of these members has used of their limits.

    What no limit asks for is left out, unless the `whole` is to be shown.
    """
    guild_id = settings.guild_id
    period, name = budget_period(settings, at)
    limited = members if whole or limits.own or limits.roles or limits.default is not None else ()
    usage, used, grants = await transaction.ledger.usage_and_grants(guild_id, period, name, limited)
    going = (
        await transaction.member_jobs.going_of(guild_id, members)
        if whole or limits.at_once is not None
        else {}
    )
    starts: dict[int, list[datetime]] = {}
    if limits.rate is not None:
        starts = await transaction.member_jobs.started_by(
            guild_id, members, counted_since(limits.rate, at), at
        )
    return state_of_budget(settings, period, usage, grants.get(None, 0)), {
        one: MemberUse(used.get(one, Usage()), grants.get(one, 0), going.get(one, 0), starts.get(one, ()))
        for one in members
    }


def state_of_member(
    budget: BudgetState,
    limits: MemberLimits,
    user_id: int,
    roles: Collection[int],
    used: MemberUse,
    now: datetime,
) -> MemberState:
    """Return what a member may do who has used so much."""
    return MemberState(
        budget=budget,
        allowance=allowance(limits, user_id, roles),
        usage=used.usage,
        grants=used.grants,
        going=used.going,
        at_once=limits.at_once,
        rate=limits.rate,
        next_start=None if limits.rate is None else next_start(limits.rate, used.starts, now),
    )


def ensure_within(state: MemberState, price: Estimate) -> None:
    """Raise `Refused`, with the limit, what is left, the cost and when it renews, if one is exceeded."""
    if state.allowance is not None and state.left is not None and state.left < price.amount:
        raise CreditsShort(_over_allowance(state, state.allowance.credits, state.left, price))
    if state.at_once is not None and state.going >= state.at_once:
        running = nlazy(
            "You already have {count} job running, the limit here.",
            "You already have {count} jobs running, the limit here.",
            state.going,
        )
        raise LimitReached(paragraph(running, lazy("Try again when one finishes."), CHANGE_ALLOWANCE))
    if state.rate is not None and state.next_start is not None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        reached = lazy("You've reached the limit of {rate} here.", rate=rate_message(state.rate))
        # Translators: {when} is shown as "in 3 hours".
        again = lazy("You can start the next one {when}.", when=discord_timestamp(state.next_start))
        raise LimitReached(paragraph(reached, again, CHANGE_ALLOWANCE))


def _over_allowance(state: MemberState, limit: int, rest: int, price: Estimate) -> Message:
    """Return that a member's allowance has less left than the price, and when there will be more."""
    again = when_again(state.budget, price, limit=limit, could_be=rest + state.usage.reserved)
    period = state.budget.settings.budget.period
    short = lazy(
        # Translators: {left} is such as "3 of 100 credits left today".
        "Not enough credits: this costs {price}, and your allowance has {left}.",
        price=short_price_message(price),
        left=rest_message(rest, limit + state.grants, period),
    )
    return paragraph(short, again or allowance_below_price(limit, period), CHANGE_ALLOWANCE)


def ensure_all_within(state: MemberState, price: Estimate, number: int) -> None:
    """Raise `Refused`, as `ensure_room` and `ensure_within` do, if so many jobs that cost `price` together
    are too many."""
    ensure_room(state.budget, price)
    ensure_within(replace(state, at_once=None, rate=None), price)
    if state.at_once is not None and state.going + number > state.at_once:
        raise LimitReached(paragraph(too_many_at_once(state.at_once, state.going), CHANGE_ALLOWANCE))
    if state.rate is not None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        reached = lazy("The limit here is {rate}.", rate=rate_message(state.rate))
        raise LimitReached(paragraph(reached, CHANGE_ALLOWANCE))


def _ensure_sense(changes: LimitChanges) -> None:
    _, _, credits_ = changes.get("allowance", (None, 0, None))
    at_once, rate = changes.get("at_once"), changes.get("rate")
    if credits_ is not None and not 0 <= credits_ <= MAX_BUDGET:
        most = credits_message(MAX_BUDGET)
        raise Refused(
            lazy("An allowance must be a whole number from 0 to {most}. Nothing was changed.", most=most)
        )
    if at_once is not None and not 1 <= at_once <= MAX_AT_ONCE:
        raise Refused(lazy("Enter a number of jobs from 1 to {most}. Nothing was changed.", most=MAX_AT_ONCE))
    if rate is not None and not (1 <= rate.starts <= MAX_AT_ONCE and 1 <= rate.seconds <= MAX_SECONDS):
        raise Refused(
            lazy(
                "Enter 1 to {most} jobs in at most {minutes} minutes. Nothing was changed.",
                most=MAX_AT_ONCE,
                minutes=MAX_SECONDS // 60,
            )
        )


async def _grants(transaction: Transaction, guild_id: int, now: datetime) -> GrantState:
    budget = await budget_state(transaction, guild_id, now)
    grants = await transaction.ledger.grants(guild_id, budget.period_name)
    return GrantState(budget, {user: amount for user, amount in grants.items() if user and amount})
