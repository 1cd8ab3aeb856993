"""What an operator's tools see of the bot: /healthz and /metrics."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.clock import Clock
from bot.monitoring import HealthServer, Metrics, Vitals
from tests.engine.world import EngineWorld, engine_world
from tests.support.database import holding
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
