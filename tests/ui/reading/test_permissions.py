"""What keeps the bot from posting, and where a command works at all, as people are told."""

from unittest.mock import Mock

import discord
import pytest

from bot.languages import Language, Message, speaking
from bot.ui.reading.permissions import (
    ATTACH_FILES,
    MANAGE_THREADS,
    SEND_MESSAGES,
    hindrance,
    is_manager,
    is_moderator,
    missing_for_warnings,
)
from tests.support.desk import Desk, texts
from tests.support.presses import press


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


@pytest.mark.parametrize("language", [Language.ENGLISH, Language.GERMAN])
def test_warnings_need_no_history_in_any_language(language: Language) -> None:
    there = discord.Permissions(view_channel=True, send_messages=True)
    with speaking(language):
        missing = missing_for_warnings(Mock(), Mock(permissions_for=Mock(return_value=there)))
    assert missing == []


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
    assert shown.response is not None
    refused = await press(desk, desk.maya, shown.response, "studii:jobs:mine:0:any:any", in_server=False)
    assert "This only works in a server." in texts(refused)
