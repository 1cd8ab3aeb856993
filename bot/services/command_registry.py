"""Which commands Discord has been told of, so that a start registers them only when they changed."""

from bot.storage import Storage

PREFIX = "commands:"


class CommandRegistry:
    """Remembers a digest of what was registered last, for all servers or for one of them alone."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def registered(self, guild_id: int | None = None) -> str | None:
        """The digest of what was registered for that server alone (None: for all), if anything was."""
        async with self._storage.read() as transaction:
            value = await transaction.meta.get(_name(guild_id))
        return None if value is None else value.decode()

    async def remember(self, digest: str, guild_id: int | None = None) -> None:
        """Discord has taken the commands with that digest."""
        async with self._storage.write() as transaction:
            await transaction.meta.set(_name(guild_id), digest.encode())

    async def elsewhere(self, guild_id: int | None) -> list[int]:
        """Servers, but for this one, that have commands for themselves alone."""
        async with self._storage.read() as transaction:
            names = await transaction.meta.names(PREFIX)
        kept = {int(name.removeprefix(PREFIX)) for name in names if name != _name(None)}
        return sorted(kept - {guild_id})

    async def forget(self, guild_id: int) -> None:
        """That server has no commands for itself alone any more."""
        async with self._storage.write() as transaction:
            await transaction.meta.remove(_name(guild_id))


def _name(guild_id: int | None) -> str:
    return f"{PREFIX}{'global' if guild_id is None else guild_id}"
