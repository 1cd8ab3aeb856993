"""Writers of an SQLite file share commits, and nobody can tell."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError

from bot.domain import NoticeKind
from bot.errors import DatabaseFailed
from bot.storage import Storage, Transaction
from bot.storage.database import group_commit
from bot.storage.database.changes import Changes
from bot.storage.database.session import Session
from bot.storage.database.sqlite_driver import OneCallConnection
from tests.support.clock import FakeClock
from tests.support.database import database
from tests.support.patience import PATIENCE

NOW = FakeClock().now()
NAMES = ("a", "b", "c")

Writer = Callable[[], Coroutine[Any, Any, object]]


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[Storage]:
    async with Storage.open(await database(tmp_path)) as opened:
        yield opened


class Refused(Exception):
    pass


@dataclass(frozen=True)
class Step:
    """What a writer does: it adds to a value what it finds in another, perhaps wrongly, and may end there."""

    read: str
    name: str
    pauses: int
    fault: str | None = None


def steps(chance: random.Random) -> Sequence[Step]:
    return [
        Step(
            chance.choice(NAMES),
            chance.choice(NAMES),
            chance.randrange(3),
            chance.choice((None,) * 6 + ("refused", "invalid", "invalid and goes on")),
        )
        for _ in range(chance.randrange(4))
    ]


async def act(storage: Storage, number: int, all_steps: Sequence[Step]) -> str:
    """Write; return what the writer saw, or how it ended."""
    seen: list[bytes] = []
    try:
        async with storage.write() as tx:
            for step in all_steps:
                seen.append(await value(tx, step.read))
                await tx.meta.set(step.name, await value(tx, step.name) + seen[-1][-3:] + b"%d;" % number)
                await tx.notices.add(number % 3, NoticeKind.UNKNOWN, step.name, at=NOW)
                for _ in range(step.pauses):
                    await asyncio.sleep(0)
                if step.fault == "refused":
                    raise Refused(f"{seen}")  # noqa: TRY301 - as a block of the bot's does
                if step.fault is not None:
                    try:
                        await tx.meta.set("invalid", cast("bytes", None))
                    except IntegrityError:
                        if step.fault == "invalid":
                            raise
    except (Refused, IntegrityError) as error:
        return type(error).__name__ + (str(error) if isinstance(error, Refused) else "")
    return str(seen)


async def value(tx: Transaction, name: str) -> bytes:
    return await tx.meta.get(name) or b""


async def rows(storage: Storage) -> tuple[list[bytes], list[tuple[int, str]]]:
    async with storage.read() as tx:
        told = await tx.notices.pending(1000)
        return [await value(tx, name) for name in NAMES], [(one.guild_id, one.key) for one in told]


async def in_line(storage: Storage, writers: Sequence[Writer]) -> list[asyncio.Task[object]]:
    """Begin the writers while nobody gets a turn, and return when all of them wait for it."""
    async with vars(storage)["_writer"]:
        tasks = [asyncio.create_task(one()) for one in writers]
        for _ in range(3):
            await asyncio.sleep(0)
    return tasks


@contextmanager
def commits() -> Generator[list[object]]:
    seen: list[object] = []

    def note(connection: Connection) -> None:
        seen.append(connection)

    event.listen(Engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "commit", note)


@pytest.mark.parametrize("seed", range(10))
async def test_any_grouping_leaves_the_rows_of_one_after_the_other(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    work = [steps(chance) for _ in range(40)]
    for name in ("alone", "together"):
        (tmp_path / name).mkdir()
    async with Storage.open(await database(tmp_path / "alone")) as alone:
        expected = [await act(alone, number, one) for number, one in enumerate(work)]
        kept = await rows(alone)
    async with Storage.open(await database(tmp_path / "together")) as together:
        answers: list[object] = []
        left = list(enumerate(work))
        while left:
            group, left = left[: (size := chance.randint(1, 15))], left[size:]
            begun = [lambda number=number, one=one: act(together, number, one) for number, one in group]
            answers += await asyncio.gather(*await in_line(together, begun))
        assert answers == expected
        assert await rows(together) == kept


async def test_those_who_wait_share_one_commit_and_a_crowd_has_several(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "JOINING", PATIENCE)  # how busy the machine is makes no difference

    async def count_up() -> None:
        async with storage.write() as tx:
            await tx.meta.set("count", b"%d" % (int(await tx.meta.get("count") or b"0") + 1))

    with commits() as few:
        await asyncio.gather(*await in_line(storage, [count_up] * 5))
    assert len(few) == 1
    with commits() as many:
        await asyncio.gather(*await in_line(storage, [count_up] * 2 * group_commit.MAX_JOINED_WRITERS))
    assert len(many) == 2
    async with storage.read() as tx:
        assert await tx.meta.get("count") == b"%d" % (5 + 2 * group_commit.MAX_JOINED_WRITERS)


async def test_who_comes_late_does_not_make_the_first_wait(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "JOINING", 0.0)

    async def nothing() -> None:
        async with storage.write() as tx:
            await tx.begin()

    with commits() as seen:
        await asyncio.gather(*await in_line(storage, [nothing] * 5))
    assert len(seen) == 5


async def test_writers_who_change_nothing_are_in_nobodys_way(storage: Storage) -> None:
    async def nothing() -> None:
        async with storage.write():
            pass

    async def fails(*, first: bool) -> None:
        async with storage.write() as tx:
            if not first:
                await tx.meta.set("lost", b"1")
            raise LookupError

    async def writes() -> None:
        async with storage.write() as tx:
            await tx.meta.set("kept", b"1")

    line = [nothing, lambda: fails(first=True), lambda: fails(first=False), nothing, writes, nothing]
    ended = await asyncio.gather(*await in_line(storage, line), return_exceptions=True)
    assert [type(one) for one in ended] == [type(None), LookupError, LookupError, *[type(None)] * 3]
    async with storage.read() as tx:
        assert (await tx.meta.get("lost"), await tx.meta.get("kept")) == (None, b"1")


async def test_nobody_is_told_anything_before_the_commit(storage: Storage) -> None:
    committing, go_on = asyncio.Event(), threading.Event()
    told: list[Changes] = []

    def slowly(connection: Connection) -> None:
        committing.set()
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, OneCallConnection)
        driver.call(lambda _: go_on.wait())  # in the driver's thread, where a disk is slow

    tasks = await in_line(
        storage,
        [
            lambda number=number, fault=fault: act(storage, number, [Step("a", "a", 0, fault)])
            for number, fault in enumerate((None, "refused", None))
        ],
    )
    with storage.listening(told.append):
        event.listen(Engine, "commit", slowly)
        try:
            await committing.wait()
            assert not any(task.done() for task in tasks)
            assert told == []
            tasks[0].cancel()
            go_on.set()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            event.remove(Engine, "commit", slowly)
    assert [type(one) for one in ended] == [asyncio.CancelledError, str, str]
    assert [sorted(one.notices) for one in told if one.notices] == [[0], [2]]
    assert await rows(storage) == ([b"0;0;2;", b"", b""], [(0, "a"), (2, "a")])


async def test_one_that_is_cancelled_in_the_middle_takes_nobody_with_it(storage: Storage) -> None:
    async def cancelled() -> None:
        async with storage.write() as tx:
            await tx.meta.set("a", b"never")
            tasks[1].cancel()
            await tx.meta.set("b", b"never")
            pytest.fail("went on though it was cancelled")

    tasks = await in_line(
        storage,
        [
            lambda: act(storage, 1, [Step("a", "a", 0)]),
            cancelled,
            lambda: act(storage, 2, [Step("a", "a", 0)]),
        ],
    )
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [str, asyncio.CancelledError, str]
    assert (await rows(storage))[0] == [b"1;1;2;", b"", b""]


async def test_who_raises_before_any_statement_undoes_nothing(storage: Storage) -> None:
    async def refused() -> None:
        async with storage.write():
            raise Refused

    def writes(number: int) -> Writer:
        return lambda: act(storage, number, [Step("a", "a", 0)])

    tasks = await in_line(storage, [writes(1), refused, writes(2), refused])
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [str, Refused, str, Refused]
    assert (await rows(storage))[0] == [b"1;1;2;", b"", b""]


async def test_sharing_a_commit_takes_no_call_of_its_own(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    call = OneCallConnection.call

    def count(connection: OneCallConnection, function: Callable[[sqlite3.Connection], object]) -> object:
        calls.append(function)
        return call(connection, function)

    async def write() -> None:
        async with storage.write() as tx:
            await tx.meta.set("a", b"")

    await write()
    monkeypatch.setattr(OneCallConnection, "call", count)
    await asyncio.gather(*await in_line(storage, [write] * 4))
    assert len(calls) == 4 + 1  # a statement each, and the commit


async def test_a_commit_that_fails_is_told_to_all_who_share_it(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Changes] = []

    def full(_connection: OneCallConnection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    tasks = await in_line(
        storage, [lambda number=number: act(storage, number, [Step("a", "a", 1)]) for number in range(4)]
    )
    with storage.listening(told.append), monkeypatch.context() as patched:
        patched.setattr(OneCallConnection, "commit", full)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [DatabaseFailed] * 4
    assert all(one.others for one in told)
    assert await rows(storage) == ([b"", b"", b""], [])
    await act(storage, 5, [Step("a", "a", 0)])
    assert (await rows(storage))[0] == [b"5;", b"", b""]


async def test_what_was_read_before_a_commit_failed_is_not_remembered(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pause() -> None:
        async with storage.write() as tx:
            await tx.guilds.set_paused(1, NOW)

    async def paused() -> bool:
        async with storage.write() as tx:
            return (await tx.servers.some([1]))[1].settings.paused

    def full(_connection: OneCallConnection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    assert not await paused()
    with monkeypatch.context() as patched:
        patched.setattr(OneCallConnection, "commit", full)
        ended = await asyncio.gather(*await in_line(storage, [pause, paused]), return_exceptions=True)
    assert [type(one) for one in ended] == [DatabaseFailed] * 2
    assert not await paused()


async def test_what_sqlite_undoes_by_itself_is_told_to_all_who_had_written_in_it(storage: Storage) -> None:
    """After some errors it undoes the whole transaction, not the statement alone."""

    async def undone() -> None:
        async with storage.write() as tx:
            await session_of(tx).run("ROLLBACK")

    tasks = await in_line(
        storage,
        [
            lambda: act(storage, 1, [Step("a", "a", 0)]),
            undone,
            lambda: act(storage, 2, [Step("a", "a", 0)]),
        ],
    )
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [DatabaseFailed, DatabaseFailed, str]
    assert (await rows(storage))[0] == [b"2;", b"", b""]


async def test_a_disk_that_is_full_for_one_loses_nothing_of_the_others(storage: Storage) -> None:
    async def too_large() -> None:
        async with storage.write() as tx:
            await tx.meta.set("b", bytes(1_000_000))

    async with storage.write() as tx:
        await session_of(tx).run("PRAGMA max_page_count=1")  # no more than there are
    tasks = await in_line(
        storage,
        [
            lambda: act(storage, 1, [Step("a", "a", 0)]),
            too_large,
            lambda: act(storage, 2, [Step("a", "a", 0)]),
        ],
    )
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert type(ended[1]) is DatabaseFailed
    stored = (await rows(storage))[0][0]
    assert [b"1;" in stored, b"2;" in stored] == [isinstance(ended[0], str), isinstance(ended[2], str)]


def session_of(tx: Transaction) -> Session:
    return vars(tx.meta)["_session"]
