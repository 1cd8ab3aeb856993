"""Show and change budgets; show usage and prices."""

from dataclasses import dataclass, replace

from bot.domain import Job, Period, Usage
from bot.domain.periods import time_zone
from bot.domain.prices import Charges
from bot.errors import Refused
from bot.languages import lazy
from bot.lifecycle.budget_alerts import watch_budget
from bot.servers import keys, settings
from bot.services.credits.budgets import MAX_BUDGET, BudgetState, budget_state, new_budget
from bot.services.credits.prices import PriceTable, ToolPrice
from bot.services.service import ToolService
from bot.services.wording import credits_message
from bot.storage import Transaction

RECENT_JOBS = 5
RENEWS_BY_ITSELF = lazy(
    "`restart` is only for a one-off total. A daily, weekly or monthly budget renews "
    "automatically. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class MemberCredits:
    """A member's usage of the server's budget, and their latest jobs there, newest first."""

    budget: BudgetState
    usage: Usage
    recent: tuple[Job, ...]


class CreditService(ToolService):
    """Reads and changes budgets, and reads usage and prices."""

    async def budget(self, guild_id: int) -> BudgetState:
        """Return the state of the server's budget."""
        async with self._storage.read() as transaction:
            return await budget_state(transaction, guild_id, self._clock.now())

    async def set_budget(
        self,
        guild_id: int,
        limit: int | None,
        period: Period | None,
        timezone: str | None = None,
        *,
        restart: bool = False,
        confirm_above: int | None = None,
    ) -> BudgetState:
        """Set the server's budget. It takes effect immediately. Values that are None stay unchanged.

        A one-off total counts from the moment it replaces another period, and again only by `restart`.
        Grants for the period before don't count in another one. People are asked before a job that costs
        more than `confirm_above` credits; 0 asks no one.
        Raises `Refused`, and changes nothing, for a limit or a `confirm_above` outside of 0 to `MAX_BUDGET`,
        an unknown time zone, or a restart of a budget that renews.
        """
        now = self._clock.now()
        if timezone is not None:
            time_zone(timezone)
        _check_confirm(confirm_above)
        async with self._changing() as transaction:
            await transaction.ledger.lock(guild_id)
            before = await budget_state(transaction, guild_id, now)
            old = before.settings.budget
            chosen = period or old.period
            if restart and chosen is not Period.TOTAL:
                raise Refused(RENEWS_BY_ITSELF)
            if limit is not None or period is not None or restart:
                since = old.since if chosen is old.period and not restart else None
                budget = new_budget(old.limit if limit is None else limit, chosen, now, since=since)
                await transaction.run(settings.set_budget, guild_id, budget)
            if timezone is not None:
                await transaction.run(settings.change, guild_id, timezone=timezone)
            if confirm_above is not None:
                await transaction.run(settings.change, guild_id, confirm_above=confirm_above or None)
            await watch_budget(transaction, guild_id, now)
            state = await budget_state(transaction, guild_id, now)
            return await _with_grants_over(transaction, before, state)

    async def member(self, guild_id: int, user_id: int) -> MemberCredits:
        """Return the member's usage of the server's current budget, and their latest jobs."""
        async with self._storage.read() as transaction:
            state = await budget_state(transaction, guild_id, self._clock.now())
            usage = await transaction.budget_sums.usage(guild_id, state.window, user_id)
            recent = await transaction.member_jobs.recent_of(guild_id, user_id, RECENT_JOBS)
            return MemberCredits(state, usage, tuple(recent))

    async def price_table(self, guild_id: int) -> PriceTable:
        """Return what jobs will probably cost with the server's key."""
        async with self._storage.read() as transaction:
            key = await transaction.run(keys.current, guild_id)
            own = {} if key is None else await transaction.prices.all(key.lane)
            return PriceTable(Charges(own, await transaction.prices.all()))

    async def prices(self, guild_id: int) -> tuple[ToolPrice, ...]:
        """Return every tool's probable cost with the server's key, in the catalogue's order."""
        table = await self.price_table(guild_id)
        return tuple(map(table.listed, self._catalog.tools.values()))


def _check_confirm(above: int | None) -> None:
    if above is not None and not 0 <= above <= MAX_BUDGET:
        most = credits_message(MAX_BUDGET)
        raise Refused(lazy("`confirm` must be from 0 to {most}. Nothing was changed.", most=most))


async def _with_grants_over(transaction: Transaction, before: BudgetState, state: BudgetState) -> BudgetState:
    """Return `state` with the credits granted for the period of `before`, if that is over."""
    if state.period_name == before.period_name:
        return state
    over = await transaction.budget_sums.grants(state.settings.guild_id, before.period_name)
    return replace(state, grants_over=sum(over.values()))
