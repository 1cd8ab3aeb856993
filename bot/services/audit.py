"""The whole books added up anew: what `doctor` compares."""

from datetime import datetime

from bot.domain.periods import window
from bot.storage import Transaction


async def audit(transaction: Transaction, now: datetime) -> list[str]:
    """What does not agree, in sentences: of each job and line, each server, and its present period."""
    wrong = await transaction.audit.everything()
    for guild_id in await transaction.audit.guilds():
        settings = await transaction.guilds.get(guild_id)
        period = window(settings.budget, settings.timezone, now)
        wrong += await transaction.audit.period(guild_id, period)
    return wrong
