"""How results say that AI made them."""

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.features import posting
from bot.ui.settings.setup import writable
from tests.delivery.finished import finished, output
from tests.support.desk import Desk, texts
from tests.support.posts import tell_end
from tests.support.settings import admin


async def posted(desk: Desk, folder: Path) -> str:
    await tell_end(desk.delivery, await finished(desk), output(folder))
    return texts(desk.channel.history()[-1])


@pytest.mark.promise
async def test_a_result_says_that_ai_made_it_unless_the_server_turns_that_off(
    desk: Desk,
    tmp_path: Path,
) -> None:
    assert "-# ✨ Made with AI" in await posted(desk, tmp_path)
    answer = await admin(desk, "disclosure", line="Computed, by @everyone")
    assert "Computed, by" in texts(answer)
    shown = await posted(desk, tmp_path)
    assert "✨ Computed, by" in shown
    assert "@everyone" not in shown
    answer = await admin(desk, "disclosure", line="OFF")
    assert "**Under each result**: –" in texts(answer)
    assert "✨" not in await posted(desk, tmp_path)


@pytest.mark.promise
async def test_the_words_on_staged_pictures_and_their_place_are_set(desk: Desk) -> None:
    answer = await admin(desk, "disclosure", staging="Virtually staged", place="top-right")
    assert "✅ **Corner for these words**: changed from bottom left to top right." in texts(answer)
    assert "isn't legal advice" in texts(answer)
    rules = await desk.services.db.read(posting.of, desk.guild.id)
    assert (rules.staging_label, rules.staging_corner) == ("Virtually staged", "top-right")


def test_words_that_can_not_be_written_are_refused() -> None:
    for words in (
        "Virtuell möbliert (KI)",
        "Виртуальный стейджинг",
        "Εικονική",
        "バーチャル家具（AI）",
    ):
        assert writable({"value": f" {words}\n"}) == words
    for words in ("虚拟布置", "가상 스테이징", "تأثيث افتراضي", "staged 🛋️"):
        with pytest.raises(Refused, match="Only Latin, Greek"):
            writable({"value": words})
