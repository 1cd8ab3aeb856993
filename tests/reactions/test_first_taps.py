"""Questions under photos: first taps, high prices, and slow messages."""

import asyncio
from pathlib import Path
from typing import Any

import discord
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.errors import DatabaseAway
from bot.jobs import confirm
from bot.jobs.confirm import QUESTION
from bot.posts import Post
from bot.reactions import photos as watch
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support.desk import Desk, answer_of, has_tapped, learned, open_desk, pieces, started, texts
from tests.support.patience import until
from tests.support.settings import admin

RUN = "Run · about 8 credits"


def last(desk: Desk) -> discord.Message:
    return desk.channel.history()[-1]


async def tapped_first(desk: Desk) -> tuple[discord.Message, discord.Message]:
    """A photo that Tom has tapped for the first time, and the question under it."""
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    await desk.tom.react(photo, STAGING)
    return photo, last(desk)


async def asked(desk: Desk) -> list[str]:
    """The questions that stand after what is due was done."""
    await desk.outbox.work()
    return await desk.db.read(_asked)


def _asked(session: Session) -> list[str]:
    return list(session.scalars(select(Post.key).filter_by(kind=QUESTION).order_by(Post.id)))


def stands(desk: Desk, message: discord.Message) -> bool:
    return message.id in [one.id for one in desk.channel.history()]


@pytest.mark.promise
@pytest.mark.world(tapped_before=False)
async def test_the_button_is_for_the_one_who_tapped_alone(desk: Desk) -> None:
    _, question = await tapped_first(desk)
    told = answer_of(await desk.maya.click(question, label=RUN))
    assert told.ephemeral
    assert "This question is for someone else." in texts(told)
    assert await jobs_of(desk) == []
    assert question.id in [one.id for one in desk.channel.history()]


@pytest.mark.promise
@pytest.mark.world(tapped_before=False)
async def test_a_question_whose_storing_seemed_to_fail_is_asked_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [DatabaseAway()]
    write = Database.write

    async def write_and_lose(db: Database, work: Any, *args: Any, **more: Any) -> Any:
        answer = await write(db, work, *args, **more)
        if lost and work is confirm.ask_under_photo:
            raise lost.pop()  # it was committed, and nobody learned of that
        return answer

    monkeypatch.setattr(Database, "write", write_and_lose)
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    await desk.tom.react(photo, STAGING)
    await until(lambda: last(desk).id != photo.id, "asked")
    assert lost == []
    await desk.tom.click(last(desk), label=RUN)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
@pytest.mark.world(tapped_before=False)
async def test_the_reply_is_removed_after_a_minute(desk: Desk) -> None:
    _, question = await tapped_first(desk)
    desk.clock.advance(59)
    assert len(await asked(desk)) == 1
    desk.clock.advance(2)
    assert await asked(desk) == []
    assert not stands(desk, question)
    assert await jobs_of(desk) == []


@pytest.mark.world(tapped_before=False)
async def test_taking_the_tap_back_or_deleting_the_photo_removes_the_reply(desk: Desk) -> None:
    photo, question = await tapped_first(desk)
    await desk.tom.unreact(photo, STAGING)
    assert not stands(desk, question)
    await desk.tom.react(photo, STAGING)
    question = last(desk)
    await desk.maya.delete(photo)
    assert not stands(desk, question)


@pytest.mark.promise
async def test_a_photo_that_runs_by_itself_asks_its_poster_above_the_price(desk: Desk) -> None:
    await ready(desk)
    await admin(desk, "photos auto", tool="photo-restore")
    await admin(desk, "budget", confirm=5)
    await post(desk, desk.maya, ROOM)
    question = last(desk)
    assert f"<@{desk.maya.id}> **Photo restoration** costs about 8 credits." in texts(question)
    await desk.maya.click(question, label=RUN)
    assert [job.tool for job in await jobs_of(desk)] == ["photo-restore"]


@pytest.mark.promise
@pytest.mark.world(tapped_before=False)
async def test_whoever_runs_what_was_asked_about_a_photo_sees_alone_how_it_goes(desk: Desk) -> None:
    _, question = await tapped_first(desk)
    told = answer_of(await desk.tom.click(question, label=RUN))
    assert told.ephemeral
    assert started(told)
    assert not stands(desk, question)


@pytest.mark.world(tapped_before=False)
async def test_what_became_dearer_meanwhile_is_asked_again_under_the_photo(desk: Desk) -> None:
    await tapped_first(desk)
    await learned(desk, 20, "virtual-staging", style="modern", room="living room")
    await desk.tom.click(last(desk), label=RUN)
    assert "**Virtual staging** costs 20 credits. Start it?" in texts(last(desk))
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_who_had_their_data_erased_is_asked_again(desk: Desk) -> None:
    await ready(desk)
    await desk.forget(desk.tom)
    await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
    assert "Your first tap in this server asks first." in texts(last(desk))


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


def questions(desk: Desk) -> list[discord.Message]:
    return [one for one in desk.channel.history() if RUN in [piece.get("label") for piece in pieces(one)]]


def tap(desk: Desk, photo: discord.Message, user_id: int) -> None:
    desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, user_id))


@pytest.mark.promise
@pytest.mark.world(tapped_before=False)
async def test_the_minute_of_a_question_begins_when_it_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    photos = [await post(desk, desk.maya, ROOM) for _ in range(2)]
    slow = Slow(monkeypatch, discord.PartialMessageable)
    for photo, who in zip(photos, (desk.tom, desk.maya), strict=True):
        tap(desk, photo, who.id)
    await until(lambda: slow.waiting, "a message that waits")
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
async def test_questions_that_wait_hold_up_no_other_tap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "OF_A_SERVER_AT_ONCE", 1)
    async with open_desk(tmp_path, tapped_before=False, key=True) as desk:
        await ready(desk)
        await desk.db.write(has_tapped, desk.guild.id, desk.maya.id)
        photos = [await post(desk, desk.maya, ROOM) for _ in range(2)]
        slow = Slow(monkeypatch, discord.PartialMessageable)
        for photo, who in zip(photos, (desk.tom, desk.maya), strict=True):
            tap(desk, photo, who.id)
        await until(lambda: slow.waiting, "a message that waits")
        await until(lambda: jobs_of(desk), "the job")
        assert questions(desk) == []
        slow.go_on.set()
        await desk.env.settle()
        assert [job.user_id for job in await jobs_of(desk)] == [desk.maya.id]
        assert len(questions(desk)) == 1
