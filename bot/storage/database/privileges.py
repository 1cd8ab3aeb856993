"""Check the rights of the bot's PostgreSQL user at the start."""

from sqlalchemy import bindparam, text

from bot.storage.database.async_engine import AsyncEngine
from bot.storage.database.engines import migration_engine, used_once
from bot.storage.schema import metadata

_SHOWN = 3  # names
_RIGHTS = text(
    """
    WITH ours AS (
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname IN :tables
    ), counters AS MATERIALIZED (
        SELECT pg_class.oid, relname FROM pg_class JOIN pg_depend ON objid = pg_class.oid AND deptype = 'a'
        WHERE relkind = 'S' AND refobjid IN (SELECT oid FROM ours)
    ), closed AS (
        SELECT relname FROM ours WHERE NOT (
            has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
        ) UNION SELECT relname FROM counters WHERE NOT has_sequence_privilege(oid, 'USAGE')
    )
    SELECT
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
        EXISTS (SELECT FROM ours)
            OR coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS begins,
        (SELECT array_agg(relname ORDER BY relname) FROM closed) AS closed
    """
).bindparams(bindparam("tables", expanding=True))


async def missing_privileges(engine: AsyncEngine) -> str | None:
    """Return why the database can't be written, as words that follow its name, or None if it can.

    Raises one of `UNUSABLE`.
    """
    async with engine.connect() as connection:
        found = await connection.execute(_RIGHTS.bindparams(tables=sorted(metadata.tables)))
        row = found.mappings().one()
    if row["read_only"]:
        return (
            "is read-only, because it's a standby or was set so. Name the primary in DATABASE_URL, or "
            "allow writing."
        )
    if not row["begins"]:
        return (
            "has no tables yet, and its user isn't allowed to create them. Grant that user CREATE on "
            "the schema, or make it the owner of the database."
        )
    if not row["closed"]:
        return None
    names = ", ".join(row["closed"][:_SHOWN]) + (", …" if len(row["closed"]) > _SHOWN else "")
    return (
        f"isn't writable by its user, who lacks rights to {names}. Grant that user SELECT, INSERT, "
        "UPDATE and DELETE on all tables there and USAGE on all sequences, or make it their "
        "owner."
    )


async def missing_privileges_at(url: str) -> str | None:
    """Return the rights that are missing at a PostgreSQL's address.

    Raises `SettingsError` if it can't be reached.
    """
    async with used_once(migration_engine(url), url) as engine:
        return await missing_privileges(engine)
