"""Versions of the bot with different tables, each a process, on one PostgreSQL."""

import shutil
import signal
from pathlib import Path

import pytest

from bot.jobs.models import JobState
from bot.migrate import SCRIPTS, newest_revision
from tests.cluster.shortened import MIGRATIONS
from tests.cluster.world import Cluster, Process, cluster, servers, until

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
