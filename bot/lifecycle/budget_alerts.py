"""Tells admins when most of their budget is used, and when all of it is: once in a period each."""

from datetime import datetime

from bot.domain import GuildSettings, NoticeKind, Window
from bot.domain.periods import period_name, window
from bot.storage import Transaction

MOST = 80  # percent


async def watch_budget(transaction: Transaction, guild_id: int, now: datetime) -> None:
    """To be called in the transaction in which the server's credits were charged or limited."""
    settings = await transaction.guilds.get(guild_id)
    period = window(settings.budget, settings.timezone, now)
    name = period_name(settings.budget, settings.timezone, period)
    limit = settings.budget.limit + await transaction.ledger.granted(guild_id, name)
    spent = (await transaction.ledger.usage(guild_id, period)).spent
    await tell_of_budget(transaction, settings, period, now, limit=limit, spent=spent)


async def tell_of_budget(
    transaction: Transaction,
    settings: GuildSettings,
    period: Window,
    now: datetime,
    *,
    limit: int,
    spent: int,
    least: int | None = None,
) -> None:
    """Do the same with figures that the caller has read.

    `least`, the price of the cheapest job, is given when a job was refused. A rest that is too small for any
    job has a notice of its own.
    """
    guild_id = settings.guild_id
    if limit <= 0 or spent * 100 < limit * MOST:
        return  # a budget of 0 can't be used up
    start = "ever" if period.start is None else period.start.isoformat(timespec="seconds")
    key = f"{settings.budget.period.value} {start}"
    too_little = f"{key} rest"
    stuck = least is not None and spent < limit < spent + least
    kind = NoticeKind.BUDGET_100 if stuck or spent >= limit else NoticeKind.BUDGET_80
    if kind is NoticeKind.BUDGET_80:
        # A budget that was used up at once, and of which something came back, is no news any more.
        for known in (key, too_little):
            if await transaction.notices.known(guild_id, NoticeKind.BUDGET_100, known):
                return
    details = {
        "spent": spent,
        "limit": limit,
        "period": settings.budget.period.value,
        "renews": None if period.end is None else int(period.end.timestamp()),
        "least": least if stuck else None,
    }
    await transaction.notices.add(guild_id, kind, too_little if stuck else key, at=now, details=details)
