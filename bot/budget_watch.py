"""Tells admins when most of their budget is used, and when all of it is: once in a period each."""

from datetime import datetime

from bot.credits import window
from bot.model import NoticeKind
from bot.storage import Transaction

MOST = 80  # percent


async def watch_budget(
    transaction: Transaction, guild_id: int, now: datetime, *, refused: int | None = None
) -> None:
    """To be called in the transaction in which the server's credits were reserved, charged or limited.

    `refused` is what a job would have cost that the budget had no room for: for people, that is all of it.
    """
    settings = await transaction.guilds.get(guild_id)
    period = window(settings.budget, settings.timezone, now)
    limit = settings.budget.limit + await transaction.ledger.granted(guild_id, period)
    if limit <= 0:
        return  # nothing may be spent, so nothing can be used up
    spent = (await transaction.ledger.usage(guild_id, period)).spent
    if spent * 100 < limit * MOST:
        return
    key = "ever" if period.start is None else period.start.isoformat(timespec="seconds")
    used_up = spent >= limit or refused is not None
    kind = NoticeKind.BUDGET_100 if used_up else NoticeKind.BUDGET_80
    # A budget that was used up at once, and of which something came back, is no news any more.
    if not used_up and await transaction.notices.known(guild_id, NoticeKind.BUDGET_100, key):
        return
    details = {
        "spent": spent,
        "limit": limit,
        "period": settings.budget.period.value,
        "renews": None if period.end is None else int(period.end.timestamp()),
        "refused": refused,
    }
    await transaction.notices.add(guild_id, kind, key, at=now, details=details)
