"""`/privacy` says what becomes of a member's pictures."""

from pathlib import Path

import pytest

from bot.jobs.best_results import consent
from tests.support.desk import open_desk, texts
from tests.ui.jobs.listing.test_listing import press


@pytest.mark.promise
async def test_a_member_sees_and_changes_whether_starred_results_are_shown(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await desk.maya.slash(desk.channel, "privacy")
        assert "Your results aren't shown in a server's channel for the best" in texts(shown)
        await press(desk, desk.maya, shown, "Show my results")
        assert "Your starred results are shown from now on, with your name." in texts(shown)
        shown = await desk.maya.slash(desk.channel, "privacy")
        assert "can be shown in a server's channel for the best, with your name." in texts(shown)
        await press(desk, desk.maya, shown, "Don't show them")
        assert "Your results aren't shown, and those that were are removed." in texts(shown)
        answered = await desk.services.db.read(consent, desk.maya.id)
        assert answered is None or not answered.agreed
