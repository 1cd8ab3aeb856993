"""Admins are told what keeps photos from being served; nobody is offered what can't be had."""

from pathlib import Path

import pytest

from tests.reactions.taps import ROOM, post
from tests.support.desk import Desk, open_desk, texts
from tests.support.settings import admin


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
    desk: Desk, command: str, options: dict[str, str], lacking: str
) -> None:
    closed = desk.channel_for_the_bot("closed", add_reactions=False, send_messages=False)
    answer = await admin(desk, command, channel=closed, **options)
    warning = f"Nothing will run in <#{closed.id}>: I'm missing {lacking} ("
    assert warning in texts(answer)
    # The setup looks beyond the channel that it is called in.
    assert warning in texts(await desk.admin.slash(desk.channel, "studii setup"))


@pytest.mark.promise
async def test_reactions_for_the_whole_server_name_the_channels_where_they_do_nothing(desk: Desk) -> None:
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


async def offered(desk: Desk) -> int:
    await post(desk, desk.maya, ROOM)
    return len(desk.channel.history()[-1].reactions)
