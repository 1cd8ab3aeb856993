"""Statements whose answer nobody needs go along with the next call into SQLite's thread."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.errors import Refused
from bot.storage import Sent, Storage, Transaction
from bot.storage.database.changes import Changes
from bot.storage.database.sqlite_driver import OneCallConnection
from bot.storage.schema import meta
from tests.support.clock import FakeClock
from tests.support.database import database

NOW = FakeClock().now()
_ADD = insert(meta).inline()

Writer = Callable[[Transaction], Awaitable[None]]


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[Storage]:
    async with Storage.open(await database(tmp_path)) as opened:
        yield opened


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The calls into the driver's thread."""
    calls: list[object] = []
    call = OneCallConnection.call

    def note(connection: OneCallConnection, function: Callable[[sqlite3.Connection], object]) -> object:
        calls.append(function)
        return call(connection, function)

    monkeypatch.setattr(OneCallConnection, "call", note)
    return calls


async def add_later(transaction: Transaction, name: str) -> None:
    await transaction.session.execute_later(_ADD, [{"name": name, "value": b""}])


async def names(storage: Storage) -> list[str]:
    async with storage.read() as transaction:
        return sorted(await transaction.meta.names(""))


async def in_one_transaction(storage: Storage, *writers: Writer) -> list[object]:
    """Return what became of the writers, who share a commit."""

    async def write(writer: Writer) -> None:
        async with storage.write() as transaction:
            await writer(transaction)

    async with vars(storage)["_writer"]:
        tasks = [asyncio.create_task(write(one)) for one in writers]
        for _ in range(3):
            await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_they_make_no_call_and_are_there_for_the_next_statement(
    storage: Storage, calls: list[object]
) -> None:
    async with storage.write() as transaction:
        await transaction.lanes.add([("lane", Sent(NOW, None))] * 2)
        await add_later(transaction, "a")
        assert len(calls) == 0
        assert len((await transaction.lanes.of(["lane"], NOW))["lane"]) == 2
        await add_later(transaction, "b")
    assert len(calls) == 1 + 1  # and the commit
    assert await names(storage) == ["a", "b"]


async def test_a_transaction_of_nothing_else_commits_them(storage: Storage, calls: list[object]) -> None:
    async with storage.write() as transaction:
        await add_later(transaction, "a")
    assert len(calls) == 1
    assert await names(storage) == ["a"]


async def test_a_writer_that_raises_undoes_its_own_alone(storage: Storage) -> None:
    async def raises_at_once(transaction: Transaction) -> None:
        await add_later(transaction, "not at once")
        raise Refused

    async def raises_after_a_call(transaction: Transaction) -> None:
        await add_later(transaction, "not before")
        await transaction.meta.get("a")
        await add_later(transaction, "not after")
        raise Refused

    ended = await in_one_transaction(
        storage,
        lambda transaction: add_later(transaction, "a"),
        raises_at_once,
        lambda transaction: add_later(transaction, "b"),
        raises_after_a_call,
        lambda transaction: add_later(transaction, "c"),
    )
    assert [type(one) for one in ended] == [type(None), Refused, type(None), Refused, type(None)]
    assert await names(storage) == ["a", "b", "c"]


@pytest.mark.parametrize("another_call", [False, True])
async def test_one_that_fails_undoes_all_and_all_are_told(storage: Storage, *, another_call: bool) -> None:
    async def last(transaction: Transaction) -> None:
        if another_call:
            await transaction.meta.set("d", b"")

    told: list[Changes] = []
    with storage.listening(told.append):
        ended = await in_one_transaction(
            storage,
            lambda transaction: transaction.meta.set("a", b""),
            lambda transaction: add_later(transaction, "a"),
            last,
        )
    assert all(isinstance(one, Exception) for one in ended)
    assert another_call or isinstance(ended[1], IntegrityError)
    assert await names(storage) == []
    async with storage.write() as transaction:
        await transaction.meta.set("e", b"")
    assert await names(storage) == ["e"]
