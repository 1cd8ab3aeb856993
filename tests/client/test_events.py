"""Discord's events: counted, and made up for after an outage."""

import asyncio
from typing import Any

import pytest

from bot.aio import tasks
from bot.jobs.models import JobState
from bot.servers import keys, settings
from tests.reactions.taps import ROOM, jobs_of, post, reaction, ready, taken_away
from tests.support.database import outage
from tests.support.desk import Desk
from tests.support.patience import until


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "OUTAGE_PAUSE", 0.01)


async def tell(desk: Desk, event: str, payload: Any) -> None:
    """Send the event, and give the bot time to meet the outage."""
    desk.env.backend.emit(event, payload)
    await asyncio.sleep(0.1)


@pytest.mark.promise
async def test_a_server_that_removes_the_bot_during_an_outage_loses_its_key_after_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    there = desk.bot.get_guild(desk.guild.id)
    caplog.clear()
    desk.env.inject_error("GET", f"/guilds/{desk.guild.id}", status=404, code=10004, times=None)
    async with outage(desk.db):
        await tell(desk, "GUILD_DELETE", {"id": str(desk.guild.id)})
        assert await desk.resources.db.read(keys.current, desk.guild.id) is not None
    await desk.env.settle()
    assert await desk.resources.db.read(keys.current, desk.guild.id) is None
    desk.bot.dispatch("guild_join", there)  # what it did before, of which the handler was stopped for longer
    await desk.bot.answered()
    assert await desk.resources.db.read(settings.present) == []
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.promise
async def test_a_tap_and_its_removal_during_an_outage_count_after_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    tapped = reaction(desk, message, desk.tom.id)
    caplog.clear()
    async with outage(desk.db):
        await tell(desk, "MESSAGE_REACTION_ADD", tapped)
        assert await jobs_of(desk) == []
    await until(_has(desk, JobState.RECEIVED), "the job of the tap")
    async with outage(desk.db):
        await tell(desk, "MESSAGE_REACTION_REMOVE", taken_away(tapped))
        assert [job.state for job in await jobs_of(desk)] == [JobState.RECEIVED]
    await until(_has(desk, JobState.CANCELLED), "the end of the job")
    assert [record for record in caplog.records if record.exc_info] == []


def _has(desk: Desk, state: JobState) -> Any:
    async def has() -> bool:
        return [job.state for job in await jobs_of(desk)] == [state]

    return has
