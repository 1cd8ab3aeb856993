"""Servers' log channels."""

from dataclasses import replace

from bot.domain import LogSettings
from bot.servers import notices
from bot.servers.notices import NoticeKind
from bot.services.service import Service


class LogChannelService(Service):
    """Reads and sets log channels."""

    async def get(self, guild_id: int) -> LogSettings:
        """Return the server's log settings."""
        async with self._storage.read() as transaction:
            return await transaction.log_channels.get(guild_id)

    async def ask_in_place(self, guild_id: int, *, in_place: bool) -> None:
        """Set whether requests for credits are posted where members ask, not in the log channel."""
        async with self._changing() as transaction:
            settings = await transaction.log_channels.get(guild_id)
            await transaction.log_channels.set(guild_id, replace(settings, requests_in_place=in_place))

    async def set(self, guild_id: int, settings: LogSettings, *, works: bool = False) -> None:
        """Set the log channel, or clear it (None).

        Setting another channel, or one that is known to work (`works`), lets the owner be told again if it is
        lost.
        """
        async with self._changing() as transaction:
            old = await transaction.log_channels.get(guild_id)
            await transaction.log_channels.set(guild_id, settings)
            if works or settings.channel_id != old.channel_id:
                await transaction.run(notices.forget, guild_id, NoticeKind.LOG_LOST)
