"""Styles of members and of servers."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from bot.domain.styles import OF_SERVER, Style, style_key
from bot.storage.database.repository import Repository
from bot.storage.database.unreadable import json_object
from bot.storage.schema import jobs, styles

KEY = (styles.c.id,)


class Styles(Repository):
    """Styles within one transaction."""

    async def add(self, style: Style) -> None:
        """Store a new style."""
        row = {**asdict(style), "key": style_key(style.name), "roles": sorted(style.roles)}
        await self._session.execute(insert(styles).values(row))

    async def get(self, style_id: str) -> Style | None:
        """Return the style, or None if there is none."""
        return next(iter(await self._some(_GET, {"style": style_id})), None)

    async def named(self, guild_id: int, user_id: int, name: str) -> Style | None:
        """Return the owner's style of that name, or None."""
        which = {"guild": guild_id, "users": [user_id], "with_key": style_key(name)}
        return next(iter(await self._some(_NAMED, which)), None)

    async def of(self, guild_id: int, *user_ids: int) -> list[Style]:
        """Return the styles of these owners in the server, each one's by name."""
        return await self._some(_OF, {"guild": guild_id, "users": list(user_ids)})

    async def count(self, guild_id: int, user_id: int) -> int:
        """Return the number of the owner's styles in the server, with those that can't be read."""
        of = {"guild": guild_id, "users": [user_id]}
        return (await self._session.execute(_COUNT, of)).scalar_one()

    async def set_roles(self, style_id: str, roles: Collection[int]) -> None:
        """Set which roles may use a server's style. Without roles, everyone may."""
        one = update(styles).where(styles.c.id == style_id)
        await self._session.execute(one.values(roles=sorted(roles)))

    async def remove(self, style_id: str) -> None:
        """Delete the style."""
        await self._session.remove(styles, {"id": style_id})

    async def forget_member(self, user_id: int, guild_id: int | None = None) -> None:
        """Delete the member's own styles, and what servers' styles have of them; in one server or in all."""
        here: Any = True if guild_id is None else styles.c.guild_id == guild_id
        own = delete(styles).where(styles.c.user_id == user_id, styles.c.user_id != OF_SERVER, here)
        await self._session.execute(own)
        made = update(styles).where(styles.c.made_by == user_id, here).values(made_by=None)
        await self._session.execute(made)
        results = styles.c.job_id.in_(select(jobs.c.id).where(jobs.c.user_id == user_id))
        await self._session.execute(update(styles).where(results, here).values(job_id=None))

    async def _some(self, query: Select[Any], values: Mapping[str, Any]) -> list[Style]:
        return await self._session.rows(query, style_of, KEY, values)


def style_of(row: RowMapping) -> Style:
    """Return the style of a row. Raises `TypeError` if its inputs or roles are something else."""
    values: dict[str, Any] = {**row}
    del values["key"]
    values["inputs"] = json_object(values["inputs"])
    values["roles"] = frozenset(int(one) for one in values["roles"])
    return Style(**values)


# Statements, made once (see `Session.execute`).
_THEIRS = (styles.c.guild_id == bindparam("guild")) & styles.c.user_id.in_(bindparam("users", expanding=True))
_SOME = select(styles).order_by(styles.c.user_id.desc(), styles.c.key)
_GET = _SOME.where(styles.c.id == bindparam("style"))
_OF = _SOME.where(_THEIRS)
_NAMED = _OF.where(styles.c.key == bindparam("with_key"))
_COUNT = select(func.count()).select_from(styles).where(_THEIRS)
