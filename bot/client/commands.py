"""Register the bot's commands with Discord, their texts in all languages that are spoken.

Names of commands and options stay: members tell each other to type them.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location, locale_str

from bot import meta
from bot.db import Database
from bot.errors import SettingsError
from bot.languages import Language, known_language, speaking, unfilled
from bot.ui.kit.answers import NO_ACCESS
from bot.ui.kit.layout import know_commands

_log = logging.getLogger(__name__)
# Of the names under which the digest of the commands is kept that were registered last: before the id of a
# server with commands of its own, or "global".
PREFIX = "commands:"


async def register_commands(
    tree: app_commands.CommandTree[Any], db: Database, dev_guild_id: int | None
) -> None:
    """Register the commands with Discord if they have changed since the last time.

    A hash of the sent payload is stored, as what Discord returns differs from it in many small ways; and the
    ids of the commands, for `link_commands`.
    """
    kept, name = await db.read(meta.names, PREFIX), name_of(dev_guild_id)
    for other in sorted(int(one.removeprefix(PREFIX)) for one in kept if one not in {name, name_of(None)}):
        await _take_back(tree, db, other)
    guild = discord.Object(dev_guild_id) if dev_guild_id is not None else None
    if guild is not None:
        tree.copy_global_to(guild=guild)
    payload = await translated_payload(tree, guild)
    digest = _digest(tree, payload) + b" "
    if (await db.read(meta.get, name) or b"").startswith(digest):
        return
    try:
        ids = {one.name: one.id for one in await tree.sync(guild=guild)}
    except NO_ACCESS as error:
        if guild is None:
            raise
        raise SettingsError(
            f"DEV_GUILD_ID: the bot isn't in server {guild.id}, or was invited without commands."
        ) from error
    await db.write(meta.set_to, name, digest + json.dumps(ids).encode())
    _log.info(
        "%d commands registered %s.", len(payload), "everywhere" if guild is None else f"in server {guild.id}"
    )


async def link_commands(tree: app_commands.CommandTree[Any], db: Database, dev_guild_id: int | None) -> None:
    """Let texts link the commands that were registered last, by whichever process."""
    _, _, stored = (await db.read(meta.get, name_of(dev_guild_id)) or b"").partition(b" ")
    ids: dict[str, int] = json.loads(stored or b"{}")
    leaves = (one for one in tree.walk_commands() if isinstance(one, app_commands.Command))
    roots = {one.qualified_name: (one.root_parent or one).name for one in leaves}
    know_commands({name: ids[root] for name, root in roots.items() if root in ids})


def name_of(guild_id: int | None) -> str:
    """Return the name under which the digest of a server's commands, or of everyone's, is kept."""
    return f"{PREFIX}{'global' if guild_id is None else guild_id}"


async def translated_payload(
    tree: app_commands.CommandTree[Any], guild: discord.Object | None
) -> list[dict[str, Any]]:
    """Return the commands as they are sent to Discord, in all languages."""
    translator = tree.translator
    return [
        command.to_dict(tree)
        if translator is None
        else await command.get_translated_payload(tree, translator)
        for command in tree.get_commands(guild=guild)
    ]


async def _take_back(tree: app_commands.CommandTree[Any], db: Database, guild_id: int) -> None:
    """Remove what an earlier DEV_GUILD_ID registered: people there would see each command twice."""
    try:
        await tree.sync(guild=discord.Object(guild_id))  # no commands were added for that server
    except NO_ACCESS:
        _log.info("The bot is no longer in server %d, so it has no commands there.", guild_id)
    await db.write(meta.remove, name_of(guild_id))


def _digest(tree: app_commands.CommandTree[Any], payload: list[dict[str, Any]]) -> bytes:
    text = json.dumps([tree.client.application_id, payload], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest().encode()


_TEXTS = frozenset(
    {
        Location.choice_name,
        Location.command_description,
        Location.group_description,
        Location.parameter_description,
    }
)
_WORDING = "wording"


def localised(wording: Callable[[], str]) -> locale_str:
    """Return a text that `wording` returns in the language that is spoken, in English by default."""
    with speaking(Language.ENGLISH):
        return locale_str(wording(), **{_WORDING: wording})


class CatalogueTranslator(app_commands.Translator):
    """Looks texts up in the catalogues of translations."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        language = known_language(locale.value)
        menu = context.location is Location.command_name and isinstance(
            context.data, app_commands.ContextMenu
        )
        # Names that are typed stay as they are. Discord takes American English for British.
        if (
            language is None
            or locale is discord.Locale.british_english
            or not (menu or context.location in _TEXTS)
        ):
            return None
        wording: Callable[[], str] | None = string.extras.get(_WORDING)
        with speaking(language):
            said = unfilled(string.message) if wording is None else wording()
        # What isn't translated is English by default.
        return None if said == string.message and language is not Language.ENGLISH else said
