"""Named values of the bot as a whole, such as the digest of its commands."""

from sqlalchemy import bindparam, select

from bot.storage.database.repository import Repository
from bot.storage.schema import meta


class Meta(Repository):
    """Named values within one transaction."""

    async def get(self, name: str) -> bytes | None:
        return (await self._session.execute(_GET, {"name": name})).scalar_one_or_none()

    async def set(self, name: str, value: bytes) -> None:
        await self._session.put(meta, {"name": name}, {"value": value})

    async def add(self, name: str, value: bytes) -> bool:
        """Set the value unless there is one. Return whether it was set."""
        return await self._session.put_new(meta, {"name": name}, {"value": value})

    async def names(self, prefix: str) -> list[str]:
        """Return the names that start with `prefix`."""
        query = select(meta.c.name).where(meta.c.name.startswith(prefix, autoescape=True))
        return list((await self._session.execute(query)).scalars())

    async def remove(self, name: str) -> None:
        await self._session.remove(meta, {"name": name})


# A statement, made once (see `Session.execute`).
_GET = select(meta.c.value).where(meta.c.name == bindparam("name"))
