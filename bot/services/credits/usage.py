"""A server's usage of credits, by day, tool and member, and its ledger."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain import LedgerLine, Period, Spending, Window
from bot.domain.report_spans import Span, days_of, edges_of
from bot.servers import settings as server_settings
from bot.servers.settings import GuildSettings
from bot.services.credits.budgets import BudgetState, budget_state
from bot.services.service import Service

TOP_MEMBERS = 5
LEDGER_PAGE_LINES = 500  # lines of the ledger held in memory at once


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage in a span of days. `daily` has each tool's credits by day, in the order of `tools`."""

    budget: BudgetState
    days: tuple[date, ...]
    tools: tuple[Spending, ...]
    members: tuple[Spending, ...]
    daily: tuple[tuple[int, ...], ...]

    @property
    def credits(self) -> int:
        return sum(tool.credits for tool in self.tools)

    @property
    def jobs(self) -> int:
        return sum(tool.jobs for tool in self.tools)

    @property
    def limit_a_day(self) -> float | None:
        """Return the budget in credits a day, averaged over its period. None for a one-off total."""
        budget, window = self.budget.settings.budget, self.budget.window
        if budget.period is Period.TOTAL or window.start is None or window.end is None:
            return None
        # Rounded: a day of the period may have 23 or 25 hours.
        return budget.limit / max(1, round((window.end - window.start).total_seconds() / 86_400))


class UsageService(Service):
    """Reads usage and the ledger, in days of the server's time zone."""

    async def report(self, guild_id: int, span: Span) -> UsageReport:
        """Return the charged and reserved credits, by the day of acceptance."""
        now = self._clock.now()
        async with self._storage.read() as transaction:
            budget = await budget_state(transaction, guild_id, now)
            days, window, edges = _span(budget.settings, span, now)
            tools = await transaction.usage.by_tool(guild_id, window)
            members = await transaction.usage.by_member(guild_id, window, TOP_MEMBERS)
            sums = await transaction.usage.by_day(guild_id, edges)
        daily: dict[str, list[int]] = defaultdict(lambda: [0] * len(days))
        for number, tool, spent in sums:
            daily[tool][number] = spent
        by_tool = tuple(tuple(daily[str(tool.what)]) for tool in tools)
        return UsageReport(budget, tuple(days), tuple(tools), tuple(members), by_tool)

    async def zone(self, guild_id: int) -> str:
        """Return the name of the server's time zone."""
        async with self._storage.read() as transaction:
            return (await transaction.run(server_settings.of, guild_id)).timezone

    async def ledger(self, guild_id: int, span: Span | None) -> AsyncGenerator[list[LedgerLine], None]:
        """Yield the lines of the span (all if None), oldest first, in pages."""
        window = Window(None, None)
        if span is not None:
            async with self._storage.read() as transaction:
                settings = await transaction.run(server_settings.of, guild_id)
            _, window, _ = _span(settings, span, self._clock.now())
        after = 0
        while True:
            # Lines are never changed, so that pages read one after the other fit together.
            async with self._storage.read() as transaction:
                page = await transaction.usage.lines(guild_id, window, after, LEDGER_PAGE_LINES)
            if page:
                yield page
            if len(page) < LEDGER_PAGE_LINES:
                return
            after = page[-1].id


def _span(settings: GuildSettings, span: Span, now: datetime) -> tuple[list[date], Window, list[datetime]]:
    days = days_of(span, settings.timezone, now)
    edges = edges_of(days, settings.timezone)
    return days, Window(edges[0], edges[-1]), edges
