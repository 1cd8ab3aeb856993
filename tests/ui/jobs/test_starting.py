"""Above a price that the server sets, a job asks its person first, however it is started."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult, MemberActor

from bot.db import Database
from bot.jobs.confirm import Repeated, find_open
from bot.jobs.models import FailureCode, JobState, MemberContext
from bot.servers import settings
from bot.servers.settings import Period
from tests.reactions.taps import PORTRAIT, ROOM, jobs_of, post, reaction, ready, taken_away
from tests.reactions.test_mentions import answer_to, mention
from tests.support import spending
from tests.support.desk import Desk, all_questions, answer_of, labelled, labels, learned, open_listed, texts
from tests.support.presses import send_command, send_press
from tests.support.settings import change
from tests.ui.jobs.results import staged
from tests.ui.jobs.test_listing import listed
from tests.ui.jobs.test_sets import a_set

RUN = "Run · about 8 credits"


async def asking(desk: Desk, above: int = 5) -> None:
    await desk.set_key()
    said = await change(desk, "credits", "confirm_above", value=str(above))
    assert f"**Price to confirm**: set to {above} credits." in said


async def confirm(who: MemberActor, asked: InteractionResult, label: str = RUN) -> InteractionResult:
    return await who.click(answer_of(asked), label=label)


@pytest.mark.promise
async def test_two_presses_at_once_make_one_job(desk: Desk) -> None:
    await asking(desk)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    (question,) = await desk.db.read(all_questions)
    answers = await asyncio.gather(
        *(desk.resources.acceptance.accept_all(question.confirmed(MemberContext())) for _ in range(5)),
        return_exceptions=True,
    )
    assert [type(one) for one in answers if not isinstance(one, list)] == [Repeated] * 4
    assert len(await jobs_of(desk)) == 1
    assert await desk.resources.db.read(find_open, question.id, desk.clock.now()) is None


async def test_a_question_can_not_be_answered_when_it_has_expired(desk: Desk) -> None:
    await asking(desk)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    desk.clock.advance(15 * 60)
    await confirm(desk.maya, asked)
    assert "has expired or was answered already" in texts(asked)
    assert labels(asked) == []
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_what_became_dearer_meanwhile_is_asked_again(desk: Desk) -> None:
    await asking(desk)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    await learned(desk, 12)
    await confirm(desk.maya, asked)
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert "an estimate" not in texts(asked)
    assert "That's more than the price you saw." in texts(asked)
    assert await jobs_of(desk) == []
    await confirm(desk.maya, asked, "Run · 12 credits")
    assert [job.estimate for job in await jobs_of(desk)] == [12]


async def test_one_has_a_bounded_number_of_open_questions(desk: Desk) -> None:
    await asking(desk)
    for number in range(10):
        assert labels(await desk.maya.slash(desk.channel, "studio", prompt=f"Kite {number}")) == [RUN]
    refused = await desk.maya.slash(desk.channel, "studio", prompt="One more")
    assert "You have 10 jobs here that wait for your confirmation." in texts(refused)
    assert labels(await desk.tom.slash(desk.channel, "studio", prompt="Mine")) == [RUN]


# Where a server's budget has room for one job, who came first gets it, however each of them asked

LONG = 500  # turns of the loop
BUTTONS = "discord.py: on_interaction"  # how their tasks are called

Button = tuple[Any, str]  # the message that it is in, and its custom id


async def question(desk: Desk, _folder: Path) -> Button:
    await desk.db.write(settings.change, desk.guild.id, confirm_above=1)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    await desk.db.write(settings.change, desk.guild.id, confirm_above=None)
    return answer_of(asked), labelled(asked, "Run")


async def run_again_in_the_list(desk: Desk, _folder: Path) -> Button:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    seen = await listed(desk)
    await open_listed(desk.maya, seen)
    return answer_of(seen), labelled(seen, "Run again")


async def again(desk: Desk, folder: Path) -> Button:
    message = await staged(desk, folder)
    return message, labelled(message, "Run again")


async def failed_of_a_set(desk: Desk, _folder: Path) -> Button:
    for job in await a_set(desk):
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)  # another press is no double click
    message = await desk.posted_progress(*await jobs_of(desk))
    return message, labelled(message, "Run the failed ones again")


async def tool_of_a_mention(desk: Desk, _folder: Path) -> Button:
    offer = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
    assert offer is not None
    return offer, labelled(offer, "Photo restoration")


WAYS = [question, run_again_in_the_list, again, failed_of_a_set, tool_of_a_mention]


@pytest.mark.promise
@pytest.mark.parametrize("way", WAYS)
async def test_a_button_that_was_pressed_before_a_command_starts_its_job(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[Desk, Path], Awaitable[Button]],
) -> None:
    message, custom_id = await way(desk, tmp_path)
    before = await with_room_for(desk, 6 if way is failed_of_a_set else 1)
    slow_to_read(monkeypatch, BUTTONS)
    slow_to_fetch(monkeypatch)
    send_press(desk, desk.maya, message, custom_id)
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


async def test_a_tap_that_was_taken_back_before_its_turn_makes_nothing_and_holds_nobody_up(
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


async def with_room_for(desk: Desk, count: int) -> int:
    """Leave room for that many jobs in the budget. Return how many jobs there are."""
    jobs = await jobs_of(desk)
    spent = (await spending.budget(desk.resources, desk.guild.id)).usage.spent
    await spending.set_budget(desk.resources, desk.guild.id, spent + count * 8 + 7, Period.DAY)
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
