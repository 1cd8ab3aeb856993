"""Admins are told what keeps photos from being served; nobody is offered what can't be had."""

from pathlib import Path

import pytest

from tests.reactions.taps import ROOM, post
from tests.support.desk import Desk, open_desk, texts
from tests.support.settings import admin, change


@pytest.mark.promise
@pytest.mark.parametrize(
    ("command", "options", "lacking"),
    [
        ("photos offer", {}, "**Send Messages**, **Attach Files**, and **Add Reactions**"),
        ("photos auto", {"tool": "photo-restore"}, "**Send Messages** and **Attach Files**"),
        ("reactions on", {}, "**Send Messages** and **Attach Files**"),
    ],
)
async def test_an_admin_is_told_what_the_bot_lacks_in_the_channel_that_was_named(
    tmp_path: Path, command: str, options: dict[str, str], lacking: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        closed = desk.channel_for_the_bot("closed", add_reactions=False, send_messages=False)
        answer = await admin(desk, command, channel=closed, **options)
        warning = f"Nothing will run in <#{closed.id}>: I'm missing {lacking} ("
        assert warning in texts(answer)
        # The setup looks beyond the channel that it is called in.
        assert warning in texts(await desk.admin.slash(desk.channel, "studii setup"))


async def test_where_nothing_is_lacking_nothing_is_said(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        for deed in ("photos offer", "reactions on"):
            assert "Nothing will run" not in texts(await admin(desk, deed))
        assert "Nothing will run" not in texts(await desk.admin.slash(desk.channel, "studii setup"))


@pytest.mark.promise
async def test_reactions_for_the_whole_server_name_the_channels_where_they_do_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        closed = [desk.channel_for_the_bot(f"closed-{number}", attach_files=False) for number in range(7)]
        hidden = desk.channel_for_the_bot("hidden", view_channel=False)
        said = texts(await admin(desk, "reactions on"))
        assert [f"<#{channel.id}>" in said for channel in closed] == [True] * 5 + [False] * 2
        assert "The same applies to 2 more" in said
        assert f"<#{hidden.id}>" not in said


@pytest.mark.promise
@pytest.mark.parametrize(("paused", "why"), [(False, "no Studii key yet"), (True, "New jobs are paused")])
async def test_while_the_server_takes_no_jobs_admins_are_told_and_no_emoji_are_offered(
    tmp_path: Path, paused: bool, why: str
) -> None:
    async with open_desk(tmp_path) as desk:
        if paused:
            await desk.set_key()
            await admin(desk, "pause")
        for deed in ("reactions on", "photos offer"):
            assert why in texts(await admin(desk, deed))
        assert await offered(desk) == 0
        await (admin(desk, "resume") if paused else desk.set_key())
        assert await offered(desk) == 4


async def test_admins_are_told_of_mapped_emoji_that_the_server_has_not_any_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        own, other = (desk.guild.create_emoji(name) for name in ("sofa", "lamp"))
        for emoji in (own, other):
            said = await admin(
                desk,
                "reactions map",
                emoji=f"<:{emoji.name}:{emoji.id}>",
                tool="photo-restore",
            )
            assert "Not your server's own emoji" not in texts(said)
        desk.env.backend.delete_emoji(desk.guild.id, own.id)
        said = texts(await admin(desk, "reactions show"))
        assert "Not your server's own emoji: `:sofa:`." in said
        desk.env.inject_error("GET", "/guilds/*/emojis", status=503, times=None)
        said = texts(await admin(desk, "reactions show"))
        assert "Photo restoration" in said


async def offered(desk: Desk) -> int:
    await post(desk, desk.maya, ROOM)
    return len(desk.channel.history()[-1].reactions)


async def test_the_panel_says_where_reactions_and_offered_emoji_still_work(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        here = f"<#{desk.channel.id}>"
        await change(desk, "photos", "everywhere")
        await change(desk, "photos", "reactions", desk.channel)
        await change(desk, "photos", "offers", desk.channel)
        said = await change(desk, "photos", "everywhere")
        assert "**Reactions in the whole server**: off" in said
        assert f"**Reactions only in these channels**: {here}" in said
        said = await change(desk, "photos", "reactions", None)
        assert "**Reactions only in these channels**: none" in said
        assert f"**Put emoji under each photo in these channels**: {here}" in said
        assert "These emoji always work, also where reactions are off" in said


async def test_admins_are_told_where_their_own_rules_of_access_shut_a_photo_channels_tools_out(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        other = desk.guild.create_text_channel("other")
        here = f"<#{desk.channel.id}>"
        await change(desk, "moderation access tool.photo-restore", "channels", other)
        nothing = (
            f"Nothing will run in {here}: `/studii moderation` doesn't allow **Photo restoration** there."
        )
        assert nothing in texts(await admin(desk, "photos auto", tool="photo-restore"))
        for panel in ("photos", "setup"):
            assert nothing in texts(await desk.admin.slash(desk.channel, f"studii {panel}"))
        said = texts(await admin(desk, "photos offer"))
        assert (
            f"I can't offer these tools in {here}, because of `/studii moderation`: **Photo restoration**"
            in said
        )
        await change(desk, "moderation access tool.photo-restore", "channels", desk.channel)
        assert "`/studii moderation`" not in texts(await admin(desk, "photos show"))
