"""Discord's events: counted, and made up for after an outage."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from discord.http import Route

from bot.aio import tasks
from bot.client.bot import UNANSWERED_AFTER, DiscordObserver
from bot.jobs.models import JobState
from bot.monitoring import Metrics
from bot.servers import keys, settings
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.emulator.faults import Fault
from tests.reactions.taps import ROOM, jobs_of, post, reaction, ready, taken_away
from tests.support.clock import FakeClock
from tests.support.database import outage
from tests.support.desk import Desk
from tests.support.patience import until
from tests.support.servers import cog, come, greetings, leave


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
    caplog.clear()
    desk.env.inject_error("GET", f"/guilds/{desk.guild.id}", status=404, code=10004, times=None)
    async with outage(desk.db):
        await tell(desk, "GUILD_DELETE", {"id": str(desk.guild.id)})
        assert await desk.services.db.read(keys.current, desk.guild.id) is not None
    await desk.env.settle()
    assert await desk.services.db.read(keys.current, desk.guild.id) is None
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.promise
async def test_a_server_that_adds_the_bot_during_an_outage_is_greeted_once_after_it(desk: Desk) -> None:
    await leave(desk)
    before = greetings(desk)
    async with outage(desk.db):
        coming = asyncio.create_task(come(desk))
        await asyncio.sleep(0.1)
        assert greetings(desk) == before
    await coming
    await desk.env.settle()
    assert greetings(desk) == before + 1


async def test_a_ready_during_an_outage_is_compared_after_it(desk: Desk) -> None:
    await desk.services.db.write(settings.came, 7, desk.clock.now())
    async with outage(desk.db):
        ready = asyncio.create_task(cog(desk).on_ready())
        await asyncio.sleep(0.1)
        assert not ready.done()
    await ready
    assert 7 not in await desk.db.read(settings.present)


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


NOT_WAITED_FOR = Fault(404, refusal=(404, 10062, "Unknown interaction"))


class Observed:
    """An observer, and the figures that it makes."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.registry = self.metrics.registry
        self.clock = FakeClock()
        self.observer = DiscordObserver(self.metrics, self.clock)

    async def hear(self, interaction_id: int) -> None:
        kind = discord.InteractionType.component
        told: Any = SimpleNamespace(id=interaction_id, type=kind)
        await self.observer.heard(told)

    def outcomes(self) -> dict[str, float]:
        (family,) = [one for one in self.registry.collect() if one.name == "studii_interactions"]
        return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(None, "answered"), (NOT_WAITED_FOR, "too_late"), (Fault(502), "failed"), (Fault(None), "failed")],
)
async def test_the_first_answer_is_counted_by_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, fault: Fault | None, outcome: str
) -> None:
    seen = Observed()
    async with DiscordServer(guilds=[100]) as server:
        monkeypatch.setattr(Route, "BASE", server.api)
        if fault is not None:
            server.fail("callback", fault)
        interaction, _ = server.command(100, 200, "help")
        await seen.hear(interaction.id)
        seen.clock.advance(1.5)
        async with aiohttp.ClientSession(trace_configs=[seen.observer.trace()]) as session:
            url = f"{server.api}/interactions/{interaction.id}/{interaction.token}/callback"
            for _ in range(2):  # the second is no first answer
                try:
                    async with session.post(url, json={"type": 5}):
                        pass
                except aiohttp.ClientError:
                    pass
            headers = {"Authorization": f"Bot {TOKEN}"}
            async with session.get(f"{server.api}/users/@me", headers=headers):
                pass
            async with session.get(f"{server.cdn_address}/nothing"):
                pass  # not a request to the API
    assert seen.outcomes() == {outcome: 1.0}
    seconds = 1.5 if outcome == "answered" else 0.0
    assert seen.figure("studii_first_answer_seconds_sum") == seconds
    counted = [one for family in seen.registry.collect() for one in family.samples]
    requests = sum(one.value for one in counted if one.name == "studii_discord_requests_total")
    assert requests == 3.0


async def test_what_nobody_answers_is_counted_once_discord_has_long_given_up() -> None:
    seen = Observed()
    await seen.hear(1)
    seen.clock.advance(UNANSWERED_AFTER - 1)
    await seen.hear(2)
    assert seen.outcomes() == {}
    seen.clock.advance(2)
    await seen.hear(3)
    assert seen.outcomes() == {"unanswered": 1.0}
