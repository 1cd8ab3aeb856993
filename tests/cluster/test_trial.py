"""A sample of `make cluster`."""

import asyncio
import signal
from pathlib import Path

import pytest

from bot.migrate import migrate
from sandbox.studii import Options
from sandbox.studii.jobs import Durations
from tests.cluster.trial import Crowd, Trial, crowd_asks
from tests.cluster.world import cluster, servers
from tests.support.postgresql import new_database, server

TAKES = Options(long_side=64, durations=Durations(image=1.0, video=1.0, spread=0.0))
SERVERS, JOBS = 4, 16
LEASE = 4.0  # seconds; a process that is taken for dead is a part of the trial


@pytest.mark.promise
async def test_nothing_is_lost_or_doubled_while_processes_die_hang_and_come_back(tmp_path: Path) -> None:
    with server() as postgresql:
        url = await new_database(postgresql.url)
        await migrate(url)
        guilds = servers(SERVERS)
        async with cluster(tmp_path, "", guilds, shards=2, options=TAKES, url=url, lease=LEASE) as own:
            crowd = Crowd(own, guilds)
            trial = Trial(own, postgresql, shards=2, per_process=1, hang=1.5 * LEASE, away=1.0)
            async with trial.running(3):
                asking = asyncio.create_task(crowd_asks(crowd, JOBS, 3 * LEASE))
                await trial.kill(signal.SIGKILL)
                await trial.stop_and_continue()
                await trial.restart_database()
                await asking
                await trial.ended()
                assert await trial.complaints(crowd) == []
