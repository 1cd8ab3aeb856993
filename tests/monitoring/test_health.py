"""What an operator's tools see of the bot: /healthz and /metrics."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy.exc import OperationalError

from bot.clock import Clock
from bot.errors import SettingsError
from bot.jobs.models import JobState
from bot.monitoring import HealthServer, Metrics, Vitals
from bot.version import VERSION
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE


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


def unreadable(_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("disk I/O error"))


@asynccontextmanager
async def watched(
    folder: Path, metrics: Metrics | None = None, clock: Clock | None = None
) -> AsyncGenerator[Watched]:
    metrics = metrics or Metrics()
    async with engine_world(folder, clock=clock, count=metrics.request) as world:
        now = Changing()
        vitals = Vitals(lambda: now.alive, lambda: now.connected, lambda: now.late, lambda: {"abcd": 0.5})
        server = HealthServer(world.storage.db, metrics, world.clock, lambda: (0, 0), vitals)
        async with server.listening("127.0.0.1", 0):
            yield Watched(world, f"http://127.0.0.1:{server.port}", now)


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


@pytest.mark.promise
async def test_a_bot_that_is_well_says_so(tmp_path: Path) -> None:
    async with watched(tmp_path) as bot:
        status, text = await get(f"{bot.url}/healthz")
        assert status == 200
        assert '"ok": true' in text
        assert f'"version": "{VERSION}"' in text


@pytest.mark.promise
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"alive": False}, '"alive": false'),
        ({"connected": False}, '"gateway": false'),
        ({"late": 900.0}, '"oldest_due_poll_seconds": 900.0'),
    ],
)
async def test_what_is_wrong_is_named_with_a_503(
    tmp_path: Path, change: dict[str, bool | float], what: str
) -> None:
    async with watched(tmp_path) as bot:
        for name, value in change.items():
            setattr(bot.vitals, name, value)
        status, text = await get(f"{bot.url}/healthz")
        assert status == 503
        assert what in text


@pytest.mark.promise
async def test_a_database_that_cannot_be_written_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.monitoring.DATABASE_TIMEOUT", 0.1)
    monkeypatch.setattr("bot.monitoring.STATUS_CACHED_SECONDS", 0.0)
    async with watched(tmp_path) as bot:
        async with bot.world.storage.write():
            status, text = await get(f"{bot.url}/healthz")
        assert status == 503
        assert '"database": false' in text
        assert (await get(f"{bot.url}/healthz"))[0] == 200


async def test_many_who_ask_within_a_second_cost_the_database_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    looks: list[None] = []
    async with watched(tmp_path, clock=clock) as bot:
        write = bot.world.storage.db.write

        def counted(*work: Any, **options: Any) -> Any:
            looks.append(None)
            return write(*work, **options)

        monkeypatch.setattr(bot.world.storage.db, "write", counted)
        answers = await asyncio.gather(*(get(f"{bot.url}/healthz") for _ in range(20)))
        assert {status for status, _ in answers} == {200}
        assert len(looks) == 1
        for seconds, count in ((0.9, 1), (0.2, 2)):
            clock.advance(seconds)
            assert (await get(f"{bot.url}/healthz"))[0] == 200
            assert len(looks) == count
        bot.vitals.alive = False  # what costs nothing is looked at each time
        assert (await get(f"{bot.url}/healthz"))[0] == 503


async def test_without_a_database_there_are_no_figures_rather_than_wrong_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path) as bot:
        monkeypatch.setattr("bot.monitoring.totals", unreadable)
        status, text = await get(f"{bot.url}/metrics")
        assert (status, text) == (503, "The database can't be read.\n")
        monkeypatch.undo()
        assert (await get(f"{bot.url}/metrics"))[0] == 200


@pytest.mark.promise
async def test_the_figures_of_real_jobs_can_be_scraped_and_name_no_server(tmp_path: Path) -> None:
    metrics = Metrics()
    async with watched(tmp_path, metrics) as bot:
        world = bot.world
        await world.use_key(world.studii.add_key(), guild_id=987654321)
        job = await world.accept(a_job(guild_id=987654321))
        engine = world.engine(metrics.posted.observe)
        async with world.running(engine):
            await world.announced(job.id)
            assert engine.oldest_due_poll() == 0.0
            assert all(0 < share <= 1 for share in engine.occupancy().values())
        waiting = replace(a_job(guild_id=987654321), state=JobState.WAITING)
        await world.accept(waiting)
        status, text = await get(f"{bot.url}/metrics")
    assert status == 200
    lines = text.splitlines()
    assert 'studii_jobs{state="succeeded",tool="studio"} 1.0' in lines
    assert 'studii_jobs{state="waiting",tool="studio"} 1.0' in lines
    assert 'studii_requests_total{kind="create",status="202"} 1.0' in lines
    assert 'studii_requests_total{kind="output",status="200"} 1.0' in lines
    assert "studii_rate_limited_total 0.0" in lines
    assert "studii_finished_to_posted_seconds_count 1.0" in lines
    assert 'studii_credits{what="reserved"} 10.0' in lines
    assert 'studii_lane_occupancy{lane="abcd"} 0.5' in lines
    assert "987654321" not in text


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    async with watched(tmp_path) as bot:
        port = int(bot.url.rpartition(":")[2])
        other = HealthServer(bot.world.storage.db, Metrics(), bot.world.clock, lambda: (0, 0))
        with pytest.raises(SettingsError, match=f"HEALTH_PORT {port} .* \\(address already in use\\)"):
            async with other.listening("127.0.0.1", port):
                pass


async def test_the_documents_list_each_field(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text("utf-8")
    table = text.partition("## Health")[2].partition("## Metrics")[0]
    async with watched(tmp_path) as bot:
        _, told = await get(f"{bot.url}/healthz")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(json.loads(told))


async def test_other_pages_and_methods_are_refused_and_head_has_no_body(tmp_path: Path) -> None:
    async with watched(tmp_path) as bot, aiohttp.ClientSession() as session:
        async with session.get(f"{bot.url}/other") as answer:
            assert answer.status == 404
        async with session.post(f"{bot.url}/healthz") as answer:
            assert answer.status == 405
        async with session.head(f"{bot.url}/healthz") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_a_connection_is_for_one_question_and_closed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.monitoring.CONNECTION_SECONDS", 0.2)
    async with watched(tmp_path) as bot, aiohttp.ClientSession() as session:
        for path, status in (("healthz", 200), ("metrics", 200), ("nothing", 404)):
            async with session.get(f"{bot.url}/{path}") as response:
                assert (response.status, response.headers["Connection"]) == (status, "close")
        async with session.post(f"{bot.url}/healthz") as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(bot.url.rpartition(":")[2]))
        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""  # nothing was asked
        writer.close()


async def test_many_idle_connections_take_no_more_files_than_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.monitoring.MAX_CONNECTIONS", 3)
    async with watched(tmp_path) as bot:
        port = int(bot.url.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            for one in (writer, *(one for _, one in idle)):
                one.close()
            while True:
                try:
                    assert (await get(f"{bot.url}/healthz"))[0] == 200
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)
                else:
                    break
