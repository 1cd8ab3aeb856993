"""`/studii language` says why a server's channels speak the language that they do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.domain.guilds import ServerLanguage
from bot.languages import Language
from bot.ui.admin.language import language_line, language_panel
from tests.support.desk import open_desk, texts
from tests.support.panels import words
from tests.support.pseudo.letters import read


def server(*features: str) -> Any:
    return SimpleNamespace(features=features, preferred_locale=discord.Locale.french)


@pytest.mark.parametrize(
    ("known", "guild", "said"),
    [
        (ServerLanguage(Language.FRENCH, None), server(), "**Automatic** follows Discord again."),
        (
            ServerLanguage(None, Language.GERMAN),
            server("COMMUNITY"),
            "**Français**\nFrom this Community server's primary language in Discord.",
        ),
        (
            ServerLanguage(None, Language.GERMAN),
            server(),
            "**Deutsch**\nFrom the Discord app of the admin who set up the bot.",
        ),
        (ServerLanguage(None, None), None, "**English**\nThe default."),
    ],
)
def test_where_the_language_comes_from_is_said_beside_it(
    known: ServerLanguage, guild: Any, said: str
) -> None:
    assert said in words(language_panel(known, guild))


@pytest.mark.promise
async def test_a_chosen_language_is_shown_in_the_setup_without_how_to_choose_it(tmp_path: Path) -> None:
    chosen = ServerLanguage(Language.FRENCH, None)
    assert read(language_line(chosen, None)) == "✅ **Language**: Français"
    async with open_desk(tmp_path) as desk:
        shown = await desk.admin.slash(desk.channel, "studii language", language="en")
        assert "**English**\nChosen with `/studii language`." in texts(shown)
