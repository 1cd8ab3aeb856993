"""A result by direct message has the buttons that can do something there, and no others."""

from dataclasses import replace
from pathlib import Path

import discord
import pytest

from bot.jobs.models import FailureCode, Job, JobState
from bot.media.spool import OutputFile
from bot.reasons import Reason
from tests.support.desk import DONE, PNG, Desk, pieces, texts
from tests.support.posts import tell_end


async def asked_where_nothing_can_be_posted(desk: Desk) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    return await desk.job()


async def announce(desk: Desk, job: Job, output: OutputFile | None) -> None:
    """Its channel is closed to the bot meanwhile."""
    closed = desk.channel_for_the_bot("closed", send_messages=False)
    await tell_end(desk.delivery, replace(job, channel_id=closed.id), output)


def told(desk: Desk) -> discord.Message:
    channel = desk.maya.user.dm_channel
    assert channel is not None
    return channel.history()[-1]


def labels(message: discord.Message) -> list[str]:
    return [piece["label"] for piece in pieces(message) if piece["type"] == 2]


@pytest.mark.parametrize("size", [len(PNG), 99 * 1024 * 1024])
async def test_a_result_by_dm_offers_its_link_and_to_be_deleted(
    desk: Desk, tmp_path: Path, size: int
) -> None:
    job = await asked_where_nothing_can_be_posted(desk)
    url = "https://files.example/out.png"
    done = {"finished_at": desk.clock.now(), "output_kind": "image", "output_url": url}
    job = await desk.move(job, *DONE, **done)
    (tmp_path / "x.png").write_bytes(PNG)
    await announce(desk, job, OutputFile(tmp_path / "x.png", "image", "image/png", size))
    assert "is ready" in texts(told(desk))
    assert labels(told(desk)) == ["Full size", "Delete"]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.UNKNOWN])
async def test_an_ending_by_dm_offers_to_be_deleted_alone(desk: Desk, state: JobState) -> None:
    job = await asked_where_nothing_can_be_posted(desk)
    failed = {"failure": FailureCode.INPUTS, "failure_text": Reason.text("No such style.")}
    job = await desk.move(job, JobState.WAITING, JobState.SUBMITTING, state, **failed)
    assert labels(await desk.told(job)) == ["Delete"]
