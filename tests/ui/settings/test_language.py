"""The language of a server's channels."""

from pathlib import Path

import pytest

from bot.languages import Language
from bot.servers import settings
from tests.support.desk import open_desk, texts
from tests.support.settings import admin


@pytest.mark.promise
async def test_a_chosen_language_is_shown_in_the_setup_and_can_be_automatic_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = texts(await admin(desk, "language", language="fr"))
        assert "✅ **Language**: changed from Automatic to Français." in shown
        assert "**Language**: Français\n" in shown
        assert (await desk.services.db.read(settings.of, desk.guild.id)).chosen_language is Language.FRENCH
        shown = texts(await admin(desk, "language", language="automatic"))
        assert "**Language**: English\n" in shown
