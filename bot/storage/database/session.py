"""One transaction of `Storage`, whose statements complete even if the task is cancelled."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy import Column, ColumnElement, Connection, Executable, Select, Table, delete
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session as OrmSession

from bot.aio.shield import shielded
from bot.db import Run, of_shards
from bot.domain.shards import Shards
from bot.storage.database.changes import Changes
from bot.unreadable import UNREADABLE, Build, Key, UnreadableRows, among, chunks, unbounded

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_T = TypeVar("_T")
_Columns = TypeVarTuple("_Columns")
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Session:
    """The connection that repositories use within one transaction."""

    def __init__(self, run: Run, unreadable: UnreadableRows, shards: Shards, *, on_sqlite: bool) -> None:
        """Use that connection. `shards` are those whose servers this process serves."""
        self._run = run
        self.unreadable = unreadable
        self.changes = Changes()
        self._shards = shards
        self.on_sqlite = on_sqlite

    def ours(self, query: Select[*_Columns], guild_id: ColumnElement[int]) -> Select[*_Columns]:
        """Return the query of only those rows whose server this process serves."""
        return of_shards(self._shards, query, guild_id)

    async def execute(
        self, statement: Executable, values: Values | None = None, *, named: bool = False
    ) -> CursorResult[Any]:
        """Execute the statement with these values, or for each of several rows of them.

        A value is a parameter's of that name; in an INSERT and an UPDATE, also a column's. A statement that
        is executed again and again is made once, at import: putting one together, and telling that it is
        the same as an earlier one, takes SQLAlchemy longer than to execute it.

        `named`: the caller adds to `changes` what it changes, if that matters.
        """
        if not named:
            self.changes.note(statement)
        return await shielded(self._run(Connection.execute, statement, values))

    async def run(self, work: Callable[[OrmSession], _T]) -> _T:
        """Return what the function does with a session of this connection. It tells what that wakes."""
        wakes: dict[Hashable, Any] = {}
        done = await shielded(self._run(self._in_session, work, wakes))
        self.changes.add(wakes)
        return done

    def _in_session(
        self, connection: Connection, work: Callable[[OrmSession], _T], wakes: dict[Hashable, Any]
    ) -> _T:
        if not connection.in_transaction():
            connection.begin()  # or the session would begin one of its own, and end it
        # What it commits is flushed: the transaction is ended by who has begun it.
        with OrmSession(
            connection,
            join_transaction_mode="rollback_only",
            expire_on_commit=False,
            info={"shards": self._shards, "wakes": wakes, "unreadable": self.unreadable},
        ) as session:
            done = work(session)
            session.commit()
            return done

    async def rows(
        self,
        query: Select[Any],
        build: Build[_T],
        key: Sequence[Column[Any]],
        values: Mapping[str, Any] | None = None,
    ) -> list[_T]:
        """Return what `build` makes of each row. Rows that can't be read are left out: others take their
        place where the query has a limit. `key` is the primary key of the table that they are of."""
        asked = query
        while True:
            try:
                return [build(row) for row in (await self.execute(asked, values)).mappings()]
            except UNREADABLE as error:
                keys_alone = asked.with_only_columns(*key, maintain_column_froms=True)
                keys = [tuple(row) for row in await self.execute(keys_alone, values)]
                bad = [
                    one
                    for part in chunks(keys)
                    for one in await self._unreadable(query, build, key, part, values)
                ]
                if not bad:
                    raise
                for one in bad:
                    self.unreadable.add(key[0].table.name, one, error)
                for part in chunks(bad):
                    asked = asked.where(~among(key, part))

    async def _unreadable(
        self,
        query: Select[Any],
        build: Build[_T],
        key: Sequence[Column[Any]],
        keys: Sequence[Key],
        values: Mapping[str, Any] | None,
    ) -> list[Key]:
        """Return those of the keys whose rows can't be read, found by halves."""
        try:
            for row in (await self.execute(unbounded(query).where(among(key, keys)), values)).mappings():
                build(row)
        except UNREADABLE:
            if len(keys) == 1:
                return list(keys)
        else:
            return []
        half = len(keys) // 2
        first = await self._unreadable(query, build, key, keys[:half], values)
        return first + await self._unreadable(query, build, key, keys[half:], values)

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that can say what to do where there is such a row."""
        return _insert(table, on_sqlite=self.on_sqlite)

    async def put(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Insert the row, or set `values` in the one that has this primary key."""
        statement = _upsert(table, tuple(key), tuple(values), on_sqlite=self.on_sqlite)
        await self.execute(statement, {**key, **values})

    async def put_new(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
        """Insert the row unless one has this primary key. Return whether it was inserted."""
        statement = _upsert(table, tuple(key), (), on_sqlite=self.on_sqlite)
        return (await self.execute(statement, {**key, **values})).rowcount == 1

    async def remove(self, table: Table, which: Mapping[str, Any]) -> bool:
        """Delete the rows that have all these values. Return whether there were any."""
        these = [table.c[name] == value for name, value in which.items()]
        return (await self.execute(delete(table).where(*these))).rowcount > 0


def _insert(table: Table, *, on_sqlite: bool) -> "sqlite.Insert | postgresql.Insert":
    if on_sqlite:
        return sqlite.insert(table)
    # Imported here: a bot on SQLite has no use for it.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


@cache
def _upsert(table: Table, key: tuple[str, ...], changed: tuple[str, ...], *, on_sqlite: bool) -> Executable:
    """Return an INSERT that changes these columns, or nothing, where a row has this primary key."""
    insert = _insert(table, on_sqlite=on_sqlite)
    if not changed:
        return insert.on_conflict_do_nothing(index_elements=list(key))
    return insert.on_conflict_do_update(
        index_elements=list(key), set_={name: insert.excluded[name] for name in changed}
    )
