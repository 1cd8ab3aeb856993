"""`/settings` says what becomes of a member's pictures, and changes it at the press."""

from typing import Any

import pytest

from bot.jobs.best_results import consent
from bot.servers import access
from tests.support.desk import Desk, make_bot, texts
from tests.support.posts import open_posts
from tests.support.presses import press
from tests.support.settings import control

USE, STARRED = "Others can use your photos", "Your starred results are shown"


async def refuses(desk: Desk) -> bool:
    return bool(await desk.services.db.read(access.refusing_photos, [desk.maya.id]))


@pytest.mark.promise
async def test_a_member_sees_and_changes_whether_others_can_use_their_photos(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    assert shown.ephemeral
    assert shown.response is not None
    assert f"**{USE}**: on\n-# Others can use the tools on photos you post" in texts(shown)
    for value, after in (("off", True), ("on", False)):
        await desk.maya.click(shown.response, custom_id=f"studii:put:settings:photos:{value}")
        assert f"✅ **{USE}**: changed from {'on to off' if after else 'off to on'}." in texts(shown)
        assert await refuses(desk) is after


@pytest.mark.promise
async def test_a_member_sees_and_changes_whether_starred_results_are_shown(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    assert shown.response is not None
    assert "Your results aren't shown in a server's channel for the best" in texts(shown)
    for value in ("on", "off"):
        await desk.maya.click(shown.response, custom_id=control(shown, "studii:put:settings:starred"))
        assert f"**{STARRED}**: {value}" in texts(shown)
        answered = await desk.services.db.read(consent, desk.maya.id)
        assert bool(answered and answered.agreed) is (value == "on")


@pytest.mark.promise
async def test_each_presses_for_themselves_also_after_a_restart_and_no_log_hears_of_it(
    desk: Desk,
) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    message: Any = shown.response
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.services)[0])
    custom_id = "studii:put:settings:photos:off"
    await press(desk, desk.tom, await desk.channel_message(custom_id), custom_id)
    assert not await refuses(desk)
    await desk.maya.click(message, custom_id=custom_id)
    assert await refuses(desk)
    assert await desk.db.read(open_posts) == []
