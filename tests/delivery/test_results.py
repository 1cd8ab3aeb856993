"""The last word on a job: posted once, to the right person, whatever Discord does."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.delivery import DiscordDelivery
from bot.domain import (
    Announcement,
    Job,
    JobState,
    OutputFile,
    Posted,
    SourcePhoto,
    TryLater,
    Undeliverable,
)
from bot.reasons import Reason
from tests.support.desk import PNG, Desk, open_desk, pieces, texts

TOO_LARGE = 11 * 1024 * 1024  # bytes; a server without boosts takes 10 MiB
MESSAGES = "/channels/*/messages"
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def finished(desk: Desk, **changes: Any) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    given = {
        "finished_at": desk.clock.now(),
        "output_url": "https://files.example/out.png",
        "output_kind": "image",
    }
    job = await desk.move(await desk.job(), *DONE, **(given | changes))
    return await desk.settle(job, 8)


def output(folder: Path, kind: str = "image", size: int | None = None) -> OutputFile:
    path = folder / "output"
    path.write_bytes(PNG)
    return OutputFile(path, kind, "image/png" if kind == "image" else "video/mp4", size or len(PNG))


async def posted(desk: Desk, job: Job, file: OutputFile | None) -> discord.Message:
    before = len(desk.channel.history())
    outcome = await desk.delivery.announce(job, file)
    history = desk.channel.history()
    assert len(history) == before + 1
    assert outcome == Posted(history[-1].id)
    return history[-1]


def sent(desk: Desk) -> dict[str, Any]:
    """The last message that was sent to a channel, as the request had it."""
    calls = [
        call for call in desk.env.http_requests if call.path.endswith("/messages") and call.method == "POST"
    ]
    json = calls[-1].json
    assert json is not None
    return json


async def test_a_result_replies_to_nothing_and_pings_the_requester_alone(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        message = await posted(desk, job, output(tmp_path))
        assert await message.attachments[0].read() == PNG
        assert [user.id for user in message.mentions] == [desk.maya.id]
        assert message.reference is None
        assert "your **Studio** is ready" in texts(message)
        assert "aspect ratio **16:9** · 8 credits" in texts(message)
        assert [piece["label"] for piece in pieces(message) if piece["type"] == 2] == [
            "Run again · 8 credits",
            "Edit",
            "Use in…",
            "Save as style",
            "Delete",
        ]


async def test_where_cards_are_kept_a_result_replies_to_its_card(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.services.posting.set(desk.guild.id, keeps_cards=True)
        job = await finished(desk)
        outcome = await desk.delivery.announce(job, output(tmp_path))
        message = desk.channel.history()[-1]
        assert outcome == Posted(message.id, keeps_card=True)
        assert message.reference is not None
        assert message.reference.message_id == job.card_message_id


async def test_a_result_replies_to_the_message_that_its_photo_is_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        photo = await desk.tom.send(desk.channel, "The kitchen")
        url = "https://cdn.discordapp.com/attachments/1/2/room.png"
        of_menu = SourcePhoto(url, "room.png", "image/png", 9, photo.id, desk.channel.id)
        message = await posted(desk, replace(await finished(desk), source=of_menu), output(tmp_path))
        assert message.reference is not None
        assert message.reference.message_id == photo.id


async def test_a_result_does_not_reply_to_a_photo_of_another_channel(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        url = "https://cdn.discordapp.com/attachments/1/2/room.png"
        of_elsewhere = SourcePhoto(url, "room.png", "image/png", 9, 77, desk.channel.id + 1)
        job = replace(await finished(desk), source=of_elsewhere)
        assert (await posted(desk, job, output(tmp_path))).reference is None


async def test_discord_is_told_what_to_recognise_a_second_sending_by(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk, posting=2)
        await posted(desk, job, output(tmp_path))
        assert (sent(desk)["nonce"], sent(desk)["enforce_nonce"]) == (f"{job.id}-2", True)
        assert len(sent(desk)["nonce"]) <= 25
        assert sent(desk)["allowed_mentions"]["parse"] == []
        assert "content" not in sent(desk) or sent(desk)["content"] is None


async def test_what_discord_took_without_saying_so_is_not_posted_again_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        first = await posted(desk, job, output(tmp_path))
        desk.clock.advance(10 * 60)  # Discord has forgotten the nonce by now
        assert await desk.delivery.announce(job, output(tmp_path)) == Posted(first.id)
        assert len(desk.channel.history()) == 2


async def test_another_posting_of_the_same_job_is_made(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        await posted(desk, job, output(tmp_path))
        async with desk.storage.write() as transaction:
            again = await transaction.jobs.update(job.id, posting=1)
        assert again is not None
        desk.clock.advance(10 * 60)
        await posted(desk, again, output(tmp_path))


@pytest.mark.parametrize("how", ["declared", "refused"])
async def test_a_picture_that_is_too_large_is_posted_as_a_link(tmp_path: Path, how: str) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        if how == "refused":
            desk.env.inject_error("POST", MESSAGES, status=413, code=40005, times=1)
        message = await posted(desk, job, output(tmp_path, size=TOO_LARGE if how == "declared" else None))
        assert not message.attachments
        assert "[Open the picture](<https://files.example/out.png>)" in texts(message)
        assert "may stop working" in texts(message)
        assert [user.id for user in message.mentions] == [desk.maya.id]


async def test_a_video_that_is_too_large_is_an_ordinary_message_that_discord_plays(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk, output_url="https://files.example/out.mp4", output_kind="video")
        message = await posted(desk, job, output(tmp_path, "video", size=TOO_LARGE))
        assert message.content.endswith("\nhttps://files.example/out.mp4")
        assert not message.flags.components_v2
        assert [piece["label"] for piece in pieces(message) if piece["type"] == 2] == [
            "Run again · 8 credits",
            "Edit",
            "Save as style",
            "Delete",
        ]
        desk.clock.advance(10 * 60)
        assert await desk.delivery.announce(job, output(tmp_path, "video", TOO_LARGE)) == Posted(message.id)


async def test_a_video_that_fits_is_in_the_gallery(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk, output_kind="video")
        message = await posted(desk, job, output(tmp_path, "video"))
        assert message.attachments[0].filename.endswith(".mp4")
        (gallery,) = (piece for piece in sent(desk)["components"] if piece["type"] == 12)
        assert gallery["items"][0]["media"]["url"] == f"attachment://{message.attachments[0].filename}"


async def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        file = output(tmp_path)
        file.path.unlink()
        message = await posted(desk, job, file)
        assert "was deleted before it could be posted" in texts(message)
        assert "Open the picture" in texts(message)


async def test_a_card_that_was_deleted_does_not_keep_the_result_away(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        await desk.channel.history()[0].delete()
        outcome = await desk.delivery.announce(job, output(tmp_path))
        assert outcome == Posted(desk.channel.history()[-1].id)


@pytest.mark.parametrize(
    ("state", "words"),
    [(JobState.FAILED, "The photo was broken."), (JobState.CANCELLED, "was cancelled")],
)
async def test_an_ending_is_told_to_the_requester_with_what_it_cost(
    tmp_path: Path, state: JobState, words: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        job = await desk.move(await desk.job(), state, failure_text=Reason.text("The photo was broken."))
        async with desk.storage.write() as transaction:
            await transaction.ledger.release(job.id, desk.clock.now())
            released = await transaction.jobs.get(job.id)
        assert released is not None
        message = await posted(desk, released, None)
        assert words in texts(message)
        # It carries what the card said, which it takes the place of.
        assert "· Not charged." in texts(message)
        assert texts(message).endswith("> A red kite")
        assert [user.id for user in message.mentions] == [desk.maya.id]


async def announce_in(desk: Desk, folder: Path, **permissions: bool) -> Announcement:
    job = await finished(desk)
    channel = desk.channel_for_the_bot("closed", **permissions)
    await desk.env.settle()
    return await desk.delivery.announce(replace(job, channel_id=channel.id), output(folder))


@pytest.mark.parametrize("lost", ["view_channel", "send_messages", "attach_files"])
async def test_where_the_bot_may_not_post_any_more_and_dms_are_closed_it_is_undeliverable(
    tmp_path: Path, lost: str
) -> None:
    async with open_desk(tmp_path) as desk:
        desk.close_dms()
        outcome = await announce_in(desk, tmp_path, **{lost: False})
        assert isinstance(outcome, Undeliverable)
        assert lost.replace("_", " ").title() in outcome.reason


async def test_without_the_history_it_is_posted_and_replies_to_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert isinstance(await announce_in(desk, tmp_path, read_message_history=False), Posted)
        assert "message_reference" not in sent(desk)


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (400, 50035)])
async def test_what_discord_refuses_for_good_is_undeliverable(tmp_path: Path, status: int, code: int) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        desk.close_dms()
        desk.env.inject_error("POST", MESSAGES, status=status, code=code, times=1)
        assert isinstance(await desk.delivery.announce(job, output(tmp_path)), Undeliverable)


@pytest.mark.parametrize(("status", "code"), [(401, 0), (403, 0), (403, 40333), (429, 0), (500, 0), (503, 0)])
async def test_what_may_pass_is_tried_later_and_then_arrives(tmp_path: Path, status: int, code: int) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        desk.env.inject_error("POST", MESSAGES, status=status, code=code, times=1)
        outcome = await desk.delivery.announce(job, output(tmp_path))
        assert isinstance(outcome, TryLater)
        assert outcome.seconds > 0
        await posted(desk, job, output(tmp_path))


async def test_a_posting_that_somebody_deleted_is_not_made_again(tmp_path: Path) -> None:
    # Discord answers a nonce that it knows with 10008 when its message was deleted.
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        desk.env.inject_error("POST", MESSAGES, status=404, code=10008, times=1)
        assert await desk.delivery.announce(job, output(tmp_path)) == Posted(None)


async def test_no_trouble_with_discord_leaves_a_trace_of_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        desk.env.inject_error("POST", MESSAGES, status=500, times=1)
        await desk.delivery.announce(job, output(tmp_path))
    assert "simcord_interaction" not in caplog.text


async def test_a_result_from_before_the_bot_started_is_not_posted_again(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        message = await posted(desk, job, output(tmp_path))
        desk.clock.advance(3600)
        # A backup that was taken back knows nothing of the message, and has just seen the job end.
        later = DiscordDelivery(desk.bot, desk.bot.catalog, desk.clock)
        anew = replace(job, finished_at=desk.clock.now())
        before = len(desk.channel.history())
        assert await later.announce(anew, output(tmp_path)) == Posted(message.id)
        assert len(desk.channel.history()) == before


async def test_that_an_outcome_is_unknown_is_not_said_any_more_once_the_result_is_there(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        unknown = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
        doubt = await posted(desk, unknown, None)
        # Studii's answer arrives after all.
        job = await desk.move(
            unknown,
            JobState.RUNNING,
            JobState.SUCCEEDED,
            posting=1,
            result_message_id=doubt.id,
            output_kind="image",
            finished_at=desk.clock.now(),
        )
        job = await desk.settle(job, 8)
        outcome = await desk.delivery.announce(job, output(tmp_path))
        assert isinstance(outcome, Posted)
        there = [message.id for message in desk.channel.history()]
        assert doubt.id not in there
        assert outcome.message_id in there
        desk.clock.advance(10 * 60)
        # Said once more, after a death: the earlier message is gone, and that is no trouble.
        assert await desk.delivery.announce(job, output(tmp_path)) == outcome
