"""Where a server's admins are told of things."""

from collections.abc import Callable

from bot.domain import LogSettings, NoticeKind
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage


class LogChannelService:
    """Sets and shows log channels. `wake` tells the engine that there may be something to post."""

    def __init__(self, storage: Storage, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._wake = wake

    async def get(self, guild_id: int) -> LogSettings:
        """The server's log channel, if it has one."""
        async with self._storage.read() as transaction:
            return await transaction.log_channels.get(guild_id)

    async def set(self, guild_id: int, settings: LogSettings, *, works: bool = False) -> None:
        """Set or, without a channel, clear it.

        If another channel, or one of which it is known that it `works`, gets lost, the owner is told again.
        """
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            old = await transaction.log_channels.get(guild_id)
            await transaction.log_channels.set(guild_id, settings)
            if works or settings.channel_id != old.channel_id:
                await transaction.notices.forget(guild_id, NoticeKind.LOG_LOST)
        self._wake()
