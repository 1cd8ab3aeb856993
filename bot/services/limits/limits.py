"""The limits of a server's members, as admins set them, and the credits that they grant."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from bot.domain.limits import AllowanceScope, MemberLimits, StartRate
from bot.errors import Refused
from bot.languages import lazy
from bot.lifecycle.budget_alerts import watch_budget
from bot.services.credits.budgets import MAX_BUDGET, BudgetState, budget_state
from bot.services.limits.member_limits import MemberState, member_state
from bot.services.limits.sentences import too_much_taken_back
from bot.services.service import Service
from bot.services.wording import credits_message
from bot.storage import Transaction

MAX_AT_ONCE = 100
MAX_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class GrantState:
    """The grants of the server's present period, to the server and to members."""

    budget: BudgetState
    members: dict[int, int]


class LimitChanges(TypedDict, total=False):
    """Limits to change. None removes the limit.

    `allowance` has the scope, the id of the member or role (0 for everyone), and the credits per period.
    """

    allowance: tuple[AllowanceScope, int, int | None]
    at_once: int | None
    rate: StartRate | None


class LimitService(Service):
    """Allowances, grants, and how many jobs a member may have and start."""

    async def limits(self, guild_id: int) -> MemberLimits:
        """Return the limits of the server's members."""
        async with self._storage.read() as transaction:
            return await transaction.policies.limits(guild_id)

    async def of_member(self, guild_id: int, user_id: int, roles: Collection[int]) -> MemberState:
        """Return what the member may do now."""
        async with self._storage.read() as transaction:
            return await member_state(transaction, guild_id, user_id, roles, self._clock.now())

    async def set(self, guild_id: int, **changes: Unpack[LimitChanges]) -> None:
        """Set some of the limits, all in one step. They take effect immediately.

        Raises `Refused` for a figure that makes no sense; then nothing is changed.
        """
        _ensure_sense(changes)
        async with self._changing() as transaction:
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
        async with self._changing() as transaction:
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
    grants = await transaction.budget_sums.grants(guild_id, budget.period_name)
    return GrantState(budget, {user: amount for user, amount in grants.items() if user and amount})
