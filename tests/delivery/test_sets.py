"""A set's results: pairs in as many messages as Discord's limits need, and a menu for one of them."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from simcord import MemberActor, ResponseMessage

from bot.delivery import DiscordDelivery
from bot.engine.posts import first_message
from bot.jobs import transitions
from bot.jobs.models import FailureCode, JobState
from bot.jobs.results import EndOfJobs, Part
from bot.media.spool import OutputFile
from bot.posts import TooMuch
from bot.reasons import Reason
from bot.servers.settings import GuildSettings
from tests.delivery.finished import MESSAGES
from tests.reactions.taps import jobs_of, post
from tests.support.decoders import SharedDecoders
from tests.support.desk import Desk, answer_of, keep_answers, pieces, texts
from tests.support.posts import Posted, Undeliverable, post_ending
from tests.support.presses import press
from tests.support.simulated import delivery_on
from tests.ui.jobs.test_listing import elsewhere

SENT = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


ROOM, MADE = picture("blue"), picture("orange")


async def usual(_: int) -> GuildSettings:
    return GuildSettings(0)


async def made(
    desk: Desk, folder: Path, count: int = 3, *, failed: int = 0, private: bool = False
) -> list[Part]:
    """Maya's rooms were restored, the last ones not; nothing has been posted."""
    keep_answers(desk)
    desk.delivery = delivery(desk)
    message = await post(desk, desk.maya, *((f"room{one}.png", ROOM) for one in range(1, count + 1)))
    form = await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    await desk.maya.submit_modal(form, {"image": [f"first {count}"], "private": private})
    for number, job in enumerate(await jobs_of(desk), 1):
        if number > count - failed:
            why = {"failure": FailureCode.STUDII, "failure_text": Reason.text("Too dark.")}
            end = await desk.move(job, *SENT, JobState.FAILED, finished_at=desk.clock.now(), **why)
            await desk.settle(end, 0)
        else:
            there = {"output_kind": "image", "output_url": "https://studii.example/o"}
            end = await desk.move(job, *SENT, JobState.SUCCEEDED, finished_at=desk.clock.now(), **there)
            await desk.settle(end, 8)
    (folder / "after.png").write_bytes(MADE)
    (folder / "before.png").write_bytes(ROOM)
    before = OutputFile(folder / "before.png", "image", "image/png", len(ROOM))
    output = OutputFile(folder / "after.png", "image", "image/png", len(MADE), before)
    jobs = await jobs_of(desk)
    return [
        Part(job, number, output if job.state is JobState.SUCCEEDED else None)
        for number, job in enumerate(jobs, 1)
    ]


def delivery(desk: Desk) -> DiscordDelivery:
    bot = desk.bot
    return delivery_on(bot, bot.catalog, SharedDecoders(), usual, answers=bot.answers)


async def announce(desk: Desk, parts: Sequence[Part], rules: GuildSettings | None = None) -> list[Posted]:
    """Post the set as the engine does, and note where."""
    whole = tuple(part.job for part in parts)
    said: list[Posted] = []
    left = list(parts)
    while left:
        some = first_message(left, rules or GuildSettings(0))
        while isinstance(
            posted := await post_ending(desk.delivery, EndOfJobs(tuple(some), whole, len(said))), TooMuch
        ):
            some = some[: (len(some) + 1) // 2]
        left = left[len(some) :]
        assert isinstance(posted, Posted)
        number = len(said)
        said.append(posted)
        for part in some:
            await desk.db.write(
                transitions.change, part.job.id, result_message_id=posted.message_id, set_message=number
            )
    return said


def galleries(desk: Desk) -> list[list[int]]:
    """How many pictures each message of the set has in each of its galleries."""
    return [
        [len(piece["items"]) for piece in pieces(message) if piece["type"] == 12]
        for message in desk.channel.history()[1:]
    ]


def labels(shown: object) -> list[str]:
    return [str(piece["label"]) for piece in pieces(shown) if piece["type"] == 2]


async def picked(desk: Desk, number: int, by: MemberActor | None = None) -> ResponseMessage:
    jobs = await jobs_of(desk)
    person = by or desk.maya
    shown = await person.select(desk.channel.history()[-1], [jobs[number - 1].id])
    assert shown.ephemeral
    assert shown.response is not None
    return shown.response


@pytest.mark.promise
async def test_a_set_of_six_is_posted_as_pairs_in_two_messages(desk: Desk, tmp_path: Path) -> None:
    parts = await made(desk, tmp_path, 6)
    said = await announce(desk, parts)
    assert len({one.message_id for one in said}) == 2
    assert galleries(desk) == [[2, 2, 2], [2, 2, 2]]  # ten files are the most that a message takes
    first, second = desk.channel.history()[1:]
    assert f"<@{desk.maya.id}>, your results are ready: photos 1 to 3 of 6." in texts(first)
    assert "**1.** room1.png\n-# 1 After · 2 Before" in texts(first)
    assert "**4.** room4.png" in texts(second)
    assert "24 credits" in texts(second)
    assert texts(second).count("Made with AI") == 1
    photos = desk.channel.history()[0]
    assert first.reference is not None
    assert first.reference.message_id == photos.id
    # Asked again with the same number, it is the same message.
    again = EndOfJobs(tuple(parts[:3]), tuple(part.job for part in parts))
    desk.clock.advance(300)
    assert await post_ending(desk.delivery, again) == said[0]
    assert len(desk.channel.history()) == 3


@pytest.mark.promise
async def test_the_menu_shows_one_picture_with_what_a_single_result_has(desk: Desk, tmp_path: Path) -> None:
    parts = await made(desk, tmp_path)
    await announce(desk, parts)
    shown = await picked(desk, 2, desk.tom)
    assert "Photo restoration: 2. room2.png" in texts(shown)
    assert labels(shown)[0].startswith("Run again · ")
    assert labels(shown)[1:] == ["Edit", "Full size", "Use in…", "Variations…"]
    again = await desk.tom.click(shown, label=labels(shown)[0])
    assert again.response is not None
    new = (await jobs_of(desk))[-1]
    assert new.source is not None
    assert (new.user_id, new.set_id) == (desk.tom.id, None)
    assert new.source.filename.startswith("before-")  # from the message, which always has an address
    form = await desk.tom.click(shown, label="Use in…")
    assert "Use this picture in" in texts(form)


@pytest.mark.promise
async def test_one_picture_is_deleted_and_the_others_stay(desk: Desk, tmp_path: Path) -> None:
    parts = await made(desk, tmp_path, 2)
    await announce(desk, parts)
    shown = await picked(desk, 1)
    moderator, there = elsewhere(desk, "tom")  # of another server
    forged = f"studii:dropped:{parts[0].job.id}"
    await press(desk, moderator, await desk.channel_message(forged, there), forged)
    assert galleries(desk) == [[2, 2]]
    question = await desk.maya.click(shown, label="Delete")
    assert "Delete this picture for everyone?" in texts(question)
    gone = await desk.maya.click(answer_of(question), label="Delete")
    assert "Deleted. What it cost" in texts(gone)
    message = desk.channel.history()[-1]
    assert galleries(desk) == [[2]]
    assert "room1.png" not in texts(message)
    assert "**2.** room2.png" in texts(message)
    (menu,) = [piece for piece in pieces(message) if piece["type"] == 3]
    assert [one["label"] for one in menu["options"]] == ["2. room2.png"]
    listed = texts(await desk.maya.slash(desk.channel, "jobs"))
    assert f"[Photo restoration]({message.jump_url}) · done" in listed
    assert "Photo restoration · deleted" in listed
    shown = await picked(desk, 2, desk.admin)  # who has Manage Server, without Manage Messages
    question = await desk.admin.click(shown, label="Delete")
    await desk.admin.click(answer_of(question), label="Delete")
    assert galleries(desk) == []  # it showed nothing else


@pytest.mark.promise
async def test_a_private_set_takes_the_place_of_its_progress_if_one_message_holds_it(
    desk: Desk, tmp_path: Path
) -> None:
    parts = await made(desk, tmp_path, 3, private=True)
    assert await announce(desk, parts) == [Posted(None)]
    assert len(desk.channel.history()) == 1  # the photos


@pytest.mark.promise
async def test_a_private_set_of_two_messages_comes_by_direct_message(desk: Desk, tmp_path: Path) -> None:
    parts = await made(desk, tmp_path, 6, private=True)
    assert await announce(desk, parts) == [Posted(None, by_dm=True)] * 2
    assert len(desk.channel.history()) == 1


async def test_nothing_that_others_write_makes_a_sets_message_too_long(desk: Desk, tmp_path: Path) -> None:
    parts = await made(desk, tmp_path, 10)
    name, url = "[x](http://e.example) *" * 20, f"https://studii.example/{'o' * 1400}"
    long: list[Part] = []
    for part in parts:
        assert part.job.source is not None
        source = replace(part.job.source, filename=f"{name}.png")
        job = replace(part.job, source=source, output_url=url, inputs={"prompt": "*" * 2000})
        long.append(replace(part, job=replace(job, tool="studio"), output=None))
    await announce(desk, long)
    assert len(texts(desk.channel.history()[-1])) < 4000


@pytest.mark.promise
async def test_pairs_that_discord_finds_too_large_together_are_too_much_and_words_alone_are_not(
    desk: Desk,
    tmp_path: Path,
) -> None:
    parts = await made(desk, tmp_path, 3, failed=1)
    whole = tuple(part.job for part in parts)
    pairs = EndOfJobs(tuple(parts), whole)
    desk.env.inject_error("POST", MESSAGES, status=413, code=40005, times=2)
    assert await post_ending(desk.delivery, pairs) == TooMuch(unsent=True)
    words = replace(pairs, parts=(parts[2],))
    assert isinstance(await post_ending(desk.delivery, words), Undeliverable)
