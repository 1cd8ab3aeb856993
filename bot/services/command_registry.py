"""Remember the registered commands, so that a start registers them only if they changed."""

from bot.storage import Storage

META_PREFIX = "commands:"


class CommandRegistry:
    """Stores a digest of the commands registered last, globally and for single servers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def registered(self, guild_id: int | None = None) -> str | None:
        """Return the digest of the commands registered for a server (globally if None), or None."""
        async with self._storage.read() as transaction:
            value = await transaction.meta.get(_name(guild_id))
        return None if value is None else value.decode()

    async def remember(self, digest: str, guild_id: int | None = None) -> None:
        """Store the digest of commands that were registered."""
        async with self._storage.write() as transaction:
            await transaction.meta.set(_name(guild_id), digest.encode())

    async def elsewhere(self, guild_id: int | None) -> list[int]:
        """Return the other servers with commands of their own."""
        async with self._storage.read() as transaction:
            names = await transaction.meta.names(META_PREFIX)
        kept = {int(name.removeprefix(META_PREFIX)) for name in names if name != _name(None)}
        return sorted(kept - {guild_id})

    async def forget(self, guild_id: int) -> None:
        """Forget the commands of a server."""
        async with self._storage.write() as transaction:
            await transaction.meta.remove(_name(guild_id))


def _name(guild_id: int | None) -> str:
    return f"{META_PREFIX}{'global' if guild_id is None else guild_id}"
