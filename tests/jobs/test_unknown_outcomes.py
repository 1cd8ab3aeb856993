"""Admins settle what nobody knows, once; and a key that is held can be tried again."""

import discord
import pytest

from bot.jobs.models import Job, JobState
from bot.ui.jobs.listing import ruling_buttons
from bot.ui.kit.layout import Panel, row
from tests.support.desk import Desk, pieces, texts


async def unknown(desk: Desk) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    # As the log says it, and an earlier version said it to all.
    await channel.send(view=Panel(row(*ruling_buttons(job))))
    return job


def button(desk: Desk, label: str) -> str:
    told = desk.channel.history()[-1]
    (found,) = (piece for piece in pieces(told) if piece.get("label") == label)
    return str(found["custom_id"])


@pytest.mark.promise
async def test_nothing_is_left_to_settle_once_studiis_answer_has_arrived(desk: Desk) -> None:
    job = await unknown(desk)
    await desk.move(job, JobState.RUNNING)
    for label in ("Release credits", "Mark as charged"):
        answer = await desk.admin.click(desk.channel.history()[-1], custom_id=button(desk, label))
        assert "Studii's answer has arrived" in texts(answer)
    assert (await desk.job()).state is JobState.RUNNING
