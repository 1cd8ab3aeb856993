"""Requests with several photos, on which moderators decide as a whole."""

from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.catalog import Catalog
from bot.jobs import queries, transitions
from bot.jobs.models import Approval, Job, JobRequest, JobState, Progress, SourcePhoto
from bot.jobs.results import ForModerators
from bot.media.spool import OutputFile
from bot.posts import Stands
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.wording import ToolNames
from tests.reactions.taps import jobs_of
from tests.support.database import given
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.posts import deliver, open_posts, sent
from tests.support.services import cancel
from tests.ui.admin.moderation.waiting import approvals, decline, moderator


async def a_set(desk: Desk, channel: ChannelHandle, folder: Path) -> tuple[list[Job], discord.Message]:
    """Ask for three photos at once, as the engine then asks moderators."""
    source = SourcePhoto("https://cdn.example/room.png", "room.png", "image/png", len(PNG))
    request = JobRequest(
        desk.guild.id, desk.channel.id, desk.maya.id, "virtual-staging", {"style": "modern"}, source
    )
    jobs = await desk.services.acceptance.accept_all([request] * 3)
    for job in jobs:
        assert (
            await desk.db.write(transitions.make_ready, job.id, f"{job.id}.source.png", desk.clock.now())
            is not None
        )
    (notice,) = await desk.db.write(open_posts)
    pending = await desk.db.write(queries.of_set, notice.key)
    kept = folder / "photo.png"
    kept.write_bytes(PNG)
    photos = (OutputFile(kept, "image", "image/png", len(PNG)),) * 3
    said = await deliver(desk, notice, channel.id, pending[0], ForModerators(tuple(pending), photos))
    assert isinstance(said, Stands)
    await desk.db.write(given(sent, notice, desk.clock.now()))
    return pending, channel.history()[-1]


@pytest.mark.promise
async def test_a_set_is_decided_on_as_a_whole_with_its_whole_price(desk: Desk, tmp_path: Path) -> None:
    channel = await approvals(desk)
    _, request = await a_set(desk, channel, tmp_path)
    said = texts(request)
    assert "asks for **Virtual staging** with 3 photos" in said
    assert "Your decision counts for all 3 photos." in said
    assert "reserved for all" in said
    (gallery,) = (piece for piece in pieces(request) if piece["type"] == 12)
    assert [item["spoiler"] for item in gallery["items"]] == [True] * 3
    await moderator(desk).click(request, label="Approve")
    assert "**Virtual staging** · 3 photos for" in texts(channel.history()[-1])
    assert [job.state for job in await jobs_of(desk)] == [JobState.WAITING] * 3
    assert [job.approval for job in await jobs_of(desk)] == [Approval.GIVEN] * 3


@pytest.mark.promise
async def test_a_declined_set_ends_unpaid_as_a_whole_but_for_what_was_cancelled(
    desk: Desk,
    tmp_path: Path,
) -> None:
    channel = await approvals(desk)
    jobs, request = await a_set(desk, channel, tmp_path)
    # The button names the first, which its member has cancelled.
    await cancel(desk.services, jobs[0].id, desk.guild.id, desk.maya.id)
    ines = moderator(desk)
    await decline(ines, request, "No")
    states = [job.state for job in await jobs_of(desk)]
    assert states == [JobState.CANCELLED, JobState.FAILED, JobState.FAILED]
    assert [job.reserved for job in await jobs_of(desk)] == [0, 0, 0]
    card = str(progress_panel(await jobs_of(desk), ToolNames(Catalog.load()), Progress()).to_components())
    assert "**1 cancelled · 2 not approved**" in card
    assert "❌" not in card
    again = await desk.channel_message(f"studii:approve:{jobs[1].id}-0")
    assert "That request has already ended" in texts(await ines.click(again, label="Press"))
