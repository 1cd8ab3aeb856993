"""`/studii access` says what it has changed."""

from pathlib import Path

import pytest

from tests.support.desk import open_desk, texts


@pytest.mark.promise
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


@pytest.mark.promise
async def test_an_option_can_be_for_admins_and_a_role(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        role = desk.guild.create_role("Designers")
        shown = texts(await desk.admin.slash(desk.channel, "studii access", private="managers", role=role))
        assert f"Members with Manage Server can now use `private`, and so can <@&{role.id}>." in shown
        assert f"`private`: **Manage Server, <@&{role.id}>**" in shown
