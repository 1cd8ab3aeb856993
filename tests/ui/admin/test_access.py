"""`/studii access` says what it has changed, and `/privacy` what becomes of a member's pictures."""

from pathlib import Path

import pytest

from tests.support.desk import open_desk, texts
from tests.ui.jobs.listing.test_listing import press


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("photos", "anyone", "Members can now use the tools on anyone's photos."),
        ("photos", "own", "Members can now use the tools on their own photos only."),
        ("portraits", "anyone", "Members can now use tools that change a person on anyone's photos."),
        ("portraits", "own", "Members can now use tools that change a person on their own photos only."),
        ("private", "everyone", "Everyone can now use `private`."),
        ("extra", "managers", "Members with Manage Server can now use `extra`."),
        ("extra", "nobody", "No one can now use `extra`."),
    ],
)
async def test_each_change_is_said_above_the_rules(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await desk.admin.slash(desk.channel, "studii access", **{option: value})
        assert f"✅ {said}" in texts(shown)


async def test_an_option_can_be_for_admins_and_a_role(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        role = desk.guild.create_role("Designers")
        shown = texts(await desk.admin.slash(desk.channel, "studii access", private="managers", role=role))
        assert f"Members with Manage Server can now use `private`, and so can <@&{role.id}>." in shown
        assert f"`private`: **Manage Server, <@&{role.id}>**" in shown


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
        assert not await desk.services.best.consent(desk.maya.id)
