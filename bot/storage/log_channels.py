"""Servers' log channels."""

from sqlalchemy import select

from bot.domain import LogSettings
from bot.storage.database.session import Session
from bot.storage.schema import log_channels


class LogChannels:
    """Log channels within one transaction. A server without a row has none."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, guild_id: int) -> LogSettings:
        query = select(log_channels).where(log_channels.c.guild_id == guild_id)
        row = (await self._session.execute(query)).mappings().one_or_none()
        return LogSettings() if row is None else LogSettings(row["channel_id"], row["results"])

    async def set(self, guild_id: int, settings: LogSettings) -> None:
        values = {"channel_id": settings.channel_id, "results": settings.results}
        await self._session.put(log_channels, {"guild_id": guild_id}, values)
