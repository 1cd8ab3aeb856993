"""What keeps the bot from posting, and where a command works at all, as people are told."""

from pathlib import Path

import discord
import pytest

from bot.errors import Refused
from bot.jobs.models import JobState
from bot.languages import Message
from bot.ui.reading.emoji import parse_emoji
from bot.ui.reading.permissions import (
    ATTACH_FILES,
    MANAGE_THREADS,
    SEND_MESSAGES,
    hindrance,
    is_manager,
    is_moderator,
)
from tests.support.desk import BOT_PERMISSIONS, Desk, answer_of, open_desk, pieces, texts
from tests.support.presses import press
from tests.ui.admin.moderation.waiting import approvals, moderator


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ([SEND_MESSAGES], "I'm missing **Send Messages** (Edit Channel > Permissions > Studii)"),
        ([MANAGE_THREADS], "the thread is locked (unlock it, or use another channel)"),
        (
            [ATTACH_FILES, MANAGE_THREADS],
            "the thread is locked (unlock it, or use another channel); I'm missing **Attach Files** "
            "(Edit Channel > Permissions > Studii)",
        ),
    ],
)
def test_a_locked_thread_is_to_be_unlocked_whatever_else_is_missing(
    missing: list[Message], said: str
) -> None:
    assert hindrance(missing) == said


@pytest.mark.parametrize(
    ("permission", "moderates", "manages"),
    [
        ("manage_messages", True, False),
        ("manage_guild", True, True),
        ("administrator", True, True),
        ("manage_channels", False, False),
    ],
)
def test_moderators_have_manage_messages_or_manage_the_server(
    permission: str, moderates: bool, manages: bool
) -> None:
    there = discord.Permissions(**{permission: True})
    assert (is_moderator(there), is_manager(there)) == (moderates, manages)


async def test_a_button_of_a_server_does_nothing_in_a_direct_message(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "jobs")
    refused = await press(desk, desk.maya, answer_of(shown), "studii:jobs:mine:0:any:any", in_server=False)
    assert "This only works in a server." in texts(refused)


# Who moderates in a channel that was deleted: those with Manage Server alone

DELETES = BOT_PERMISSIONS | discord.Permissions(manage_channels=True)


@pytest.mark.promise
async def test_others_jobs_there_are_cancelled_and_results_that_wait_there_seen_by_those_alone(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path, permissions=DELETES) as desk:
        await desk.set_key()
        channel, ines = desk.guild.create_text_channel("lost"), moderator(desk)
        await desk.maya.slash(channel, "studio", prompt="A red kite")
        waiting = await approvals(desk, approval_everyone=True, approval_results=True)
        assert "Results not posted" in str(pieces(await ines.slash(desk.channel, "jobs")))
        for one in (channel, waiting):
            await desk.text_channel(one.id).delete()
        assert "Results not posted" not in str(pieces(await ines.slash(desk.channel, "jobs")))
        assert "Results not posted" in str(pieces(await desk.admin.slash(desk.channel, "jobs")))
        button = await desk.channel_message(f"studii:cancel:{(await desk.job()).id}-0")
        await ines.click(button, label="Press")
        assert (await desk.job()).state is not JobState.CANCELLED
        await desk.admin.click(button, label="Press")
        assert (await desk.job()).state is JobState.CANCELLED


# What counts as one emoji when an admin types it


@pytest.mark.parametrize(
    "typed",
    [
        "ℹ️",
        "↔️",
        "➡️",
        "Ⓜ️",
        "🅰️",
        "©️",
        "™️",
        "㊗️",
        "〰️",
        "‼️",
        "🇬🇧",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "🏳️‍🌈",
        "#️⃣",
        "🔟",
        "☺️",
        "👩🏽‍❤️‍💋‍👨🏿",
        "👨‍👩‍👧‍👦",
        "👁️‍🗨️",
        "❤️‍🔥",
        "🪾",
    ],
)
def test_each_kind_of_emoji_is_taken(typed: str) -> None:
    assert str(parse_emoji(f" {typed} ")) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "🔥\U000e0079\U000e0065\U000e0073",
        "🔥\u200d",
        "🔥\u200b",
        "→",
        "«",
        "€",
        "½",
        "a",
        "7",
        ":sofa:",
        "🔥🔥",
        "🔥!",
        "",
        "<:x:1>",
    ],
)
def test_what_hides_something_signs_and_several_emoji_are_refused(typed: str) -> None:
    with pytest.raises(Refused, match="Enter exactly one"):
        parse_emoji(typed)
