"""Tells admins when most of their budget is used, and when all of it is: once in a period each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain import Window
from bot.domain.periods import budget_period
from bot.servers import notices, settings as server_settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import GuildSettings
from bot.storage import Transaction

WARNING_PERCENT = 80


async def watch_budget(transaction: Transaction, guild_id: int, now: datetime) -> None:
    """Alert the admins as the budget runs out.

    Call it in the transaction in which the server's credits were charged or limited.
    """
    settings = await transaction.run(server_settings.of, guild_id)
    period, name = budget_period(settings.budget, settings.timezone, now)
    grants = await transaction.budget_sums.grants(guild_id, name)
    limit = settings.budget.limit + grants.get(None, 0)
    spent = (await transaction.budget_sums.usage(guild_id, period)).spent
    if alert := budget_alert(settings, period, limit=limit, spent=spent):
        await add_alert(transaction, alert, now)


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """An alert that is sent once in a period. It is not sent after one of `after`."""

    guild_id: int
    kind: NoticeKind
    key: str
    details: Mapping[str, str | int | None]
    after: tuple[str, ...]


def budget_alert(
    settings: GuildSettings, period: Window, *, limit: int, spent: int, least: int | None = None
) -> BudgetAlert | None:
    """Return the alert due at `spent` credits, if any.

    `least`, the price of the cheapest job, is given when a job was refused. A rest that is too small for any
    job has a notice of its own.
    """
    if limit <= 0 or spent * 100 < limit * WARNING_PERCENT:
        return None  # a budget of 0 can't be used up
    start = "ever" if period.start is None else period.start.isoformat(timespec="seconds")
    key = f"{settings.budget.period.value} {start}"
    too_little = f"{key} rest"
    stuck = least is not None and spent < limit < spent + least
    kind = NoticeKind.BUDGET_100 if stuck or spent >= limit else NoticeKind.BUDGET_80
    details = {
        "spent": spent,
        "limit": limit,
        "period": settings.budget.period.value,
        "renews": None if period.end is None else int(period.end.timestamp()),
        "least": least if stuck else None,
    }
    # A budget that was used up at once, and of which something came back, is no news any more.
    after = (key, too_little) if kind is NoticeKind.BUDGET_80 else ()
    return BudgetAlert(settings.guild_id, kind, too_little if stuck else key, details, after)


async def add_alert(transaction: Transaction, alert: BudgetAlert, now: datetime) -> None:
    """Add the notice, unless it or one of those in `after` was added in this period."""
    if alert.after and await transaction.run(
        notices.known, alert.guild_id, NoticeKind.BUDGET_100, *alert.after
    ):
        return
    await transaction.run(notices.add, alert.guild_id, alert.kind, alert.key, at=now, details=alert.details)
