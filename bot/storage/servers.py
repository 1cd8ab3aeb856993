"""The settings and rules that decide about a server's jobs, read together."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, select
from sqlalchemy.engine import RowMapping

from bot.features.words import WordRule, in_order
from bot.jobs.models import Hold
from bot.servers import access
from bot.servers.access import AccessRules
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings
from bot.storage.database.repository import Repository
from bot.storage.schema import guilds, holds, studii_keys


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A server's settings, key and rules."""

    settings: GuildSettings
    key: StudiiKey | None = None
    hold: Hold | None = None
    access: AccessRules = field(default_factory=AccessRules)
    words: tuple[WordRule, ...] = ()


class Servers(Repository):
    """Servers within one transaction."""

    async def some(self, guild_ids: Collection[int], at: datetime) -> dict[int, ServerConfig]:
        """Return the configuration of each of the servers, the defaults for those that have none."""
        ids = list(guild_ids)
        found = (await self._session.execute(_SERVERS, {"guilds": ids})).mappings()
        rows = {row[guilds.c.guild_id]: row for row in found}
        made = {one: ServerConfig(GuildSettings(one)) for one in ids}
        if not rows:
            return made
        rules = await self._session.run(lambda session: access.of_servers(session, ids, at))
        words = await self._of_servers(cast("Table", WordRule.__table__), ids)
        for one, row in rows.items():
            key = _part(row, studii_keys, "id")
            hold = _part(row, holds, "guild_id")
            made[one] = ServerConfig(
                _settings(row),
                None if key is None else StudiiKey(**key),
                None if hold is None else Hold(**hold),
                rules[one],
                in_order(WordRule(**rule) for rule in words.get(one, [])),
            )
        return made

    async def _of_servers(self, table: Table, guild_ids: list[int]) -> dict[int, list[RowMapping]]:
        found: dict[int, list[RowMapping]] = {}
        for row in (await self._session.execute(_of_servers(table), {"guilds": guild_ids})).mappings():
            found.setdefault(row["guild_id"], []).append(row)
        return found


def _settings(row: RowMapping) -> GuildSettings:
    mapped = GuildSettings.__mapper__
    return GuildSettings(**{mapped.get_property_by_column(one).key: row[one] for one in guilds.c})


def _part(row: RowMapping, table: Table, present: str) -> dict[str, Any] | None:
    """Return the table's columns of a joined row, or None if it has no row of that table."""
    if row[table.c[present]] is None:
        return None
    return {column.name: row[column] for column in table.c}


# Statements, made once (see `Session.execute`).
_SERVERS = (
    select(guilds, studii_keys, holds)
    .select_from(
        guilds.outerjoin(studii_keys, studii_keys.c.id == guilds.c.key_id).outerjoin(
            holds, holds.c.guild_id == guilds.c.guild_id
        )
    )
    .where(guilds.c.guild_id.in_(bindparam("guilds", expanding=True)))
)


@cache
def _of_servers(table: Table) -> Select[Any]:
    return select(table).where(table.c.guild_id.in_(bindparam("guilds", expanding=True)))
