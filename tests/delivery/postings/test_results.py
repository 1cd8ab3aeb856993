"""The last word on a job: posted once, to the right person, whatever Discord does."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.jobs import queries
from bot.jobs.models import JobState, SourcePhoto
from bot.reasons import Reason
from tests.delivery.finished import finished, output, posted
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.jobs import settle_job

TOO_LARGE = 11 * 1024 * 1024  # bytes; a server without boosts takes 10 MiB


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
