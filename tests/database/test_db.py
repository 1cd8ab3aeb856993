"""A transaction is a function: what holds when many write at the same moment, and when something fails."""

import asyncio
import random
from collections.abc import Callable, Hashable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bot.base import wake
from bot.connections import used_once
from bot.db import Database
from bot.errors import DatabaseAway, DatabaseFailed, SettingsError
from bot.meta import Meta
from tests.support.postgresql import new_migrated_database


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


async def at_once(db: Database, *writers: Callable[[], Any]) -> list[Any]:
    """Return what became of these writers, who began to wait for the same turn."""
    async with vars(db)["_turn"]:
        tasks = [asyncio.ensure_future(one()) for one in writers]
        for _ in range(3):
            await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


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


async def test_what_waits_is_written_before_it_is_closed(url: str, tables: None) -> None:
    async with Database.open(url) as db:
        writing = [asyncio.create_task(db.write(count_up)) for _ in range(5)]
        await asyncio.sleep(0)
    assert sorted(await asyncio.gather(*writing)) == [1, 2, 3, 4, 5]
    with pytest.raises(DatabaseAway):
        await db.write(count_up)
    with pytest.raises(DatabaseAway):
        await db.read(names)
