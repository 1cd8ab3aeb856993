"""Discord takes few messages a second: who is asked or told something holds up nobody else."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.reactions import photo_watch
from bot.servers import access
from tests.reactions.taps import ROOM, jobs_of, post, reaction, ready, taken_away
from tests.reactions.test_first_taps import RUN, asked, on
from tests.support.desk import Desk, open_desk, pieces, texts
from tests.support.patience import PATIENCE
from tests.support.questions import has_tapped


class Slow:
    """What the bot posts in channels, or sends to persons, waits until `go_on`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, where: type[discord.abc.Messageable]) -> None:
        self.waiting, self.go_on = 0, asyncio.Event()
        send = where.send

        async def slow(place: Any, *given: Any, **named: Any) -> discord.Message:
            self.waiting += 1
            await self.go_on.wait()
            return await send(place, *given, **named)

        monkeypatch.setattr(where, "send", slow)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a task of the bot's
            await asyncio.sleep(0.01)


async def has_jobs(desk: Desk) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await jobs_of(desk):  # noqa: ASYNC110 - a task of the bot's
            await asyncio.sleep(0.01)


def questions(desk: Desk) -> list[discord.Message]:
    return [one for one in desk.channel.history() if RUN in [piece.get("label") for piece in pieces(one)]]


def asked_of(question: discord.Message) -> int:
    return int(texts(question).partition("<@")[2].partition(">")[0])


def tap(desk: Desk, photo: discord.Message, user_id: int) -> None:
    desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, user_id))


@pytest.mark.promise
async def test_the_minute_of_a_question_begins_when_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path, tapped_before=False) as desk:
        await on(desk)
        photos = [await post(desk, desk.maya, ROOM) for _ in range(2)]
        slow = Slow(monkeypatch, discord.PartialMessageable)
        for photo, who in zip(photos, (desk.tom, desk.maya), strict=True):
            tap(desk, photo, who.id)
        await until(lambda: slow.waiting)
        desk.clock.advance(50)
        slow.go_on.set()
        await desk.env.settle()
        _, second = questions(desk)
        desk.clock.advance(59)
        assert len(await asked(desk)) == 2
        await desk.maya.click(second, label=RUN)
        assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id]
        desk.clock.advance(2)
        assert await asked(desk) == []
        assert questions(desk) == []


@pytest.mark.promise
@pytest.mark.parametrize("how", ["taken back", "deleted"])
async def test_a_question_that_waits_is_not_asked_once_it_is_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async with open_desk(tmp_path, tapped_before=False) as desk:
        await on(desk)
        photos = [await post(desk, desk.maya, ROOM) for _ in range(3)]
        slow = Slow(monkeypatch, discord.PartialMessageable)
        for photo, who in zip(photos, (desk.tom, desk.maya, desk.admin), strict=True):
            tap(desk, photo, who.id)
        await until(lambda: slow.waiting)
        if how == "deleted":
            desk.env.backend.delete_message(desk.channel.id, photos[1].id)
        else:
            gone = taken_away(reaction(desk, photos[1], desk.maya.id))
            desk.env.backend.emit("MESSAGE_REACTION_REMOVE", gone)
        slow.go_on.set()
        await desk.env.settle()
        assert [asked_of(one) for one in questions(desk)] == [desk.tom.id, desk.admin.id]


@pytest.mark.promise
async def test_questions_that_wait_hold_up_no_other_tap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_watch, "OF_A_SERVER_AT_ONCE", 1)
    async with open_desk(tmp_path, tapped_before=False) as desk:
        await on(desk)
        await desk.db.write(has_tapped, desk.guild.id, desk.maya.id)
        photos = [await post(desk, desk.maya, ROOM) for _ in range(2)]
        slow = Slow(monkeypatch, discord.PartialMessageable)
        for photo, who in zip(photos, (desk.tom, desk.maya), strict=True):
            tap(desk, photo, who.id)
        await until(lambda: slow.waiting)
        await has_jobs(desk)
        assert questions(desk) == []
        slow.go_on.set()
        await desk.env.settle()
        assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id]
        assert len(questions(desk)) == 1


async def test_who_is_being_told_why_there_is_no_job_holds_nobody_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_watch, "OF_A_SERVER_AT_ONCE", 1)
    await ready(desk)
    photos = [await post(desk, desk.maya, ROOM) for _ in range(2)]
    await desk.db.write(access.block, desk.guild.id, desk.tom.id, desk.clock.now())
    slow = Slow(monkeypatch, discord.DMChannel)
    for photo, who in zip(photos, (desk.tom, desk.maya), strict=True):
        tap(desk, photo, who.id)
    await until(lambda: slow.waiting)
    await has_jobs(desk)
    slow.go_on.set()
    await desk.env.settle()
    assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id]
    assert "blocked" in texts(desk.tom.user.dm_channel.history()[-1])
