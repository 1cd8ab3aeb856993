"""`/studii` is one group, to which every extension adds its commands in the same way."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.catalog import Catalog
from bot.client.bot import EXTENSIONS, StudiiBot
from bot.client.login import photo_intents
from tests.support.desk import Desk, open_desk
from tests.support.simulated import NoAnswers, no_progress


def bot_of(desk: Desk, extensions: Sequence[str] = EXTENSIONS) -> StudiiBot:
    bot = StudiiBot(Catalog.load(), intents=photo_intents(), extensions=extensions)
    bot.attach(desk.services, desk.clock, NoAnswers(), no_progress)
    return bot


async def tree(desk: Desk, extensions: Sequence[str]) -> dict[Any, Any]:
    """Return what would be registered, by type and name; the commands of a group by their names."""
    async with bot_of(desk, extensions) as bot:
        for extension in extensions:
            await bot.load_extension(extension)
        return {(one["type"], one["name"]): by_name(one) for one in payloads(bot)}


def payloads(bot: StudiiBot) -> list[dict[str, Any]]:
    return [command.to_dict(bot.tree) for command in bot.tree.get_commands()]


def by_name(command: dict[str, Any]) -> dict[str, Any]:
    if command["name"] != "studii":
        return command
    return command | {"options": {one["name"]: one for one in command["options"]}}


def characters(one: dict[str, Any]) -> int:
    """Return the characters that count towards Discord's limit of a command."""
    own = sum(len(str(one.get(part, ""))) for part in ("name", "description", "value"))
    return own + sum(characters(part) for part in (*one.get("options", ()), *one.get("choices", ())))


async def test_every_command_is_within_discords_bounds(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, bot_of(desk) as bot:
        for extension in EXTENSIONS:
            await bot.load_extension(extension)
        for command in payloads(bot):
            assert characters(command) <= 8000
            assert len(command.get("options", ())) <= 25
