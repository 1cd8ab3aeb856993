"""Discord refuses a file whose size looked right: a picture is posted smaller, a video as its link."""

import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from PIL import Image

from bot.delivery import DiscordDelivery
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from tests.support.decoders import SharedDecoders
from tests.support.desk import Desk, open_desk, pieces
from tests.support.posts import tell_end
from tests.support.simulated.delivery import delivery_on

DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


@asynccontextmanager
async def refusing(
    folder: Path, kind: str, url: str, times: int
) -> AsyncGenerator[tuple[Desk, DiscordDelivery, Job]]:
    """A job that is done, in a channel that takes no file the next `times` times."""
    async with open_desk(folder) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        done: Any = {"finished_at": desk.clock.now(), "output_url": url, "output_kind": kind}
        job = await desk.move(await desk.job(), *DONE, **done)
        desk.env.inject_error("POST", "/channels/*/messages", status=413, code=40005, times=times)
        yield desk, delivery_on(desk.bot, desk.bot.catalog, desk.clock, SharedDecoders()), job


def noise(folder: Path) -> OutputFile:
    path = folder / "out.png"
    Image.effect_noise((1200, 900), 60).save(path)
    return OutputFile(path, "image", "image/png", path.stat().st_size)


def labels(message: discord.Message) -> list[str]:
    return [piece["label"] for piece in pieces(message) if piece["type"] == 2]


@pytest.mark.promise
async def test_a_picture_that_discord_refuses_as_too_large_comes_smaller_and_with_its_original(
    tmp_path: Path,
) -> None:
    async with refusing(tmp_path, "image", "https://files.example/out.png", 1) as (desk, delivery, job):
        made = noise(tmp_path)
        await tell_end(delivery, job, made)
        message = desk.channel.history()[-1]
        data = await message.attachments[0].read()
        assert len(data) < made.size
        with Image.open(io.BytesIO(data)) as shown:
            assert shown.format == "JPEG"
        assert "Full size" in labels(message)


@pytest.mark.promise
async def test_a_picture_that_is_too_large_even_smaller_comes_as_its_link(tmp_path: Path) -> None:
    async with refusing(tmp_path, "image", "https://files.example/out.png", 3) as (desk, delivery, job):
        await tell_end(delivery, job, noise(tmp_path))
        message = desk.channel.history()[-1]
        assert not message.attachments
        assert "Full size" in labels(message)


@pytest.mark.promise
async def test_a_video_that_discord_refuses_as_too_large_comes_as_a_link_that_it_plays(
    tmp_path: Path,
) -> None:
    async with refusing(tmp_path, "video", "https://files.example/out.mp4", 1) as (desk, delivery, job):
        path = tmp_path / "out.mp4"
        path.write_bytes(bytes(1000))
        await tell_end(delivery, job, OutputFile(path, "video", "video/mp4", 1000))
        message = desk.channel.history()[-1]
        assert message.content.endswith("\nhttps://files.example/out.mp4")
        assert not message.attachments
