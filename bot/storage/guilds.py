"""Servers' settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from bot.model import Budget, GuildSettings
from bot.storage.schema import guilds
from bot.storage.session import Session


class Guilds:
    """Servers' settings within one transaction. A server without a row has the defaults."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, guild_id: int) -> GuildSettings:
        found = await self._session.execute(select(guilds).where(guilds.c.guild_id == guild_id))
        row = found.mappings().one_or_none()
        return GuildSettings(guild_id) if row is None else _settings(row)

    async def set_key(self, guild_id: int, key_id: int | None, at: datetime) -> None:
        await self._set(guild_id, key_id=key_id, key_changed_at=at)

    async def set_budget(self, guild_id: int, budget: Budget) -> None:
        await self._set(
            guild_id,
            budget_limit=budget.limit,
            budget_period=budget.period,
            budget_since=budget.since,
        )

    async def set_timezone(self, guild_id: int, timezone: str) -> None:
        """`timezone`: a name of the IANA time zone database, which the caller has checked."""
        await self._set(guild_id, timezone=timezone)

    async def _set(self, guild_id: int, **values: Any) -> None:
        await self._session.put(guilds, {"guild_id": guild_id}, values)


def _settings(row: RowMapping) -> GuildSettings:
    settings = GuildSettings(row["guild_id"], key_id=row["key_id"])
    budget = settings.budget
    if row["budget_limit"] is not None:
        budget = Budget(row["budget_limit"], row["budget_period"], row["budget_since"])
    return GuildSettings(
        settings.guild_id,
        key_id=settings.key_id,
        budget=budget,
        timezone=row["timezone"] or settings.timezone,
    )
