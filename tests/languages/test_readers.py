"""Each person reads their own language; a channel reads the server's."""

from gettext import NullTranslations
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.jobs.models import JobState
from bot.languages import Language
from tests.support.desk import Desk, pieces, texts
from tests.support.presses import app_in
from tests.support.settings import change
from tests.ui.jobs.late import answering, kept_desk, until


class Marked(NullTranslations):
    """Translates each sentence to itself behind its language's name."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def gettext(self, message: str) -> str:
        return f"{self._language}|{message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.languages.translations_of", Marked)


def languages_of(shown: Any) -> set[str]:
    """Return the languages of the sentences in an answer or a message."""
    return {one.value for one in Language if f"{one.value}|" in texts(shown)}


async def choose(desk: Desk, language: str) -> None:
    await change(desk, "setup", "language", language)


@pytest.mark.promise
async def test_progress_is_in_its_persons_language_also_when_it_is_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept_desk(tmp_path, monkeypatch) as desk:
        await choose(desk, "de")
        with app_in("ja"):
            shown = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        assert languages_of(shown) == {"ja"}
        async with answering(desk):
            await desk.move(await desk.job(), JobState.WAITING, JobState.CANCELLED)
            await until(lambda: "Cancel job" not in str(pieces(shown)))
        assert languages_of(shown) == {"ja"}


@pytest.mark.promise
async def test_the_first_setup_gives_the_server_its_language(desk: Desk) -> None:
    with app_in("pt-BR"):
        shown = await desk.admin.slash(desk.channel, "studii setup")
    assert "Português do Brasil" in texts(shown)
    assert await desk.bot.readers.in_server(desk.guild.id) == "pt_BR"
    await choose(desk, "en")
    assert await desk.bot.readers.in_server(desk.guild.id) == "en"
    await choose(desk, "automatic")
    assert await desk.bot.readers.in_server(desk.guild.id) == "pt_BR"


@pytest.mark.promise
async def test_a_community_server_speaks_the_language_that_it_has_in_discord(desk: Desk) -> None:
    guild = desk.bot.get_guild(desk.guild.id)
    assert guild is not None
    guild.features = ["COMMUNITY"]
    guild.preferred_locale = discord.Locale.german
    with app_in("pt-BR"):
        await desk.admin.slash(desk.channel, "studii setup")
    assert await desk.bot.readers.in_server(desk.guild.id) == "de"
    guild.features = []  # every other server has a preferred language too, which nobody can choose there
    assert await desk.bot.readers.in_server(desk.guild.id) == "pt_BR"
