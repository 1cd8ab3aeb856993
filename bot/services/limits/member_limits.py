"""Work out what members may still do within their limits, as the transaction that reserves checks it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from bot.domain import Usage, Window
from bot.domain.limits import Allowance, MemberLimits, StartRate, allowance, counted_since, next_start
from bot.domain.periods import budget_period
from bot.domain.prices import Estimate
from bot.errors import CreditsShort, Refused
from bot.languages import Message, lazy, nlazy, paragraph
from bot.servers import settings as server_settings
from bot.servers.settings import GuildSettings
from bot.services.credits.budgets import (
    BudgetState,
    ensure_credits_left,
    short_price_message,
    state_of_budget,
    when_again,
)
from bot.services.limits.sentences import rate_message, too_many_at_once
from bot.services.wording import allowance_below_price, discord_timestamp, rest_message
from bot.storage import Transaction, UsedCredits

CHANGE_ALLOWANCE = lazy("An admin can change this with `/studii allowance`.")


class LimitReached(Refused):
    """A member may start no more jobs now, at any price."""


@dataclass(frozen=True, slots=True)
class MemberUse:
    """A member's use of their limits in the budget's period.

    `going` is the number of their unfinished jobs; `starts` are those that count for the rate, oldest first.
    """

    usage: Usage = field(default_factory=Usage)
    grants: int = 0
    going: int = 0
    starts: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class MemberState:
    """A member's limits in a server. Without an allowance only the server's budget limits them."""

    budget: BudgetState
    allowance: Allowance | None
    usage: Usage
    grants: int
    going: int  # jobs
    at_once: int | None
    rate: StartRate | None
    next_start: datetime | None  # None if that is now

    @property
    def whole(self) -> int | None:
        """Return the credits that the member may spend in the period: the allowance and the grants."""
        return None if self.allowance is None else self.allowance.credits + self.grants

    @property
    def left(self) -> int | None:
        """Return the credits left, which may be negative after an allowance was lowered."""
        return None if self.whole is None else self.usage.left_of(self.whole)

    @property
    def left_words(self) -> str:
        """Return `3 of 20 credits left today`, or nothing without an allowance."""
        if self.whole is None or self.left is None:
            return ""
        return str(rest_message(self.left, self.whole, self.budget.settings.budget.period))


class AskedMembers(NamedTuple):
    """Members of a server whose use of their limits is asked for."""

    settings: GuildSettings
    limits: MemberLimits
    members: Sequence[int]

    def limited(self, *, whole: bool) -> Sequence[int]:
        """Return those of whom it counts what they have used; with `whole`, all of them."""
        limits = self.limits
        return self.members if whole or limits.own or limits.roles or limits.default is not None else ()


async def use_of_members(
    transaction: Transaction, asked: Sequence[AskedMembers], at: datetime, *, whole: bool = False
) -> dict[int, tuple[BudgetState, dict[int, MemberUse]]]:
    """Return the state of each server's budget, and what each of these members has used of their limits.

    What no limit asks for is left out, unless the `whole` is to be shown. Servers whose budgets have the same
    period are asked for together.
    """
    same: dict[tuple[Window, str], list[AskedMembers]] = {}
    for one in asked:
        same.setdefault(budget_period(one.settings.budget, one.settings.timezone, at), []).append(one)
    found: dict[int, tuple[BudgetState, dict[int, MemberUse]]] = {}
    for (period, name), servers in same.items():
        guild_ids = [one.settings.guild_id for one in servers]
        limited = sorted({user_id for one in servers for user_id in one.limited(whole=whole)})
        credits_ = await transaction.budget_sums.usage_and_grants(guild_ids, period, name, limited)
        for one in servers:
            used = credits_[one.settings.guild_id]
            granted = used.grants.get(None, 0)
            budget = state_of_budget(one.settings, period, used.whole, granted)
            found[one.settings.guild_id] = budget, await _uses(transaction, one, used, at, whole=whole)
    return found


async def _uses(
    transaction: Transaction, asked: AskedMembers, used: UsedCredits, at: datetime, *, whole: bool
) -> dict[int, MemberUse]:
    guild_id, limits, members = asked.settings.guild_id, asked.limits, asked.members
    limited = asked.limited(whole=whole)
    going: Mapping[int, int] = {}
    if whole or limits.at_once is not None:
        going = await transaction.member_jobs.going_of(guild_id, members)
    starts: Mapping[int, Sequence[datetime]] = {}
    if limits.rate is not None:
        since = counted_since(limits.rate, at)
        starts = await transaction.member_jobs.started_by(guild_id, members, since, at)
    return {
        one: MemberUse(
            used.usage.get(one, Usage()) if one in limited else Usage(),
            used.grants.get(one, 0),
            going.get(one, 0),
            starts.get(one, ()),
        )
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
    """Return what a member may do after what they have used."""
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


async def member_state(
    transaction: Transaction, guild_id: int, user_id: int, roles: Collection[int], at: datetime
) -> MemberState:
    """Read what a member may do."""
    settings, limits = (
        await transaction.run(server_settings.of, guild_id),
        await transaction.policies.limits(guild_id),
    )
    asked = AskedMembers(settings, limits, [user_id])
    budget, used = (await use_of_members(transaction, [asked], at, whole=True))[guild_id]
    return state_of_member(budget, limits, user_id, roles, used[user_id], at)


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
    """Raise `Refused`, as `ensure_credits_left` and `ensure_within` do, if `number` jobs are too many.

    `price` is what they cost together.
    """
    ensure_credits_left(state.budget, price)
    ensure_within(replace(state, at_once=None, rate=None), price)
    if state.at_once is not None and state.going + number > state.at_once:
        raise LimitReached(paragraph(too_many_at_once(state.at_once, state.going), CHANGE_ALLOWANCE))
    if state.rate is not None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        reached = lazy("The limit here is {rate}.", rate=rate_message(state.rate))
        raise LimitReached(paragraph(reached, CHANGE_ALLOWANCE))
