"""The last word on a job: posted once, to the right person, whatever Discord does."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.jobs import queries, transitions
from bot.jobs.models import JobState, SourcePhoto
from bot.reasons import Reason
from tests.delivery.finished import MESSAGES, finished, output, posted, sent
from tests.support.desk import PNG, open_desk, pieces, texts
from tests.support.jobs import settle_job
from tests.support.posts import Posted, tell_end

TOO_LARGE = 11 * 1024 * 1024  # bytes; a server without boosts takes 10 MiB


@pytest.mark.promise
async def test_a_result_replies_to_nothing_and_pings_the_requester_alone(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        message = await posted(desk, job, output(tmp_path))
        assert await message.attachments[0].read() == PNG
        assert [user.id for user in message.mentions] == [desk.maya.id]
        assert message.reference is None
        assert "your picture is ready" in texts(message)
        assert "-# Studio · mode **image** · quality" in texts(message)
        assert "aspect ratio **16:9** · 8 credits" in texts(message)
        assert [piece["label"] for piece in pieces(message) if piece["type"] == 2] == [
            "Run again · 8 credits",
            "Edit",
            "Full size",
            "More…",
        ]


@pytest.mark.promise
@pytest.mark.promise
async def test_a_result_replies_to_the_message_that_its_photo_is_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        photo = await desk.tom.send(desk.channel, "The kitchen")
        url = "https://cdn.discordapp.com/attachments/1/2/room.png"
        of_menu = SourcePhoto(url, "room.png", "image/png", 9, photo.id, desk.channel.id)
        message = await posted(desk, replace(await finished(desk), source=of_menu), output(tmp_path))
        assert message.reference is not None
        assert message.reference.message_id == photo.id


@pytest.mark.promise
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
        assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(first.id)
        assert len(desk.channel.history()) == 1


async def test_another_posting_of_the_same_job_is_made(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        await posted(desk, job, output(tmp_path))
        again = await desk.db.write(transitions.change, job.id, posting=1)
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
            "Full size",
            "More…",
        ]
        desk.clock.advance(10 * 60)
        assert await tell_end(desk.delivery, job, output(tmp_path, "video", TOO_LARGE)) == Posted(message.id)


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


@pytest.mark.promise
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
        await desk.db.write(settle_job, job.id, 0, desk.clock.now())
        released = await desk.db.write(queries.get, job.id)
        assert released is not None
        message = await desk.told(released)
        assert words in texts(message)
        assert "· Not charged." in texts(message)
        assert "> A red kite" in texts(message)
        assert "Server: Harbour Street Studio" in texts(message)
        assert desk.channel.history() == []
