"""A form can't come late: where the database takes too long for it, its person is asked to try again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from simcord import InteractionResult
from simcord.backend.models import Interaction

from bot.ui.kit import deferral
from bot.ui.kit.deferral import FORM_TOO_LATE
from tests.reactions.taps import ROOM, post
from tests.reactions.test_mentions import answer_to, mention
from tests.support.desk import Desk, labelled, open_desk, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_command, send_menu, send_press
from tests.ui.jobs.late import slow_to_read

JOB = "0123456789abcdef"
BUTTONS = [
    "studii:tool:studio",
    f"studii:edit:{JOB}-0",
    f"studii:save:{JOB}-0",
    f"studii:style:use:{JOB}",
    "studii:defaults:studio",
    "studii:setup:key",
    "studii:setup:budget",
    f"studii:charged:{JOB}-0",
    f"studii:decline:{JOB}-0",
    f"studii:decline-result:{JOB}-0",
]


@asynccontextmanager
async def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """Let all who read the database wait during the block, as if they had for all the time that there is."""
    with monkeypatch.context() as patch:
        go_on = slow_to_read(patch)
        patch.setattr(deferral, "FORM_BY", 0.0)
        yield
        go_on.set()


async def told_late(desk: Desk, asked: Interaction) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (shown := InteractionResult(desk.env, asked)).acknowledged:  # noqa: ASYNC110 - the bot's
            await asyncio.sleep(0.005)
    assert shown.modal is None
    assert shown.ephemeral
    assert texts(shown.response) == str(FORM_TOO_LATE)


@pytest.mark.parametrize("custom_id", BUTTONS)
async def test_a_buttons_form_that_cannot_be_read_for_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, custom_id: str
) -> None:
    async with open_desk(tmp_path) as desk:
        message = await desk.channel_message(custom_id)
        async with nothing_is_read(monkeypatch):
            await told_late(desk, send_press(desk, desk.admin, message, custom_id))


async def test_the_form_of_a_mentions_button_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        offer = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
        assert offer is not None
        custom_id = labelled(offer, "Virtual staging")
        async with nothing_is_read(monkeypatch):
            await told_late(desk, send_press(desk, desk.maya, offer, custom_id))
        assert (await desk.maya.click(offer, custom_id=custom_id)).modal is not None


async def test_the_form_of_a_photos_menu_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        photo = await post(desk, desk.maya, ROOM)
        async with nothing_is_read(monkeypatch):
            await told_late(desk, send_menu(desk, desk.tom, "Virtual staging", photo))
        assert (await desk.tom.context_menu(desk.channel, "Virtual staging", photo)).modal is not None


@pytest.mark.parametrize("command", ["studio", "defaults", "studii key"])
async def test_a_commands_form_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    options = {"tool": "studio"} if command == "defaults" else {}
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        async with nothing_is_read(monkeypatch):
            await told_late(desk, send_command(desk, desk.admin, command, **options))
        assert (await desk.admin.slash(desk.channel, command, **options)).modal is not None
