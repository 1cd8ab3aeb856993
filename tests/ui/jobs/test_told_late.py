"""A job that starts late, where its card can be posted by nobody now, is told to its person."""

from pathlib import Path

import pytest

from tests.support import spending
from tests.support.desk import texts
from tests.ui.jobs.late import asked, late


async def test_a_card_that_cannot_be_posted_is_announced_to_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await spending.set_budget(desk.services, desk.guild.id, 1, None)
        await desk.tom.slash(desk.channel, "studio", prompt="A kite")  # refused, as the next may be
        await spending.set_budget(desk.services, desk.guild.id, 100, None)
        desk.env.inject_error("POST", f"/channels/{desk.channel.id}/messages", status=503, times=None)
        shown = await asked(desk, desk.maya, tmp_path)
        assert shown.ephemeral
        assert "Your job has started. Its result will be posted with a mention of you." in texts(shown)
        assert (await desk.job()).user_id == desk.maya.id
