"""What people see of commands while they type is in their language, and within Discord's limits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.catalog import SHIPPED, Catalog
from bot.languages import known_language
from tests.support.desk import open_desk

LOCALES = {"en-US", "de", "fr", "es-ES", "es-419", "pt-BR", "ja"}


# Of the sentences marked in cogs: filled in, so found with what is filled in.
@pytest.fixture
async def sent(tmp_path: Path) -> list[dict[str, Any]]:
    """What Discord is told of the commands."""
    async with open_desk(tmp_path) as desk:
        (call,) = [one for one in desk.env.http_requests if one.method == "PUT" and "commands" in one.path]
        payload: Any = call.json
        return payload


def parts(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the command, its options and their choices."""
    yield command
    for part in (*command.get("options", ()), *command.get("choices", ())):
        yield from parts(part)


def translations(part: dict[str, Any], name: str) -> dict[str, str]:
    return part.get(f"{name}_localizations") or {}


def named(found: list[dict[str, Any]], *path: str) -> dict[str, Any]:
    (part,) = [one for one in found if one["name"] == path[0]]
    return named(part["options"], *path[1:]) if len(path) > 1 else part


def length(command: dict[str, Any]) -> int:
    """Return how long the command is for Discord, which counts the longest language of each text."""
    total = 0
    for part in parts(command):
        for name in ("name", "description"):
            total += max(map(len, (part.get(name, ""), *translations(part, name).values())))
        total += len(str(part.get("value", "")))
    return total


def longest_beside_english(command: dict[str, Any]) -> list[str]:
    """Return the translations to shorten first."""
    beside = [
        (len(text) - len(part[name]), f"{locale}: {text}")
        for part in parts(command)
        for name in ("name", "description")
        for locale, text in translations(part, name).items()
    ]
    return [text for _, text in sorted(beside, reverse=True)[:10]]


@pytest.mark.promise
def test_texts_are_in_all_locales_and_names_that_are_typed_stay(sent: list[dict[str, Any]]) -> None:
    staging = named(sent, "virtual-staging")
    assert staging["description_localizations"].keys() == LOCALES
    style = named(sent, "virtual-staging", "style")
    assert style["description_localizations"]["en-US"] == style["description"]
    assert (
        style["description_localizations"]["de"]
        == "Der Stil der Möbel, oder ein Stil von dir oder diesem Server"
    )
    menu = named(sent, "Career portrait")
    assert menu["name_localizations"]["de"] == "Bewerbungsfoto"
    for command in sent:
        is_menu = "description" not in command
        for part in parts(command):
            assert is_menu or "value" in part or not part.get("name_localizations")


@pytest.mark.promise
def test_commands_are_within_discords_limits(sent: list[dict[str, Any]]) -> None:
    for command in sent:
        is_menu = "description" not in command
        for part in parts(command):
            assert len(part.get("options", ())) <= 25
            assert len(part.get("choices", ())) <= 25
            for name in ("name", "description"):
                for text in (part.get(name, "x"), *translations(part, name).values()):
                    assert 1 <= len(text) <= (32 if is_menu else 100)


@pytest.mark.promise
def test_nothing_is_cut(sent: list[dict[str, Any]]) -> None:
    cut = [
        text
        for command in sent
        for part in parts(command)
        for name in ("name", "description")
        for text in translations(part, name).values()
        if text.endswith("…") and not part[name].endswith("…")
    ]
    assert not cut


@pytest.mark.promise
async def test_a_tool_whose_style_an_operator_describes_at_length_is_within_them_too(tmp_path: Path) -> None:
    own, said = tmp_path / "tools.toml", "The style of the furniture"
    shipped = SHIPPED.read_text("utf-8")
    assert said in shipped
    own.write_text(shipped.replace(said, said.ljust(100, ".")), "utf-8")
    async with open_desk(tmp_path, catalog=Catalog.load(own)) as desk:
        (call,) = [one for one in desk.env.http_requests if one.method == "PUT" and "commands" in one.path]
        payload: Any = call.json
    test_commands_are_within_discords_limits(payload)
    style = named(payload, "virtual-staging", "style")
    assert style["description"].startswith("A style that you or this server saved")


@pytest.mark.promise
def test_no_command_is_too_long_for_discord(sent: list[dict[str, Any]]) -> None:
    for command in sent:
        # /studii is the longest by far: the next sentence has to fit, too.
        limit = 7950 if command["name"] == "studii" else 8000
        assert length(command) <= limit, f"shorten, such as: {longest_beside_english(command)}"


def test_every_locale_of_discord_that_is_spoken_has_its_texts() -> None:
    spoken = {locale.value for locale in discord.Locale if known_language(locale.value)}
    assert spoken - LOCALES == {"en-GB"}  # Discord shows its people American English
