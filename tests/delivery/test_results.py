"""Results: what they show, whom they notify, and what is too large."""

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import discord
import pytest
from PIL import Image

from bot.jobs import queries
from bot.jobs.models import Job, JobState, SourcePhoto
from bot.media.drawing import WIPE_STEPS
from bot.media.spool import OutputFile
from bot.reasons import Reason
from bot.servers import settings
from tests.delivery.finished import finished, output, posted
from tests.support.decoders import SharedDecoders
from tests.support.desk import PNG, Desk, pieces, press_more, texts
from tests.support.jobs import settle_job
from tests.support.posts import tell_end
from tests.support.simulated import delivery_on


@pytest.mark.promise
async def test_a_result_replies_to_nothing_and_pings_the_requester_alone(
    desk: Desk,
    tmp_path: Path,
) -> None:
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
async def test_a_result_replies_to_the_message_that_its_photo_is_in(desk: Desk, tmp_path: Path) -> None:
    photo = await desk.tom.send(desk.channel, "The kitchen")
    url = "https://cdn.discordapp.com/attachments/1/2/room.png"
    of_menu = SourcePhoto(url, "room.png", "image/png", 9, photo.id, desk.channel.id)
    message = await posted(desk, replace(await finished(desk), source=of_menu), output(tmp_path))
    assert message.reference is not None
    assert message.reference.message_id == photo.id


@pytest.mark.promise
async def test_a_result_does_not_reply_to_a_photo_of_another_channel(desk: Desk, tmp_path: Path) -> None:
    url = "https://cdn.discordapp.com/attachments/1/2/room.png"
    of_elsewhere = SourcePhoto(url, "room.png", "image/png", 9, 77, desk.channel.id + 1)
    job = replace(await finished(desk), source=of_elsewhere)
    assert (await posted(desk, job, output(tmp_path))).reference is None


@pytest.mark.promise
@pytest.mark.parametrize(
    ("state", "words"),
    [(JobState.FAILED, "The photo was broken."), (JobState.CANCELLED, "was cancelled")],
)
async def test_an_ending_is_told_to_the_requester_with_what_it_cost(
    desk: Desk, state: JobState, words: str
) -> None:
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


MIB = 1024 * 1024
LIMIT = 10 * MIB  # of a server without boosts
TOGETHER = "because Discord has a size limit here"


def picture(colour: str, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, kind)
    return file.getvalue()


MADE, ROOM = picture("orange"), picture("blue")


def draw(desk: Desk) -> None:
    """Let the desk's results be drawn."""
    rules = partial(desk.db.read, settings.of)
    desk.delivery = delivery_on(desk.bot, desk.bot.catalog, SharedDecoders(), rules)


async def made(desk: Desk, **rules: Any) -> Job:
    """Maya's room was restored in a server with these rules; the result has not been posted."""
    await desk.db.write(settings.change, desk.guild.id, **rules)
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", ROOM))
    done = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    job = await desk.move(
        await desk.job(),
        *done,
        finished_at=desk.clock.now(),
        output_kind="image",
        output_url="https://studii.example/o",
    )
    draw(desk)
    return job


def files(folder: Path, after: int, before: int | None, *, kind: str = "image/png") -> OutputFile:
    """A result of that many bytes as far as its record tells, and the photo before."""
    (folder / "after.png").write_bytes(MADE)
    (folder / "before.png").write_bytes(ROOM)
    source = None if before is None else OutputFile(folder / "before.png", "image", kind, before)
    return OutputFile(folder / "after.png", "image", "image/png", after, source)


async def shown(desk: Desk) -> Sequence[bytes]:
    return [await one.read() for one in desk.channel.history()[-1].attachments]


def gallery(desk: Desk) -> int:
    """How many pictures are drawn."""
    (found,) = (piece for piece in pieces(desk.channel.history()[-1]) if piece["type"] == 12)
    return len(found["items"])


def colour_of(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        red, _, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return "blue" if blue > red else "orange"


@pytest.mark.promise
async def test_a_photo_before_that_is_too_large_beside_the_result_is_shown_smaller(
    desk: Desk, tmp_path: Path
) -> None:
    job = await made(desk)
    await tell_end(desk.delivery, job, files(tmp_path, 6 * MIB, 6 * MIB))
    after, before = await shown(desk)
    assert after == MADE
    assert before.startswith(b"\xff\xd8\xff")
    assert colour_of(before) == "blue"
    assert gallery(desk) == 2
    assert f"The original photo is shown smaller, {TOGETHER}." in texts(desk.channel.history()[-1])


@pytest.mark.promise
async def test_where_there_is_no_room_beside_the_result_it_says_why_and_links_the_original(
    desk: Desk,
    tmp_path: Path,
) -> None:
    job = await made(desk)
    await tell_end(desk.delivery, job, files(tmp_path, LIMIT - 70_000, 6 * MIB))
    assert await shown(desk) == [MADE]
    assert f"The original photo isn't shown, {TOGETHER}." in texts(desk.channel.history()[-1])
    assert "Full size" in labels(desk.channel.history()[-1])


@pytest.mark.promise
async def test_a_photo_before_that_is_kept_no_more_is_said_to_be_gone(desk: Desk, tmp_path: Path) -> None:
    job = await made(desk)
    output = files(tmp_path, len(MADE), len(ROOM))
    await tell_end(desk.delivery, job, replace(output, before=None))
    assert "The original photo has been deleted" in texts(desk.channel.history()[-1])


@pytest.mark.promise
@pytest.mark.parametrize(
    ("setting", "name", "side", "shown_side", "frames"),
    [
        ("splits", "Split", 40, 40, 1),
        ("wipes", "Wipe", 40, 40, 2 * WIPE_STEPS),
        ("wipes", "Wipe", 800, 500, 2 * WIPE_STEPS),  # it would have more than 3 MiB
    ],
)
async def test_a_server_can_have_both_in_one_picture_of_three_megabytes_beside_the_whole_ones(
    desk: Desk, tmp_path: Path, setting: str, name: str, side: int, shown_side: int, frames: int
) -> None:
    job = await made(desk, **{setting: True})
    output = files(tmp_path, len(MADE), len(ROOM))
    for path in (tmp_path / "after.png", tmp_path / "before.png"):
        noise = Random(path.name).randbytes(3 * side * side)  # which no format makes small
        Image.frombytes("RGB", (side, side), noise).save(path)
    await tell_end(desk.delivery, job, output)
    after, both, before = await shown(desk)
    assert [after, before] == [(tmp_path / one).read_bytes() for one in ("after.png", "before.png")]
    assert len(both) <= 3 * MIB
    with Image.open(io.BytesIO(both)) as picture:
        assert (picture.size, getattr(picture, "n_frames", 1)) == ((shown_side, shown_side), frames)
    assert f"-# 1 After · 2 {name} · 3 Before" in texts(desk.channel.history()[-1])


@pytest.mark.promise
async def test_a_staged_picture_has_a_labelled_copy_beside_the_untouched_one(
    desk: Desk, tmp_path: Path
) -> None:
    job = await made(desk, staging_label="Virtually staged")
    await tell_end(desk.delivery, replace(job, tool="virtual-staging"), files(tmp_path, len(MADE), len(ROOM)))
    after, _, before = await shown(desk)
    assert (after, before) == (MADE, ROOM)
    assert "-# 1 Labelled · 2 After · 3 Before" in texts(desk.channel.history()[-1])


@pytest.mark.promise
async def test_a_staged_result_has_the_words_for_a_listing_and_the_original_photo(
    desk: Desk, tmp_path: Path
) -> None:
    job = await made(desk, staging_label="Virtually staged")
    await tell_end(desk.delivery, replace(job, tool="virtual-staging"), files(tmp_path, len(MADE), len(ROOM)))
    message = desk.channel.history()[-1]
    answer = await press_more(desk.tom, message, "For a listing")
    told = texts(answer)
    assert "Virtually staged: this image has been digitally altered with AI." in told
    assert "Original, unaltered image: [your link]" in told
    assert "discord.com/channels" not in told  # which visitors can't open
    assert "as it was sent" in told
    assert "isn't legal advice" in told
    (link,) = (piece for piece in pieces(answer) if piece.get("label") == "Download original photo")
    assert desk.env.backend.cdn.get(link["url"]) == ROOM


DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def refusing(desk: Desk, kind: str, url: str, times: int) -> Job:
    """A job that is done, in a channel that takes no file the next `times` times."""
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    done: Any = {"finished_at": desk.clock.now(), "output_url": url, "output_kind": kind}
    job = await desk.move(await desk.job(), *DONE, **done)
    desk.env.inject_error("POST", "/channels/*/messages", status=413, code=40005, times=times)
    draw(desk)
    return job


def noise(folder: Path) -> OutputFile:
    path = folder / "out.png"
    Image.effect_noise((1200, 900), 60).save(path)
    return OutputFile(path, "image", "image/png", path.stat().st_size)


def labels(message: discord.Message) -> list[str]:
    return [piece["label"] for piece in pieces(message) if piece["type"] == 2]


@pytest.mark.promise
async def test_a_picture_that_discord_refuses_as_too_large_comes_smaller_and_with_its_original(
    desk: Desk,
    tmp_path: Path,
) -> None:
    job = await refusing(desk, "image", "https://files.example/out.png", 1)
    made = noise(tmp_path)
    await tell_end(desk.delivery, job, made)
    message = desk.channel.history()[-1]
    data = await message.attachments[0].read()
    assert len(data) < made.size
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.format == "JPEG"
    assert "Full size" in labels(message)


@pytest.mark.promise
async def test_a_picture_that_is_too_large_even_smaller_comes_as_its_link(desk: Desk, tmp_path: Path) -> None:
    job = await refusing(desk, "image", "https://files.example/out.png", 3)
    await tell_end(desk.delivery, job, noise(tmp_path))
    message = desk.channel.history()[-1]
    assert not message.attachments
    assert "Full size" in labels(message)


@pytest.mark.promise
async def test_a_video_that_discord_refuses_as_too_large_comes_as_a_link_that_it_plays(
    desk: Desk,
    tmp_path: Path,
) -> None:
    job = await refusing(desk, "video", "https://files.example/out.mp4", 1)
    path = tmp_path / "out.mp4"
    path.write_bytes(bytes(1000))
    await tell_end(desk.delivery, job, OutputFile(path, "video", "video/mp4", 1000))
    message = desk.channel.history()[-1]
    assert message.content.endswith("\nhttps://files.example/out.mp4")
    assert not message.attachments
