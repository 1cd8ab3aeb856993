"""Servers' rules for reactions and photo channels."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, select
from sqlalchemy.engine import RowMapping

from bot.domain.photo_rules import Emoji, PhotoChannel, PhotoRules, Preset
from bot.storage.database.repository import Repository
from bot.storage.database.unreadable import json_object
from bot.storage.schema import photo_channels, reaction_emoji, reaction_places

WHOLE_SERVER = 0


class PhotoRulesByServer(Repository):
    """Photo rules within one transaction. A server without rows has the defaults: everything is off."""

    async def get(self, guild_id: int) -> PhotoRules:
        return (await self._rules(guild_id)).get(guild_id, PhotoRules(guild_id))

    async def all(self) -> dict[int, PhotoRules]:
        """Return the rules of every server that has any, by its id."""
        return await self._rules(None)

    async def turn_on(self, guild_id: int, channel_id: int | None) -> None:
        """Turn reactions on in the channel, or in the whole server (None)."""
        key = {"guild_id": guild_id, "channel_id": channel_id or WHOLE_SERVER}
        await self._session.put_new(reaction_places, key, {})

    async def turn_off(self, guild_id: int, channel_id: int | None) -> None:
        """Turn reactions off in the channel, or everywhere (None)."""
        place = {} if channel_id is None else {"channel_id": channel_id}
        await self._session.remove(reaction_places, {"guild_id": guild_id, **place})

    async def map(self, guild_id: int, emoji: Emoji, preset: Preset | None) -> None:
        """Map the emoji to the preset, or to no tool (None)."""
        values = {
            "name": emoji.name,
            "emoji_id": emoji.id,
            "animated": emoji.animated,
            "tool": preset.tool if preset else None,
            "inputs": dict(preset.inputs) if preset else {},
            "style_id": preset.style_id if preset else None,
        }
        await self._session.put(reaction_emoji, {"guild_id": guild_id, "emoji": emoji.key}, values)

    async def forget(self, guild_id: int, emoji: Emoji) -> None:
        """Remove the server's own mapping of the emoji, so that the catalogue's applies."""
        await self._session.remove(reaction_emoji, {"guild_id": guild_id, "emoji": emoji.key})

    async def set_channel(self, guild_id: int, channel: PhotoChannel) -> None:
        preset = channel.preset
        values = {
            "kind": channel.kind,
            "tool": preset.tool if preset else None,
            "inputs": dict(preset.inputs) if preset else {},
            "most": channel.most,
        }
        key = {"guild_id": guild_id, "channel_id": channel.channel_id}
        await self._session.put(photo_channels, key, values)

    async def clear_channel(self, guild_id: int, channel_id: int) -> None:
        await self._session.remove(photo_channels, {"guild_id": guild_id, "channel_id": channel_id})

    async def count(self, guild_id: int) -> tuple[int, int]:
        """Return the number of emoji and of channels with rules of their own."""
        channels = await self._count(photo_channels, guild_id) + await self._count(reaction_places, guild_id)
        return await self._count(reaction_emoji, guild_id), channels

    async def _count(self, table: Table, guild_id: int) -> int:
        query = select(func.count()).select_from(table).where(table.c.guild_id == guild_id)
        return (await self._session.execute(query)).scalar_one()

    async def _rules(self, guild_id: int | None) -> dict[int, PhotoRules]:
        places = await self._by_guild(reaction_places, guild_id)
        emoji = await self._by_guild(reaction_emoji, guild_id)
        channels = await self._by_guild(photo_channels, guild_id)
        return {
            one: PhotoRules(
                one,
                everywhere=any(row["channel_id"] == WHOLE_SERVER for row in places.get(one, ())),
                reaction_channels=frozenset(row["channel_id"] for row in places.get(one, ()))
                - {WHOLE_SERVER},
                emoji=_emoji(emoji.get(one, ())),
                channels={row["channel_id"]: _channel(row) for row in channels.get(one, ())},
            )
            for one in places.keys() | emoji.keys() | channels.keys()
        }

    async def _by_guild(self, table: Table, guild_id: int | None) -> dict[int, list[RowMapping]]:
        query = _rows_of(table, in_one=guild_id is not None)
        found: dict[int, list[RowMapping]] = {}
        key = list(table.primary_key.columns)
        for row in await self._session.rows(query, readable, key, {"guild": guild_id}):
            found.setdefault(row["guild_id"], []).append(row)
        return found


def readable(row: RowMapping) -> RowMapping:
    """Return the row. Raises `TypeError` if its inputs are not a JSON object."""
    if "inputs" in row:
        json_object(row["inputs"])
    return row


def _emoji(rows: Iterable[RowMapping]) -> Mapping[str, tuple[Emoji, Preset | None]]:
    return {
        row["emoji"]: (Emoji(row["name"], row["emoji_id"], row["animated"]), _preset(row)) for row in rows
    }


def _channel(row: Mapping[Any, Any]) -> PhotoChannel:
    return PhotoChannel(row["channel_id"], row["kind"], _preset(row), row["most"])


def _preset(row: Mapping[Any, Any]) -> Preset | None:
    return None if row["tool"] is None else Preset(row["tool"], row["inputs"], row.get("style_id"))


@cache
def _rows_of(table: Table, *, in_one: bool) -> Select[Any]:
    """Return the query of the table's rows, made once (see `Session.execute`)."""
    query = select(table)
    return query.where(table.c.guild_id == bindparam("guild")) if in_one else query
