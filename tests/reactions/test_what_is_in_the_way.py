"""Admins are told what keeps photos from being served; nobody is offered what can't be had."""

from pathlib import Path

import pytest

from tests.reactions.taps import ROOM, post
from tests.support.desk import Desk, open_desk, texts
from tests.support.settings import change
from tests.ui.reading.test_where_pictures_are import IN_THREADS, thread_of


@pytest.mark.promise
@pytest.mark.parametrize(
    ("command", "options", "lacking"),
    [
        ("studii photos offer", {}, "**Send Messages**, **Attach Files**, and **Add Reactions**"),
        ("studii photos auto", {"tool": "photo-restore"}, "**Send Messages** and **Attach Files**"),
        ("studii reactions on", {}, "**Send Messages** and **Attach Files**"),
    ],
)
async def test_an_admin_is_told_what_the_bot_lacks_in_the_channel_that_was_named(
    tmp_path: Path, command: str, options: dict[str, str], lacking: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        closed = desk.channel_for_the_bot("closed", add_reactions=False, send_messages=False)
        answer = await desk.admin.slash(desk.channel, command, channel=closed, **options)
        warning = f"Nothing will run in <#{closed.id}>: I'm missing {lacking} ("
        assert warning in texts(answer)
        # The setup looks beyond the channel that it is called in.
        assert warning in texts(await desk.admin.slash(desk.channel, "studii setup"))


async def test_where_nothing_is_lacking_nothing_is_said(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        for command in ("studii photos offer", "studii reactions on", "studii setup"):
            assert "Nothing will run" not in texts(await desk.admin.slash(desk.channel, command))


@pytest.mark.promise
async def test_reactions_for_the_whole_server_name_the_channels_where_they_do_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        closed = [desk.channel_for_the_bot(f"closed-{number}", attach_files=False) for number in range(7)]
        hidden = desk.channel_for_the_bot("hidden", view_channel=False)
        said = texts(await desk.admin.slash(desk.channel, "studii reactions on"))
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
            await desk.admin.slash(desk.channel, "studii pause")
        for command in ("studii reactions on", "studii photos offer"):
            assert why in texts(await desk.admin.slash(desk.channel, command))
        assert await offered(desk) == 0
        await (desk.admin.slash(desk.channel, "studii resume") if paused else desk.set_key())
        assert await offered(desk) == 4


async def test_admins_are_told_of_mapped_emoji_that_the_server_has_not_any_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        own, other = (desk.guild.create_emoji(name) for name in ("sofa", "lamp"))
        for emoji in (own, other):
            said = await desk.admin.slash(
                desk.channel,
                "studii reactions map",
                emoji=f"<:{emoji.name}:{emoji.id}>",
                tool="photo-restore",
            )
            assert "Not your server's own emoji" not in texts(said)
        desk.env.backend.delete_emoji(desk.guild.id, own.id)
        said = texts(await desk.admin.slash(desk.channel, "studii reactions show"))
        assert "Not your server's own emoji: `:sofa:`." in said
        desk.env.inject_error("GET", "/guilds/*/emojis", status=503, times=None)
        said = texts(await desk.admin.slash(desk.channel, "studii reactions show"))
        assert "Photo restoration" in said


async def offered(desk: Desk) -> int:
    await post(desk, desk.maya, ROOM)
    return len(desk.channel.history()[-1].reactions)


async def test_reactions_that_are_on_still_are_not_said_to_be_off(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=IN_THREADS) as desk:
        await desk.set_key()
        thread = await thread_of(desk)
        await desk.admin.slash(desk.channel, "studii reactions on")
        said = texts(await desk.admin.slash(desk.channel, "studii reactions off", channel=desk.channel))
        assert f"Reactions are still on in <#{desk.channel.id}>" in said
        assert "on in the whole server, so here too. To turn them off, leave out `channel`." in said
        assert "Reactions are off" in texts(await desk.admin.slash(desk.channel, "studii reactions off"))
        await desk.admin.slash(desk.channel, "studii reactions on", channel=desk.channel)
        said = texts(await desk.admin.slash(desk.channel, "studii reactions off", channel=thread))
        assert (
            f"Reactions are on in <#{desk.channel.id}>, so in its threads too. Turn them off there." in said
        )
        said = texts(await desk.admin.slash(desk.channel, "studii reactions off", channel=desk.channel))
        assert f"Reactions are off in <#{desk.channel.id}>" in said
        assert "⚠️" not in said


async def test_that_offered_emoji_can_be_tapped_is_said_where_reactions_are_off(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.admin.slash(desk.channel, "studii photos offer")
        told = f"The emoji under photos in <#{desk.channel.id}> always work"
        for command, says in (("show", True), ("off", True), ("on", False)):
            said = texts(await desk.admin.slash(desk.channel, f"studii reactions {command}"))
            assert (told in said) is says


async def test_a_thread_of_a_photo_channel_is_not_said_to_be_an_ordinary_one(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=IN_THREADS) as desk:
        await desk.set_key()
        await desk.admin.slash(desk.channel, "studii photos auto", tool="photo-restore")
        thread = await thread_of(desk)
        said = texts(await desk.admin.slash(thread, "studii photos off"))
        assert "Photo automation is still on" in said
        assert f"<#{desk.channel.id}> is a photo channel, so its threads are too" in said
        said = texts(await desk.admin.slash(thread, "studii photos off", channel=desk.channel))
        assert "Photo automation is off" in said


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
        for command in ("photos auto", "reactions show", "setup"):
            options = {"tool": "photo-restore"} if command == "photos auto" else {}
            said = texts(await desk.admin.slash(desk.channel, f"studii {command}", **options))
            assert nothing in said
        said = texts(await desk.admin.slash(desk.channel, "studii photos offer"))
        assert (
            f"I can't offer these tools in {here}, because of `/studii moderation`: **Photo restoration**"
            in said
        )
        await change(desk, "moderation access tool.photo-restore", "channels", desk.channel)
        assert "`/studii moderation`" not in texts(await desk.admin.slash(desk.channel, "studii photos show"))
