"""The language of a server's channels."""

from pathlib import Path

import pytest

from bot.credits import limits
from bot.languages import Language
from bot.servers import settings
from tests.support.desk import Desk, open_desk, texts
from tests.support.locales import app_in
from tests.support.settings import admin, change


@pytest.mark.promise
async def test_a_chosen_language_is_shown_in_the_setup_and_can_be_automatic_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = texts(await admin(desk, "language", language="fr"))
        assert "✅ **Language**: changed from Automatic to Français." in shown
        assert "**Language**: Français\n" in shown
        assert (await desk.services.db.read(settings.of, desk.guild.id)).chosen_language is Language.FRENCH
        shown = texts(await admin(desk, "language", language="automatic"))
        assert "**Language**: English\n" in shown


@pytest.mark.promise
async def test_a_number_is_taken_and_an_error_told_as_the_admins_language_writes_it(desk: Desk) -> None:
    role = desk.guild.create_role("Designers")
    with app_in("de"):
        await change(desk, "credits", "roles", who=[role], credits="1.200")
        shown = await change(desk, "photos", "emoji", emoji="🪄", tool=["photo-restore"], inputs="room=bath")
    assert (await desk.services.db.read(limits.of_server, desk.guild.id)).roles == {role.id: 1200}
    assert "Fotorestaurierung" in shown.split("**Emoji**")[0]
