"""A PostgreSQL that hangs: everybody is answered, also by a process that is replaced when it is back."""

import asyncio
import signal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from sandbox.discord.emulator.interactions import Interaction
from tests.cluster.world import LEASE, MEMBER, Cluster, cluster, servers, until
from tests.support.patience import PATIENCE
from tests.support.postgresql import make_template, server

(GUILD,) = servers(1)


async def asked(own: Cluster, prompts: list[str]) -> list[Interaction]:
    """Have people ask for jobs, a form and two panels, and wait until Discord has an answer to each."""
    acts = [("studio", {"prompt": one}) for one in prompts]
    acts += [("studio", {}), ("jobs", {}), ("credits", {})]
    found = [own.discord.send(own.discord.command(GUILD, MEMBER, *one)) for one in acts]
    await until(lambda: all(one.answered_at is not None for one in found))
    return found


@pytest.mark.promise
async def test_who_asks_while_the_database_hangs_is_answered_and_reads_what_came_of_it(
    tmp_path: Path,
) -> None:
    with server() as postgresql:
        make_template(postgresql.url)
        worlds = cluster(tmp_path, postgresql.url, [GUILD], answers=PATIENCE)
        async with worlds as own, own.process() as process:
            await until(lambda: own.connected() == [0])
            engine = create_async_engine(own.url)
            async with engine.connect() as other:
                await other.execute(text("SELECT 1"))
                postgresql.send(signal.SIGSTOP)
                people = await asked(own, ["A red kite", "A green kite"])
                await asyncio.sleep(LEASE)  # it ends
                people += await asked(own, ["A blue kite"])
                replacing = asyncio.create_task(other.execute(text("DELETE FROM processes")))
                await asyncio.sleep(0.1)  # it is sent, and done as soon as the server is back
                postgresql.send(signal.SIGCONT)
                await replacing
                await other.commit()
            await engine.dispose()
            await until(lambda: all(one.over for one in people))
            await until(lambda: process.said("drops its shards"))
            await until(lambda: process.forked.returncode is not None)
            assert process.forked.returncode == 1
            async with own.process() as again:
                await until(lambda: again.serves and own.connected() == [0])
            started = {job.inputs["prompt"] for job in await own.jobs()}
            told = str([one.said for one in people])
            assert all(prompt in told for prompt in started)
