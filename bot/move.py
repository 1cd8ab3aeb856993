"""Copy all rows of an SQLite file into an empty PostgreSQL."""

from sqlalchemy import ColumnElement, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cluster import IdentifyTurn, Process, Shard
from bot.credits.ledger import Line
from bot.db import used_once
from bot.db_failures import address_shown
from bot.errors import SettingsError
from bot.jobs.models import jobs
from bot.jobs.progress import Reply
from bot.rows import metadata

ROWS_IN_A_STATEMENT = 500
_OF_PROCESSES = {one.__table__ for one in (Process, Shard, IdentifyTurn, Reply)}


async def copy_rows(source: str, target: str) -> dict[str, int]:
    """Copy all rows, or none, and compare their numbers and the sums of credits. Both have this version's
    tables. Return how many rows were copied, by table.

    Raises `SettingsError` if the target has rows, differs in the end, or can't be used.
    """
    async with used_once(source) as old, used_once(target, writes=True) as new, new.begin():
        await old.exec_driver_sql("BEGIN")
        tables = [table for table in metadata.sorted_tables if table not in _OF_PROCESSES]
        for table in tables:
            if await _one(new, func.count(), table):
                raise SettingsError(
                    f"The database at {address_shown(target)} isn't empty: its table {table.name} has "
                    "rows. Name an empty one. Nothing was changed."
                )
        for table in tables:
            await _copy(old, new, table)
        return await _compared(old, new, tables)


async def _copy(old: AsyncConnection, new: AsyncConnection, table: Table) -> None:
    rows = select(table).order_by(*table.primary_key.columns)
    async with old.stream(rows) as found:
        async for part in found.mappings().partitions(ROWS_IN_A_STATEMENT):
            await new.execute(insert(table), [dict(row) for row in part])
    number = table.autoincrement_column
    if number is None:
        return
    # The next number is one more than the last.
    sequence = func.pg_get_serial_sequence(table.name, number.name)
    last = select(func.max(number)).scalar_subquery()
    await new.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


async def _compared(old: AsyncConnection, new: AsyncConnection, tables: list[Table]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table in tables:
        before, counts[table.name] = [await _one(one, func.count(), table) for one in (old, new)]
        if before != counts[table.name]:
            raise SettingsError(f"The table {table.name} wasn't copied completely. Nothing was changed.")
    for column in (Line.__table__.c.amount, jobs.c.reserved, jobs.c.settled):
        what: ColumnElement[int] = func.coalesce(func.sum(column), 0)
        before, after = [int(await _one(one, what, column.table)) for one in (old, new)]
        if before != after:
            raise SettingsError("The credits of the copy differ. Nothing was changed. Please report this.")
    return counts


async def _one(connection: AsyncConnection, what: ColumnElement[int], table: object) -> int:
    query = select(what).select_from(table)  # type: ignore[arg-type]
    return int((await connection.execute(query)).scalar_one())
