"""Save, find and remove styles of members and of servers."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from bot.catalog import Tool
from bot.domain.styles import (
    MAX_STYLE_NAME_CHARACTERS,
    MAX_STYLE_ROLES,
    MAX_STYLES,
    OF_SERVER,
    Style,
    style_key,
    style_name,
)
from bot.errors import NotAllowed, Refused
from bot.languages import lazy, nlazy
from bot.services.moderation.words import ensure_words_allowed
from bot.services.service import ToolService
from bot.storage import Transaction

NO_NAME = lazy("A style needs a name that can be read. Nothing was saved.")
LONG_NAME = nlazy(
    "A style's name can have at most {count} character. Nothing was saved.",
    "A style's name can have at most {count} characters. Nothing was saved.",
    MAX_STYLE_NAME_CHARACTERS,
)
NAME_TAKEN = lazy(
    "You already have a style “{name}”. Choose another name, or remove that one. Nothing was saved."
)
TAKEN_HERE = lazy(
    "This server already has a style “{name}”. Choose another name, or remove that one with `/studii styles "
    "remove`. Nothing was saved."
)
FULL = nlazy(
    "You have {count} style here, the limit. Remove it with `/styles` first. Nothing was saved.",
    "You have {count} styles here, the limit. Remove one with `/styles` first. Nothing was saved.",
    MAX_STYLES,
)
FULL_HERE = nlazy(
    "This server has {count} style, the limit. Remove it with `/studii styles remove` first. Nothing was "
    "saved.",
    "This server has {count} styles, the limit. Remove one with `/studii styles remove` first. Nothing was "
    "saved.",
    MAX_STYLES,
)
UNKNOWN = lazy("There's no style “{name}” here. `/styles` shows those that you can use. Nothing was charged.")
STYLE_GONE = lazy("That style has been removed. `/styles` shows those that you can use. Nothing was charged.")
NOT_HERE = lazy("This server has no style “{name}”. `/studii styles show` lists them. Nothing was changed.")
NOT_FOR_YOU = lazy("That style is only for {roles}. An admin can change this with `/studii styles`.")
NOT_YOURS = lazy("That style isn't yours. Nothing was changed.")
MANY_ROLES = nlazy(
    "A style can be for at most {count} role. Nothing was changed.",
    "A style can be for at most {count} roles. Nothing was changed.",
    MAX_STYLE_ROLES,
)
NOT_LIMITED = lazy("That style isn't limited to this role. Nothing was changed.")
STYLE_TEXT_TOO_LONG = lazy(
    "`{name}` can have at most {most} characters. Yours has {count}. Nothing was saved."
)


@dataclass(frozen=True, slots=True)
class NewStyle:
    """A style that is to be saved, by a member for themselves, or for the server."""

    guild_id: int
    user_id: int
    name: str
    tool: Tool
    inputs: Mapping[str, str]
    for_server: bool
    job_id: str | None = None  # whose result shows what it makes
    role_id: int | None = None  # the only role that may use it


class StyleService(ToolService):
    """Styles of all servers."""

    async def usable(self, guild_id: int, user_id: int, roles: frozenset[int]) -> list[Style]:
        """Return the styles that the member may use: their own, then the server's, by name."""
        async with self._storage.read() as transaction:
            found = await transaction.styles.of(guild_id, user_id, OF_SERVER)
        return [style for style in found if style.usable_by(user_id, roles)]

    async def of_server(self, guild_id: int) -> list[Style]:
        """Return the server's styles, by name."""
        async with self._storage.read() as transaction:
            return await transaction.styles.of(guild_id, OF_SERVER)

    async def get(self, style_id: str, guild_id: int, user_id: int, roles: frozenset[int]) -> Style:
        """Return the style. Raises `Refused` if it is gone, or if the member may not use it."""
        async with self._storage.read() as transaction:
            style = await _style_in_server(transaction, guild_id, style_id)
        if not style.usable_by(user_id, roles):
            if not style.of_server:
                raise Refused(STYLE_GONE)
            raise NotAllowed(NOT_FOR_YOU.using(roles=" ".join(f"<@&{one}>" for one in sorted(style.roles))))
        return style

    async def named(
        self, guild_id: int, user_id: int, roles: frozenset[int], name: str, tool: str | None = None
    ) -> Style | None:
        """Return the member's own style of that name, else the server's, or None; with `tool`, of that tool
        rather than of another."""
        key = style_key(name)
        found = [one for one in await self.usable(guild_id, user_id, roles) if style_key(one.name) == key]
        return next((one for one in found if one.tool == tool), found[0] if found else None)

    async def save(self, new: NewStyle) -> Style:
        """Save the style. Raises `Refused` if its name, its words or their number don't allow it."""
        style = self._style(new)
        taken, full = (TAKEN_HERE, FULL_HERE) if new.for_server else (NAME_TAKEN, FULL)
        async with self._changing() as transaction:
            texts = [style.name, *new.tool.chosen(style.inputs).values()]
            await ensure_words_allowed(transaction, new.guild_id, texts)
            there = await transaction.styles.named(style.guild_id, style.user_id, style.name)
            if there is not None:
                raise Refused(taken.using(name=there.name))
            if await transaction.styles.count(style.guild_id, style.user_id) >= MAX_STYLES:
                raise Refused(full)
            await transaction.styles.add(style)
        return style

    async def remove(self, style_id: str, guild_id: int, user_id: int) -> Style:
        """Remove a member's own style. Raises `Refused` if it is gone, or is another member's."""
        async with self._changing() as transaction:
            style = await _style_in_server(transaction, guild_id, style_id)
            if style.user_id != user_id or style.of_server:
                raise Refused(NOT_YOURS)
            await transaction.styles.remove(style_id)
        return style

    async def remove_from_server(self, guild_id: int, name: str) -> Style:
        """Remove a server's style, also from emoji. Raises `Refused` if there is none of that name."""
        async with self._changing() as transaction:
            style = await _style_of_server(transaction, guild_id, name)
            await transaction.styles.remove(style.id)
            await transaction.photo_rules.forget_style(guild_id, style.id)
        return style

    async def set_role(self, guild_id: int, name: str, role_id: int, *, may: bool) -> Style:
        """Let a role use a server's style, or no longer. The first role excludes everyone else.

        Raises `Refused` if there is no such style, or nothing changes.
        """
        async with self._changing() as transaction:
            style = await _style_of_server(transaction, guild_id, name)
            if not may and role_id not in style.roles:
                raise Refused(NOT_LIMITED)
            roles = style.roles | {role_id} if may else style.roles - {role_id}
            if len(roles) > MAX_STYLE_ROLES:
                raise Refused(MANY_ROLES)
            await transaction.styles.set_roles(style.id, roles)
            changed = await transaction.styles.get(style.id)
        return changed or style

    def _style(self, new: NewStyle) -> Style:
        name = style_name(new.name)
        if not style_key(name):
            raise Refused(NO_NAME)
        if len(name) > MAX_STYLE_NAME_CHARACTERS:
            raise Refused(LONG_NAME)
        declared = {one.name: one for one in new.tool.inputs}
        inputs = {key: value for key, value in new.inputs.items() if key in declared and value.strip()}
        for key, value in inputs.items():
            most = declared[key].max_length
            if len(value) > most:
                raise Refused(STYLE_TEXT_TOO_LONG.using(name=key, most=most, count=len(value)))
        return Style(
            id=secrets.token_hex(8),
            guild_id=new.guild_id,
            user_id=OF_SERVER if new.for_server else new.user_id,
            name=name,
            tool=new.tool.slug,
            inputs=inputs,
            created_at=self._clock.now(),
            roles=frozenset() if new.role_id is None else frozenset({new.role_id}),
            made_by=new.user_id if new.for_server else None,
            job_id=new.job_id,
        )


async def _style_in_server(transaction: Transaction, guild_id: int, style_id: str) -> Style:
    """Return a style of the server or a member there. Raises `Refused` if it is gone."""
    style = await transaction.styles.get(style_id)
    if style is None or style.guild_id != guild_id:
        raise Refused(STYLE_GONE)
    return style


async def _style_of_server(transaction: Transaction, guild_id: int, name: str) -> Style:
    """Return the server's style of that name. Raises `Refused` if there is none."""
    style = await transaction.styles.named(guild_id, OF_SERVER, name)
    if style is None:
        raise Refused(NOT_HERE.using(name=style_name(name)[:MAX_STYLE_NAME_CHARACTERS]))
    return style
