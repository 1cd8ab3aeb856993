"""A transaction is a function: what holds when many write at the same moment, and when something fails."""

import asyncio
import random
import sqlite3
import traceback
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.base import wake
from bot.credits.ledger import Line
from bot.db import Database, Fence, used_once
from bot.errors import Busy, DatabaseAway, DatabaseFailed, NotAlone, SettingsError
from bot.languages import Language, speaking, spoken
from bot.meta import Meta
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database


@pytest.fixture
async def db(url: str, tables: None) -> AsyncGenerator[Database]:
    async with Database.open(url) as opened:
        yield opened


@pytest.fixture
async def on_server(migrated_postgresql: str) -> str:
    return await new_migrated_database(migrated_postgresql)


class Refused(Exception):
    pass


def add(session: Session, name: str, value: bytes = b"") -> str:
    session.execute(insert(Meta).values(name=name, value=value))
    return name


def names(session: Session) -> list[str]:
    return sorted(session.scalars(select(Meta.name)))


def count_up(session: Session) -> int:
    before = session.scalar(select(Meta.value).where(Meta.name == "count"))
    if before is None:
        session.execute(insert(Meta).values(name="count", value=b"1"))
        return 1
    session.execute(update(Meta).where(Meta.name == "count").values(value=b"%d" % (int(before) + 1)))
    return int(before) + 1


def refuse(session: Session) -> None:
    add(session, "of the refused")
    raise Refused


def a_nul(session: Session) -> None:
    add(session, "a\0b")
    raise Refused  # SQLite takes it


def a_number_too_large(session: Session) -> None:
    add(session, "of the large")
    session.execute(insert(Line).values(guild_id=2**70, kind="grant", amount=1))


WRONG: dict[str, Callable[[Session], object]] = {
    "its own error": refuse,
    "a duplicate": lambda session: add(session, "taken"),
    "a NUL": a_nul,
    "a number too large": a_number_too_large,
    "a lone surrogate": lambda session: add(session, "\ud800"),
    "no such table": lambda session: session.execute(text("INSERT INTO nowhere VALUES (1)")),
}


async def at_once(db: Database, *writers: Callable[[], Any]) -> list[Any]:
    """Return what became of these writers, who began to wait for the same turn."""
    async with vars(db)["_turn"]:
        tasks = [asyncio.ensure_future(one()) for one in writers]
        for _ in range(3):
            await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("what", WRONG)
async def test_what_one_of_fifty_does_wrong_is_told_to_that_one_alone(db: Database, what: str) -> None:
    await db.write(add, "taken")

    def writer(number: int) -> Callable[[], Any]:
        if number == 25:
            return lambda: db.write(WRONG[what])
        return lambda: db.write(add, f"{number:02}")

    told = await at_once(db, *(writer(number) for number in range(50)))
    expected = [f"{number:02}" for number in range(50)]
    assert isinstance(told[25], Exception)
    assert [*told[:25], *told[26:]] == [*expected[:25], *expected[26:]]
    assert await db.read(names) == sorted({*expected, "taken"} - {"25"})
    with pytest.raises(type(told[25])):  # alone, it is told the same
        await db.write(WRONG[what])
    assert await db.write(add, "25") == "25"


async def test_two_hundred_who_read_and_then_write_are_all_counted(db: Database) -> None:
    counted = await asyncio.gather(*(db.write(count_up) for _ in range(200)))
    assert sorted(counted) == list(range(1, 201))
    assert await db.read(lambda session: session.scalar(select(Meta.value))) == b"200"


async def test_a_cancelled_write_is_whole_or_never_was(db: Database) -> None:
    def both(session: Session, name: str) -> None:
        add(session, f"{name} left")
        add(session, f"{name} right")

    chance = random.Random(20261130)
    tasks = [asyncio.create_task(db.write(both, f"{number:02}")) for number in range(60)]
    for task in tasks:
        for _ in range(chance.randrange(6)):
            await asyncio.sleep(0)
        if chance.random() < 0.2:
            await asyncio.sleep(0.001)
        if chance.random() < 0.5:
            task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
    assert any(ended)
    await db.write(add, "after")
    stored = await db.read(names)
    left = [name.split()[0] for name in stored if name.endswith("left")]
    assert left == [name.split()[0] for name in stored if name.endswith("right")]
    assert {f"{number:02}" for number, one in enumerate(ended) if one is None} <= set(left)


async def test_a_cancelled_reader_costs_no_connection(db: Database) -> None:
    closed: list[object] = []

    def note(connection: object, _record: object) -> None:
        closed.append(connection)

    event.listen(Engine, "close", note)
    try:
        for steps in range(12):
            task = asyncio.create_task(db.read(names))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
        assert await db.read(names) == []
    finally:
        event.remove(Engine, "close", note)
    assert closed == []


async def test_a_reader_can_not_write(db: Database) -> None:
    with pytest.raises(DatabaseFailed) as told:
        await db.read(add, "never")
    assert "read" in str(told.value.__cause__)
    assert await db.read(names) == []


async def test_nobody_is_told_before_the_commit_nor_of_what_was_refused(url: str, tables: None) -> None:
    told: list[tuple[set[Hashable], list[str]]] = []

    def add_and_wake(session: Session, name: str) -> None:
        add(session, name)
        wake(session, ("added", name))
        if name == "refused":
            raise Refused

    def woken(wakes: Mapping[Hashable, object]) -> None:
        told.append((set(wakes), committed.copy()))
        raise RuntimeError("one who isn't told must not undo anything")

    committed: list[str] = []
    async with Database.open(url) as db:

        def note(_connection: Connection) -> None:
            committed.append("committed")

        event.listen(Engine, "commit", note)
        try:
            with db.listening(woken):
                await at_once(
                    db, *(lambda name=name: db.write(add_and_wake, name) for name in ("a", "refused", "b"))
                )
        finally:
            event.remove(Engine, "commit", note)
        assert await db.read(names) == ["a", "b"]
    assert told == [({("added", "a"), ("added", "b")}, ["committed"])]


async def test_who_waits_too_long_is_told_that_nothing_was_done(db: Database) -> None:
    async with vars(db)["_turn"]:
        with pytest.raises(Busy):
            await db.write(add, "late", within=0.02)
    await db.write(add, "in time", within=PATIENCE)
    assert await db.read(names) == ["in time"]


async def test_another_program_is_waited_for_as_long_as_there_is_time(db: Database, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            await db.write(add, "late", within=0.05)
        waiting = asyncio.create_task(db.write(add, "in time"))
        await asyncio.sleep(0.3)  # longer than one try
        assert not waiting.done()
        other.execute("ROLLBACK")
        await waiting
    assert await db.read(names) == ["in time"]


async def test_a_commit_whose_answer_is_lost_is_not_made_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Connection.commit
    calls: list[object] = []

    def lost(connection: Connection) -> None:
        commit(connection)
        calls.append(connection)
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "commit", lost)
        told = await at_once(db, *[lambda: db.write(count_up)] * 3)
    assert all(isinstance(one, DatabaseFailed) and not isinstance(one, Busy) for one in told)
    assert len(calls) == 1
    assert await db.write(count_up) == 4


async def test_a_connection_that_was_lost_meanwhile_costs_nobody_anything(on_server: str) -> None:
    async with Database.open(on_server) as db:
        await db.write(count_up)
        await db.read(names)
        end = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        async with used_once(on_server, writes=True) as operator:
            await operator.execute(end)
        assert await db.write(count_up) == 2
        assert await db.read(names) == ["count"]


async def test_a_value_that_the_server_refuses_is_no_outage_and_its_row_is_in_no_error(
    on_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database.open(on_server) as db:
        await db.write(
            lambda session: session.execute(text("ALTER TABLE meta ADD CHECK (length(value) < 9)"))
        )
        for name, value, state in (("a secret", b"much too long", "23514"), ("a secret\0", b"", "22021")):
            with pytest.raises(DBAPIError) as told:
                await db.write(add, name, value)
            assert vars(told.value.orig)["sqlstate"] == state
            assert "secret" not in "".join(traceback.format_exception(told.value))
        assert await db.write(count_up) == 1
    assert caplog.messages == []


async def test_two_that_wait_for_each_other_are_done_again(on_server: str) -> None:
    """As servers of two processes may, which share a key."""

    def both(session: Session, first: str, second: str) -> None:
        for name in (first, second):
            session.execute(update(Meta).where(Meta.name == name).values(value=Meta.value.concat(b"x")))
            session.execute(text("SELECT pg_sleep(0.05)"))

    async with Database.open(on_server) as one, Database.open(on_server) as other:
        for name in ("a", "b"):
            await one.write(add, name)
        await asyncio.gather(one.write(both, "a", "b"), other.write(both, "b", "a"))
        values = await one.read(lambda session: list(session.scalars(select(Meta.value))))
    assert values == [b"xx", b"xx"]


async def test_who_has_lost_its_lease_writes_nothing(on_server: str) -> None:
    met: list[bool] = []

    class Lost(Fence):
        epoch = 7

        def met(self) -> None:
            met.append(True)

    async with Database.open(on_server) as owner, used_once(on_server, writes=True) as operator:
        db = Database(on_server, fence=Lost())
        told = await at_once(db, *[lambda: db.write(count_up)] * 3)
        assert [type(one) for one in told] == [NotAlone] * 3
        assert met
        insert_process = (
            "INSERT INTO processes (epoch, name, version, started_at, until) VALUES (7, '', '', now(), now())"
        )
        await operator.execute(text(insert_process))
        await operator.commit()
        assert await db.write(count_up) == 1
        shown = text("SELECT current_setting('application_name'), current_setting('lock_timeout')")
        assert await db.write(lambda session: tuple(session.execute(shown).one())) == (
            "studii process 7",
            "8s",
        )
        await db.close()
        assert await owner.read(names) == ["count"]


async def test_a_server_that_is_away_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    db = Database("postgresql+asyncpg://studii:secret@127.0.0.1:9/studii")
    for _ in range(2):
        with pytest.raises(DatabaseAway):
            await db.read(names)
        told = await at_once(db, *[lambda: db.write(count_up)] * 3)
        assert [type(one) for one in told] == [DatabaseAway] * 3
    await db.close()
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "The database can't be read",
        "The database can't be written",
    ]


@pytest.mark.promise
async def test_a_user_who_may_not_write_is_told_at_the_start(on_server: str) -> None:
    name = f"reader_{uuid4().hex}"
    async with used_once(on_server, writes=True) as operator:
        await operator.execute(text(f"CREATE ROLE {name} LOGIN"))
        await operator.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"))
        await operator.commit()
    reader = make_url(on_server).set(username=name).render_as_string(hide_password=False)
    with pytest.raises(SettingsError, match=r"can't be used \(permission denied for table meta\)"):
        await Database.open(reader).__aenter__()


async def test_a_full_disk_is_told_as_a_failure_and_once_in_the_log(
    db: Database, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await db.write(lambda session: session.execute(text("PRAGMA max_page_count=1")))  # no more than there are
    for _ in range(2):
        with pytest.raises(DatabaseFailed, match="can't use its database right now"):
            await db.write(add, "large", bytes(1_000_000))
    said = "The database can't be written (database or disk is full). The bot will keep trying."
    assert caplog.messages.count(said) == 1


async def test_what_waits_is_written_before_it_is_closed(url: str, tables: None) -> None:
    async with Database.open(url) as db:
        writing = [asyncio.create_task(db.write(count_up)) for _ in range(5)]
        await asyncio.sleep(0)
    assert sorted(await asyncio.gather(*writing)) == [1, 2, 3, 4, 5]
    with pytest.raises(DatabaseAway):
        await db.write(count_up)
    with pytest.raises(DatabaseAway):
        await db.read(names)


async def test_a_transaction_speaks_its_callers_language(db: Database) -> None:
    def language(session: Session) -> Language:
        names(session)
        return spoken()

    async def asked(do: Callable[..., Any], wanted: Language) -> Language:
        with speaking(wanted):
            return await do(language)

    for do in (db.read, db.write, db.amend):
        assert await asyncio.gather(*(asked(do, one) for one in Language)) == list(Language)
