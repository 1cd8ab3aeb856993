"""A form can't come late: where what it shows takes too long, its person is asked to try again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import discord
import pytest
from simcord import InteractionResult
from simcord.backend.models import Interaction

from bot.jobs.models import JobState
from bot.ui.kit import answers as kit_answers
from bot.ui.kit.answers import FORM_TOO_LATE
from tests.reactions.taps import ROOM, post
from tests.reactions.test_mentions import HALL, answer_to, mention
from tests.support.desk import Desk, answer_of, labelled, pieces, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_command, send_menu, send_press
from tests.ui.admin.moderation.test_results import shown as shown_result, watched
from tests.ui.admin.moderation.waiting import approvals, ask, forbid
from tests.ui.jobs.late import at_once
from tests.ui.jobs.results import opened
from tests.ui.styles.test_saving import result_of
from tests.ui.waits import Waits

MAX_WAITS_OF_A_PATH = 20
DAWN = "Dawn"
Send = Callable[[], Interaction]
Ready = Callable[[Desk, Path], Awaitable[Send]]


def a_command(name: str, **options: str) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        return lambda: send_command(desk, desk.maya if name == "studio" else desk.admin, name, **options)

    return ready


def a_button(custom_id: str) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        message = await desk.channel_message(custom_id)
        return lambda: send_press(desk, desk.admin, message, custom_id)

    return ready


async def styled(desk: Desk) -> str:
    """Return the id of a style of Maya's that takes her words."""
    studio, inputs = desk.bot.catalog.get("studio"), {"prompt": "A harbour at dawn, {text}"}
    return (await desk.save_style(desk.maya, DAWN, studio, inputs)).id


async def a_command_with_a_style(desk: Desk, _folder: Path) -> Send:
    await styled(desk)
    return lambda: send_command(desk, desk.maya, "studio", style=DAWN)


async def a_styles_button(desk: Desk, _folder: Path) -> Send:
    custom_id = f"studii:style:use:{await styled(desk)}"
    message = await desk.channel_message(custom_id)
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def edit_of_a_photo(desk: Desk, _folder: Path) -> Send:
    """Edit, where the photo is in a member's message and has to be looked up there."""
    photo = await post(desk, desk.maya, ROOM)
    await desk.maya.context_menu(desk.channel, "Photo restoration", photo)
    custom_id = f"studii:edit:{(await desk.job()).id}-0"
    message = await desk.channel_message(custom_id)
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def save_as_style(desk: Desk, folder: Path) -> Send:
    await result_of(desk, folder, desk.maya, "studio", prompt="A harbour")
    custom_id = f"studii:save:{(await desk.job()).id}-0"
    message = await desk.channel_message(custom_id)
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def charged(desk: Desk, _folder: Path) -> Send:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    job = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
    custom_id = f"studii:charged:{job.id}-0"
    message = await desk.channel_message(custom_id)
    return lambda: send_press(desk, desk.admin, message, custom_id)


async def decline_a_request(desk: Desk, _folder: Path) -> Send:
    message = await ask(desk, await approvals(desk))
    return lambda: send_press(desk, desk.admin, message, labelled(message, "Decline"))


async def decline_a_result(desk: Desk, folder: Path) -> Send:
    message = await shown_result(desk, folder, await watched(desk))
    return lambda: send_press(desk, desk.admin, message, labelled(message, "Decline"))


async def decline_a_result_in_a_list(desk: Desk, folder: Path) -> Send:
    """The same for the moderator alone: the channel for approvals has to be read."""
    await shown_result(desk, folder, await watched(desk))
    custom_id = f"studii:decline-result:{(await desk.job()).id}-0"
    message = await desk.channel_message(custom_id)
    stored = desk.env.backend.get_message(message.channel.id, message.id)
    stored.flags |= discord.MessageFlags(ephemeral=True).value
    return lambda: send_press(desk, desk.admin, message, custom_id)


def a_mention(words: str, *photos: tuple[str, bytes]) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        offer = answer_to(desk, await mention(desk, desk.maya, words, *photos))
        assert offer is not None
        return lambda: send_press(desk, desk.maya, offer, labelled(offer, "Virtual staging"))

    return ready


async def a_mention_under_a_result(desk: Desk, folder: Path) -> Send:
    """A mention whose photo is a result: whose it is has to be read."""
    result = await result_of(desk, folder, desk.tom, "photo-restore", image=ROOM)
    offer = answer_to(desk, await mention(desk, desk.maya, "", under=result))
    assert offer is not None
    return lambda: send_press(desk, desk.maya, offer, labelled(offer, "Virtual staging"))


async def a_choice_in_a_list(desk: Desk, _folder: Path) -> Send:
    """A tool that is chosen in the list for a photo."""
    photo = await post(desk, desk.maya, ROOM)
    listed = await desk.maya.context_menu(desk.channel, "Studii…", photo)
    message = answer_of(listed)
    (custom_id,) = (str(one["custom_id"]) for one in pieces(message) if one["type"] == 3)
    return lambda: send_press(desk, desk.maya, message, custom_id, chosen="virtual-staging")


async def edit_of_a_refused_form(desk: Desk, _folder: Path) -> Send:
    await forbid(desk, "blimp")
    form = await opened(desk, desk.maya, "studio")
    refused = await desk.maya.submit_modal(form, {"prompt": "A blimp", "mode": "video"})
    message, custom_id = answer_of(refused), labelled(refused, "Edit")
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def a_photos_menu(desk: Desk, folder: Path) -> Send:
    result = await result_of(desk, folder, desk.maya, "photo-restore", image=ROOM)
    return lambda: send_menu(desk, desk.tom, "Virtual staging", result)


PATHS: dict[str, Ready] = {
    "a tool's command": a_command("studio"),
    "a tool's command with a style": a_command_with_a_style,
    "a tool's button": a_button("studii:tool:studio"),
    "a button for defaults": a_button("studii:defaults:studio"),
    "a button for the key": a_button("studii:setup:key"),
    "a setting": a_button("studii:fill:credits:budget"),
    "a style's button": a_styles_button,
    "edit": edit_of_a_photo,
    "save": save_as_style,
    "charged": charged,
    "decline a request": decline_a_request,
    "decline a result": decline_a_result,
    "decline a result in a list": decline_a_result_in_a_list,
    "a mention": a_mention("", ROOM),
    "a mention with more photos and words": a_mention("the hall", ROOM, HALL),
    "a mention under a result": a_mention_under_a_result,
    "a photo's menu": a_photos_menu,
    "a choice in a list": a_choice_in_a_list,
    "edit of a refused form": edit_of_a_refused_form,
}


@pytest.mark.promise
@pytest.mark.parametrize("path", PATHS)
async def test_whatever_a_form_waits_for_is_not_waited_for_too_long(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    send = await PATHS[path](desk, tmp_path)
    monkeypatch.setattr(kit_answers, "_later", at_once)  # an announcement would come before the form
    for number in range(1, MAX_WAITS_OF_A_PATH):
        with monkeypatch.context() as patch:
            waits = Waits(patch, desk.bot.http, number)
            shown = await acknowledged(desk, send())
            waits.end()
            await desk.env.settle()
            assert waits.unbounded == []
        if waits.count < number:  # it was not held
            assert shown.modal is not None
            assert number > 1
            return
        assert shown.modal is None
        assert shown.ephemeral
        assert texts(shown.response) == str(FORM_TOO_LATE)
    raise AssertionError("too many waits")


async def acknowledged(desk: Desk, asked: Interaction) -> InteractionResult:
    async with asyncio.timeout(PATIENCE):
        while not (shown := InteractionResult(desk.env, asked)).acknowledged:  # noqa: ASYNC110 - the bot's
            await asyncio.sleep(0.005)
    return shown
