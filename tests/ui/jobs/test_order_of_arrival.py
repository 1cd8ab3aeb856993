"""Where a server's budget has room for one job, who came first gets it, however each of them asked."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.db import Database
from bot.domain.guilds import Period
from bot.jobs.models import FailureCode, JobState
from tests.cogs.test_jobs import button, listed
from tests.reactions.taps import PORTRAIT, ROOM, jobs_of, post, reaction, ready, taken_away
from tests.reactions.test_mentions import answer_to, mention
from tests.reactions.test_photo_channels import automatic, last_message
from tests.support import spending
from tests.support.desk import Desk, labelled
from tests.support.presses import send_command, send_press
from tests.ui.jobs.results.test_result_buttons import staged
from tests.ui.jobs.sets.test_sets import a_set, labels as labels_of_set

LONG = 500  # turns of the loop
BUTTONS, COMMANDS = "discord.py: on_interaction", "CommandTree-"  # how their tasks are called

Send = Callable[[], object]


async def confirm(desk: Desk, _folder: Path) -> Send:
    await spending.set_budget(desk.services, desk.guild.id, None, None, confirm_above=1)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    assert asked.response is not None
    question = asked.response
    await spending.set_budget(desk.services, desk.guild.id, None, None, confirm_above=0)
    custom_id = labelled(asked, "Run")
    return lambda: send_press(desk, desk.maya, question, custom_id)


async def run_again_in_the_list(desk: Desk, _folder: Path) -> Send:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    seen = await listed(desk)
    assert seen.response is not None
    message, custom_id = seen.response, button(seen, "Run again")
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def again(desk: Desk, folder: Path) -> Send:
    message = await staged(desk, folder)
    custom_id = labelled(message, "Run again")
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def failed_of_a_set(desk: Desk, _folder: Path) -> Send:
    for job in await a_set(desk):
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)  # another press is no double click
    card = await desk.card(*await jobs_of(desk))
    (label,) = labels_of_set(card)
    custom_id = labelled(card, label.split(" · ")[0])
    return lambda: send_press(desk, desk.maya, card, custom_id)


async def tool_of_a_mention(desk: Desk, _folder: Path) -> Send:
    offer = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
    assert offer is not None
    custom_id = labelled(offer, "Photo restoration")
    return lambda: send_press(desk, desk.maya, offer, custom_id)


WAYS = [confirm, run_again_in_the_list, again, failed_of_a_set, tool_of_a_mention]


@pytest.mark.promise
@pytest.mark.parametrize("way", WAYS)
async def test_a_button_that_was_pressed_before_a_command_starts_its_job(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Desk, Path], Awaitable[Send]]
) -> None:
    press = await way(desk, tmp_path)
    before = await with_room_for(desk, 6 if way is failed_of_a_set else 1)
    slow_to_read(monkeypatch, BUTTONS)
    slow_to_fetch(monkeypatch)
    press()
    send_command(desk, desk.tom, "studio", prompt="A boat")
    await desk.env.settle()
    started = (await jobs_of(desk))[before:]
    assert {job.user_id for job in started} == {desk.maya.id}


@pytest.mark.promise
async def test_a_tap_before_a_command_starts_its_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    await with_room_for(desk, 1)
    slow_to_fetch(monkeypatch)
    desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, desk.maya.id))
    send_command(desk, desk.tom, "studio", prompt="A boat")
    await desk.env.settle()
    assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id]


@pytest.mark.promise
async def test_a_command_before_a_tap_starts_its_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    await with_room_for(desk, 1)
    slow_to_read(monkeypatch, COMMANDS)
    send_command(desk, desk.tom, "studio", prompt="A boat")
    desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, desk.maya.id))
    await desk.env.settle()
    assert [job.user_id for job in await jobs_of(desk)] == [desk.tom.id]


async def test_several_taps_on_one_photo_are_before_a_later_one_on_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    first, second = await post(desk, desk.maya, ROOM), await post(desk, desk.maya, ROOM)
    await with_room_for(desk, 2)
    slow_to_fetch(monkeypatch)
    for photo, who in ((first, desk.maya), (first, desk.tom), (second, desk.admin)):
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, who.id))
    await desk.env.settle()
    assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id, desk.tom.id]


async def test_a_tap_that_was_taken_back_before_its_turn_holds_nobody_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    slow_to_fetch(monkeypatch)
    tap = reaction(desk, photo, desk.maya.id)
    second = tap | {"emoji": {"id": None, "name": PORTRAIT}}
    for one in (tap, second):  # the second waits for the first, as it is the same member's on the same photo
        desk.env.backend.emit("MESSAGE_REACTION_ADD", one)
    await asyncio.sleep(0)
    desk.env.backend.emit("MESSAGE_REACTION_REMOVE", taken_away(second))
    send_command(desk, desk.admin, "studio", prompt="A boat")
    async with asyncio.timeout(5):
        await desk.env.settle()
    started = {(job.user_id, job.tool) for job in await jobs_of(desk)}
    assert started == {(desk.maya.id, "virtual-staging"), (desk.admin.id, "studio")}


@pytest.mark.promise
async def test_photos_that_are_no_set_for_want_of_room_are_all_before_a_later_command(desk: Desk) -> None:
    await post(desk, desk.maya, *[ROOM] * 4)
    photos = last_message(desk)
    await automatic(desk, most=4)
    await with_room_for(desk, 3)
    desk.env.backend.emit("MESSAGE_CREATE", photos)
    send_command(desk, desk.tom, "studio", prompt="A boat")
    await desk.env.settle()
    jobs = await jobs_of(desk)
    assert [(job.user_id, job.set_id) for job in jobs] == [(desk.maya.id, None)] * 3


async def with_room_for(desk: Desk, count: int) -> int:
    """Leave room for that many jobs in the budget. Return how many jobs there are."""
    jobs = await jobs_of(desk)
    spent = (await spending.budget(desk.services, desk.guild.id)).usage.spent
    await spending.set_budget(desk.services, desk.guild.id, spent + count * 8 + 7, Period.DAY)
    return len(jobs)


def slow_to_read(monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    """Let handlers of one kind wait long whenever they read the database."""
    read = Database.read

    async def slow(*args: Any, **more: Any) -> Any:
        task = asyncio.current_task()
        if task is not None and task.get_name().startswith(whose):
            await long()
        return await read(*args, **more)

    monkeypatch.setattr(Database, "read", slow)


def slow_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Discord take long to show messages."""
    fetch = discord.PartialMessageable.fetch_message

    async def slow(channel: discord.PartialMessageable, message_id: int) -> discord.Message:
        await long()
        return await fetch(channel, message_id)

    monkeypatch.setattr(discord.PartialMessageable, "fetch_message", slow)


async def long() -> None:
    for _ in range(LONG):
        await asyncio.sleep(0)
