"""What `python -m bench.crowd` counts, and what it takes for an answer."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bench.crowd import process, scenes
from bench.crowd.__main__ import arguments
from bench.crowd.answers import Crowd, share_of
from bench.crowd.counts import Counts
from bench.crowd.scenes import ask
from bench.crowd.waiting import until
from bench.crowd.worlds import MEMBERS, CrowdWorlds, Wanted, worlds
from sandbox.discord.emulator.interactions import COMMAND, Interaction
from sandbox.discord.emulator.messages import LOADING, Message
from sandbox.discord.emulator.places import Channel
from tests.support.patience import PATIENCE

COUNTED = """
import asyncio, sys
from pathlib import Path
from bench.crowd.counts import count_into
count_into(Path(sys.argv[1]))
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        for _ in range(3):
            await connection.execute(text("SELECT 1"))
    await engine.dispose()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("--sizes 50 0", "--sizes"),
        ("--servers 0", "--servers"),
        ("--pipeline 0", "--pipeline"),
        ("--steady 0", "--steady"),
        ("--steady 3 --seconds 0", "--seconds"),
        ("--hogs -1", "--hogs"),
        ("--processes 0 --database postgresql", "--processes"),
        ("--processes 2", "only with --database postgresql"),
    ],
)
def test_what_can_not_be_measured_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], given: str, wrong: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        arguments(given.split())
    assert wrong in capsys.readouterr().err.splitlines()[-1]


def test_several_processes_share_a_postgresql() -> None:
    given = arguments(["--sizes", "1", "20", "--processes", "2", "--database", "postgresql"])
    assert (given.sizes, given.processes, given.database) == ([1, 20], 2, "postgresql")


def asked() -> Interaction:
    return Interaction(1, "token", Channel(2, 3), 4, told_at=10.0, kind=COMMAND)


async def test_a_crowd_before_a_slow_database_is_deferred_and_counted_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "SETTLED", 0.0)
    async with worlds(Wanted(held=True)) as built:
        (one,) = built.bot.processes
        file = one.counts_file.parents[1] / "data" / "studii.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("UPDATE guilds SET budget_limit = 32")
            other.execute("BEGIN IMMEDIATE")
            act = await scenes.commands(built, 10, PATIENCE)
            answering = asyncio.ensure_future(act(PATIENCE))
            assert await until(lambda: len(_deferrals(built)) == 10, PATIENCE)
            other.execute("ROLLBACK")
            answers = await answering
    crowd = Crowd(10, answers, 0.0, Counts(0, 0, 0), 0.0, 0.0, (0, 0), (0, 0))
    assert (crowd.answered, crowd.deferred, crowd.untold) == (10, 10, 0)
    assert (crowd.accepted, crowd.refusals.total()) == (4, 6)


def _deferrals(built: CrowdWorlds) -> list[Message]:
    return [one for one in built.discord.messages.values() if one.flags & LOADING]


async def test_a_crowd_before_the_least_bot_is_answered_and_what_it_took_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "SETTLED", 0.0)
    async with worlds(Wanted(floor=True)) as built:
        idle = built.bot.memory()
        started = asked_before = ask(built, 1)
        assert await until(lambda: all(one.over for one in asked_before), PATIENCE)
        act = await scenes.commands(built, 5, PATIENCE)
        answers = await act(PATIENCE)
        own, _ = built.bot.memory()
        crowd = Crowd(
            5, answers, built.bot.processor(), built.bot.counts(), 0.0, built.bot.ready, idle, (own, 0)
        )
    assert started[0].said_at is not None
    assert (crowd.answered, crowd.accepted, crowd.deferred, crowd.refusals.total()) == (5, 5, 0, 0)
    assert crowd.processor > 0
    assert own > 10 * 1024 * 1024
    assert crowd.share(0.5) == share_of([one.after or 0.0 for one in answers], 0.5)


async def test_taps_start_jobs_of_those_who_tapped_before_and_refusals_are_read_wherever_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "SETTLED", 0.0)
    async with worlds(Wanted(tappers=4)) as built:
        by_dm, in_the_channel = MEMBERS, MEMBERS + 1
        _block(built, by_dm, in_the_channel)
        built.discord.channels.dm_with(in_the_channel).closed = True
        act = await scenes.taps(built, 6, PATIENCE)
        answers = await act(PATIENCE)
    assert [one.accepted for one in answers] == [False, False, True, True, False, False]
    assert all(one.after is not None for one in answers)
    told, short, *asked_first = [one.words for one in answers if not one.accepted]
    assert "You are blocked" in told
    assert f"<@{in_the_channel}>" in short
    assert ["Start it?" in one for one in asked_first] == [True, True]


def _block(built: CrowdWorlds, *members: int) -> None:
    """Let an admin have blocked these members of the only server."""
    (server,), (one,) = built.servers, built.bot.processes
    file = one.counts_file.parents[1] / "data" / "studii.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.executemany(
            "INSERT INTO blocks (guild_id, user_id, automatic) VALUES (?, ?, 0)",
            [(server, member) for member in members],
        )
