"""Encrypted Studii keys. A replaced key is kept for the jobs that run with it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.engine import RowMapping

from bot.domain import Plan, StudiiKey
from bot.storage.database.repository import Repository
from bot.storage.schema import guilds, studii_keys


class Keys(Repository):
    """Studii keys within one transaction."""

    async def add(
        self, guild_id: int, lane: str, hint: str, plan: Plan, ciphertext: bytes, at: datetime
    ) -> StudiiKey:
        """Insert a key. `Guilds.set_key` makes it the server's current one."""
        values = {"guild_id": guild_id, "lane": lane, "hint": hint, "plan": plan, "created_at": at}
        added = await self._session.execute(_ADD, {**values, "ciphertext": ciphertext})
        return key_of(added.mappings().one())

    async def get(self, key_id: int) -> StudiiKey | None:
        return await self._one(_GET, {"key": key_id})

    async def current(self, guild_id: int) -> StudiiKey | None:
        """Return the key that the server's new jobs use, or None."""
        return await self._one(_CURRENT, {"guild": guild_id})

    async def some(self, key_ids: Collection[int]) -> dict[int, StudiiKey]:
        """Return the keys that exist, by id."""
        found = await self._session.execute(_SOME, {"keys": list(key_ids)})
        return {row["id"]: key_of(row) for row in found.mappings()}

    async def all(self) -> list[StudiiKey]:
        found = await self._session.execute(_ALL)
        return [key_of(row) for row in found.mappings()]

    async def retire(self, key_id: int, at: datetime) -> None:
        """Mark the key as retired. The first call sets the time."""
        fresh = (studii_keys.c.id == key_id) & studii_keys.c.retired_at.is_(None)
        await self._session.execute(update(studii_keys).where(fresh).values(retired_at=at))

    async def set_plan(self, key_id: int, plan: Plan, at: datetime) -> None:
        """Set the plan that an admin chose. Doubts about an earlier choice end with it."""
        await self._set(key_id, plan=plan, plan_at=at)

    async def replace_ciphertext(self, key_id: int, ciphertext: bytes) -> None:
        """Replace the ciphertext of the same secret."""
        await self._set(key_id, ciphertext=ciphertext)

    async def _set(self, key_id: int, **values: Any) -> None:
        await self._session.execute(_UPDATE, {"key": key_id, **values})

    async def _one(self, query: Select[Any], values: Mapping[str, Any]) -> StudiiKey | None:
        row = await self._one_row(query, values)
        return None if row is None else key_of(row)


def key_of(row: RowMapping | Mapping[str, Any]) -> StudiiKey:
    """Return the key of a row."""
    return StudiiKey(**row)


# Statements, made once (see `Session.execute`).
_ADD = insert(studii_keys).returning(studii_keys)
_ALL = select(studii_keys).order_by(studii_keys.c.id)
_IS_KEY = studii_keys.c.id == bindparam("key")
_GET = select(studii_keys).where(_IS_KEY)
_UPDATE = update(studii_keys).where(_IS_KEY)
_SOME = select(studii_keys).where(studii_keys.c.id.in_(bindparam("keys", expanding=True)))
_CURRENT = (
    select(studii_keys)
    .join(guilds, guilds.c.key_id == studii_keys.c.id)
    .where(guilds.c.guild_id == bindparam("guild"))
)
