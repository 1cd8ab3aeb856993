"""Health and metrics, of a bot that runs and of one that does not."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from discord.backoff import ExponentialBackoff
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from bot.app import App, build
from bot.clock import Clock
from bot.config import Settings
from bot.jobs import accept, queries
from bot.jobs.models import JobState
from bot.monitoring import HealthServer, Metrics, Vitals
from bot.servers.keys import Plan
from bot.version import VERSION
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import Options, StudiiServer, faults
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.database import database, given, holding
from tests.support.patience import PATIENCE
from tests.support.postgresql import free_port


@dataclass
class Watched:
    world: EngineWorld
    url: str
    vitals: "Changing"


@dataclass
class Changing:
    """What the running parts would say."""

    alive: bool = True
    connected: bool = True
    late: float = 0.0


@asynccontextmanager
async def watched(
    folder: Path, metrics: Metrics | None = None, clock: Clock | None = None
) -> AsyncGenerator[Watched]:
    metrics = metrics or Metrics()
    async with engine_world(folder, clock=clock, count=metrics.request) as world:
        now = Changing()
        vitals = Vitals(lambda: now.alive, lambda: now.connected, lambda: now.late, lambda: {"abcd": 0.5})
        server = HealthServer(world.db, metrics, world.clock, lambda: (0, 0), vitals)
        async with server.listening("127.0.0.1", 0):
            yield Watched(world, f"http://127.0.0.1:{server.port}", now)


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


@pytest.mark.promise
@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("alive", False, '"alive": false'),
        ("connected", False, '"gateway": false'),
        ("late", 900.0, '"oldest_due_poll_seconds": 900.0'),
    ],
)
async def test_what_is_wrong_is_named_with_a_503(
    tmp_path: Path, name: str, *, value: bool | float, what: str
) -> None:
    async with watched(tmp_path) as bot:
        setattr(bot.vitals, name, value)
        status, text = await get(f"{bot.url}/healthz")
        assert status == 503
        assert what in text


@pytest.mark.promise
async def test_a_database_that_cannot_be_written_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.monitoring.DATABASE_TIMEOUT", 0.1)
    async with watched(tmp_path) as bot:
        async with holding(bot.world.db):
            status, text = await get(f"{bot.url}/healthz")
        assert status == 503
        assert '"database": false' in text
        assert (await get(f"{bot.url}/healthz"))[0] == 200


async def test_the_documents_list_each_field(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text("utf-8")
    table = text.partition("## Health")[2].partition("## Metrics")[0]
    async with watched(tmp_path) as bot:
        _, told = await get(f"{bot.url}/healthz")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(json.loads(told))


GUILD = 987654321

Samples = dict[str, dict[tuple[str, ...], float]]
"""Each sample's values by the values of its labels."""


@dataclass
class Running:
    """The bot at work, and what surrounds it."""

    app: App
    discord: DiscordServer
    studii: StudiiServer
    url: str

    async def health(self) -> tuple[int, dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/healthz") as response:
            return response.status, await response.json()

    async def until(self, true: Callable[[dict[str, Any]], bool]) -> tuple[int, dict[str, Any]]:
        """The answer of /healthz, once it is like that."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.health()
                if true(answer[1]):
                    return answer
                await asyncio.sleep(0.02)

    async def metrics(self) -> Samples:
        """What is scraped, as Prometheus' own parser reads it."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as response:
            assert response.status == 200
            text = await response.text()
        assert str(GUILD) not in text
        assert "Harbour Street" not in text
        found: Samples = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            for sample in family.samples:
                found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
        return found

    async def scraped(self, true: Callable[[Samples], bool]) -> Samples:
        """The metrics, once they are like that."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.metrics()
                if true(found):
                    return found
                await asyncio.sleep(0.02)

    async def accept(self) -> str:
        """A job that a member has just asked for; returns its id."""
        job = a_job(guild_id=GUILD, channel_id=GUILD)
        await self.app.resources.db.write(given(accept.store, [job], job.created_at))
        self.app.engine.wake()
        return job.id

    async def reaches(self, job_id: str, state: JobState) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                job = await self.app.resources.db.read(queries.get, job_id)
                if job is not None and job.state is state:
                    return
                await asyncio.sleep(0.02)


def at_once(_: object) -> float:
    return 0.05


@asynccontextmanager
async def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Running]:
    monkeypatch.chdir(folder)

    async def intents() -> discord.Intents:
        return discord.Intents(guilds=True)

    options = Options(instant=True, long_side=64)
    async with DiscordServer(guilds=[GUILD]) as server, StudiiServer(options) as studii:
        monkeypatch.setattr("discord.http.Route.BASE", server.api)
        gateway = "discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY"  # where it looks after a loss
        monkeypatch.setattr(gateway, URL(server.gateway))
        settings = Settings.read(
            discord_token=TOKEN,
            database_url=(await database(folder)).replace("+aiosqlite", ""),
            studii_api_url=studii.url,
            health_port=str(free_port()),
        )
        # discord.py's own pauses: until no more servers come in at a start, and after a lost connection.
        monkeypatch.setattr(ExponentialBackoff, "delay", at_once)
        async with build(settings, intents=intents) as app:
            vars(app.bot)["_connection"].guild_ready_timeout = 0.1
            engine = asyncio.create_task(app.engine.run())
            client = asyncio.create_task(app.bot.start(TOKEN))
            try:
                yield Running(app, server, studii, f"http://127.0.0.1:{settings.health_port}")
            finally:
                engine.cancel()
                await app.bot.close()
                await asyncio.wait({engine, client})


@pytest.mark.promise
async def test_whether_discord_is_there_is_seen_from_the_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as bot:
        assert await bot.until(lambda told: told["gateway"]) == (
            200,
            {"ok": True, "version": VERSION, "standby": False, "alive": True, "gateway": True}
            | {"database": True, "oldest_due_poll_seconds": 0.0},
        )
        await bot.discord.connections.leave()
        status, told = await bot.until(lambda told: not told["gateway"])
        assert (status, told["ok"], told["database"]) == (503, False, True)
        bot.discord.connections.return_()
        status, told = await bot.until(lambda told: told["gateway"])
        assert (status, told["ok"]) == (200, True)


@pytest.mark.promise
async def test_all_figures_of_a_job_can_be_scraped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as bot:
        key = bot.studii.add_key()
        await bot.until(lambda told: told["gateway"])
        await bot.app.resources.keys.set_key(GUILD, key.secret, Plan.PRO)
        bot.studii.fail("create", faults.rate_limited(1))
        await bot.reaches(await bot.accept(), JobState.SUCCEEDED)
        bot.studii.fail("create", faults.rate_limited(60))
        await bot.accept()

        async with asyncio.timeout(PATIENCE):
            while True:
                found = await bot.metrics()
                refused = found["studii_rate_limited_total"][()]
                waiting = found["studii_jobs"].get(("waiting", "studio"))
                posted = found["studii_finished_to_posted_seconds_count"][()]
                # What the first one cost is reserved for the second: it was corrected before that was sent.
                credits_ = found["studii_credits"] == {("reserved",): 8.0, ("spent",): 8.0}
                if (refused, waiting, posted, credits_) == (2.0, 1.0, 1.0, True):
                    break
                await asyncio.sleep(0.02)
        assert found["studii_jobs"] == {("succeeded", "studio"): 1.0, ("waiting", "studio"): 1.0}
        assert found["studii_requests_total"]["create", "202"] == 1.0
        assert found["studii_requests_total"]["status", "200"] >= 1.0
        assert found["studii_requests_total"]["output", "200"] == 1.0
        assert found["studii_oldest_due_poll_seconds"] == {(): 0.0}
        ((lane, share),) = found["studii_lane_occupancy"].items()
        assert len(lane[0]) == 8  # the beginning of a keyed hash
        assert 0 < share <= 1


@pytest.mark.promise
async def test_what_passes_between_the_bot_and_discord_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as bot:
        await bot.until(lambda told: told["gateway"])
        bot.discord.fail("callback", Fault(200), Fault(403, refusal=(403, 50001, "Missing Access")))
        for _ in range(2):
            bot.discord.send(bot.discord.command(GUILD, 1, "help"))
        await bot.discord.connections.leave()
        bot.discord.connections.return_()

        def counted(found: Samples) -> bool:
            outcomes = {labels[1] for labels in found.get("studii_interactions_total", {})}
            connections = found["studii_gateway_connections_total"]
            return outcomes == {"answered", "failed"} and sum(connections.values()) == 2

        found = await bot.scraped(counted)
        assert found["studii_interactions_total"]["application_command", "answered"] == 1.0
        assert found["studii_first_answer_seconds_count"][()] == 1.0
        assert found["studii_first_answer_seconds_sum"][()] < 3.0
        requests = found["studii_discord_requests_total"]
        assert requests[("403",)] == 1.0
        assert requests[("200",)] >= 2.0  # the account, and the list of commands
