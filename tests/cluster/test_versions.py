"""Versions of the bot with different tables, each a process, on one PostgreSQL; and one that hangs."""

import asyncio
import shutil
import signal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.jobs.models import JobState
from bot.migrate import SCRIPTS, newest_revision
from sandbox.discord.emulator.interactions import Interaction
from tests.cluster.shortened import MIGRATIONS
from tests.cluster.world import LEASE, MEMBER, Cluster, Process, cluster, servers
from tests.support.patience import PATIENCE, until
from tests.support.postgresql import make_template, server

(GUILD,) = servers(1)
STEP = """
revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None
beside_earlier = {beside}

def upgrade() -> None:
    pass
"""


def later_version(folder: Path, revision: str, before: str, *, beside: bool) -> Path:
    """Return the migrations of a version with one more, beside which earlier ones may run or not."""
    (folder / "versions" / f"{revision}_later.py").write_text(
        STEP.format(revision=revision, before=before, beside=beside), "utf-8"
    )
    return folder


async def asks(own: Cluster, number: int) -> None:
    """Let somebody ask, and wait for the picture."""
    answer = own.ask(GUILD, f"A kite number {number}")
    await until(lambda: answer.over)
    await until(lambda: len(own.posted(GUILD)) == number)


async def replaced(old: Process, new: Process) -> None:
    """Stop the old version, and wait until the new one serves."""
    old.forked.send_signal(signal.SIGTERM)
    await until(lambda: old.forked.returncode is not None)
    assert old.forked.returncode == 0
    await until(lambda: new.serves)


@pytest.mark.promise
async def test_updates_leave_nobody_without_an_answer_and_what_is_too_old_stops(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    first, second = (tmp_path / name for name in ("second", "third"))
    shutil.copytree(SCRIPTS, first, ignore=shutil.ignore_patterns("__pycache__"))
    beside = {MIGRATIONS: str(later_version(first, "9001", newest_revision(), beside=True))}
    shutil.copytree(first, second)
    alone = {MIGRATIONS: str(later_version(second, "9002", "9001", beside=False))}
    async with cluster(tmp_path, migrated_postgresql, [GUILD]) as own, own.process() as old:
        await until(lambda: own.connected() == [0])
        async with own.process(**beside) as new, own.process(**alone) as newest:
            # The first upgrade disturbs nobody and is made at once, the second waits for both.
            await until(lambda: new.said("stands by"))
            words = "needs every process of the earlier version stopped"
            await until(lambda: newest.said(words))
            await asks(own, 1)
            await replaced(old, new)
            await until(lambda: own.connected() == [0])
            await asks(own, 2)
            assert not newest.serves
            await replaced(new, newest)
            await until(lambda: own.connected() == [0])
            await asks(own, 3)
            async with own.process() as outdated:
                await until(lambda: outdated.forked.returncode is not None)
                assert outdated.forked.returncode == 2
                assert outdated.said("was made by a newer version of the bot (schema 9002;")
            await asks(own, 4)
        assert {job.state for job in await own.jobs()} == {JobState.SUCCEEDED}
        assert len(own.studii.jobs) == 4


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
