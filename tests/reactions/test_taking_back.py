"""Taking a reaction away cancels what still waits, whoever takes it and whatever was changed since."""

import asyncio
from typing import Any

import pytest

from bot.jobs.models import JobState
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready, taken_away
from tests.support.desk import Desk, make_bot
from tests.support.settings import admin


async def test_it_cancels_while_the_message_is_still_being_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    get_message, looked_at = desk.bot.http.get_message, asyncio.Event()

    async def slow(*where: Any) -> Any:
        await looked_at.wait()
        return await get_message(*where)

    monkeypatch.setattr(desk.bot.http, "get_message", slow)
    event = reaction(desk, message, desk.tom.id)
    desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
    await asyncio.sleep(0.05)
    desk.env.backend.emit("MESSAGE_REACTION_REMOVE", taken_away(event))
    await asyncio.sleep(0.05)
    looked_at.set()
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED]


@pytest.mark.promise
@pytest.mark.parametrize("event", ["MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI"])
async def test_a_moderator_who_clears_reactions_cancels_what_they_started(desk: Desk, event: str) -> None:
    await ready(desk)
    message, other = await post(desk, desk.maya, ROOM), await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await desk.maya.react(message, STAGING)
    await desk.tom.react(other, STAGING)
    cleared = {"channel_id": str(message.channel.id), "message_id": str(message.id)}
    emoji = {"emoji": {"id": None, "name": STAGING}} if event.endswith("EMOJI") else {}
    desk.env.backend.emit(event, {**cleared, "guild_id": str(desk.guild.id), **emoji})
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED, JobState.CANCELLED, JobState.RECEIVED]
    # They did not cancel it themselves, so they are told.
    assert [one.announced_at for one in await jobs_of(desk)][:2] == [None, None]


@pytest.mark.promise
@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("reactions off", {}),
        ("reactions remove", {"emoji": STAGING}),
        ("reactions map", {"emoji": STAGING, "tool": "photo-restore"}),
    ],
)
async def test_it_cancels_though_an_admin_has_changed_the_rules_since(
    desk: Desk, command: str, options: dict[str, str]
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await admin(desk, command, **options)
    await desk.tom.unreact(message, STAGING)
    assert await states(desk) == [JobState.CANCELLED]


async def test_it_cancels_after_a_restart_of_the_bot(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    await desk.tom.unreact(message, STAGING)
    assert await states(desk) == [JobState.CANCELLED]


async def states(desk: Desk) -> list[JobState]:
    return [one.state for one in await jobs_of(desk)]
