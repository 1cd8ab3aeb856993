import re
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, inspect, text

from bot.cluster import WantedShards, membership
from bot.domain import NoticeKind, Plan
from bot.errors import SettingsError
from bot.reasons import Reason, ReasonCode
from bot.storage import Storage, migrate
from bot.storage.database.engines import migration_engine
from bot.storage.database.migrations import SCRIPTS
from bot.storage.schema import holds, metadata
from bot.storage.schema import jobs as jobs_table
from tests.support.jobs import NOW, accepted

REVISIONS = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions("base", "heads")][
    ::-1
]

# What the databases write in different ways.
# Its rows said when a member was told last that credits are short; they were of use for an hour.
DROPPED = frozenset({"credits_told"})
OPERATORS = {"in", "not", "any", "all", "array"}

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None


def upgrade() -> None:
    {statement}
"""


def read(file: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(file))


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def set_mode(file: Path, mode: int) -> None:
    file.chmod(mode)


def content(file: Path) -> bytes:
    return file.read_bytes()


def set_content(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def counts(file: Path) -> dict[str, int]:
    with read(file) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for name in names
            if name != "alembic_version"
        }


def seed(connection: Connection, number: int = 1) -> None:
    """One row in every table, whatever the revision has for columns: that of this number."""
    reflected = MetaData()
    reflected.reflect(connection)
    for table in reflected.sorted_tables:
        if table.name != "alembic_version":
            connection.execute(insert(table).values(plausible(table, number)))


def name_of(number: int) -> str:
    return f"{number:016x}"


def plausible(table: Table, number: int) -> dict[str, Any]:
    # Columns that take some words only; any other text, and all numbers, are the same everywhere, so that
    # references find their row.
    words = {
        "state": "waiting",
        "approval": "given",
        "result_approval": "wanted",
        "failure": "photo",
        "kind": "reserve",
        "plan": "pro",
        "role": "source",
        "budget_period": "week",
        "timezone": "UTC",
        "why": "first_tap",
    }
    if table.name == "credit_requests":
        words["state"] = "open"
    by_type: dict[str, Any] = {
        "BLOB": b"sealed",
        "JSON": {"prompt": "a cat"},
        "BOOLEAN": True,
        "FLOAT": 1.5,
        "DATETIME": None,
    }
    row: dict[str, Any] = {}
    for column in table.columns:
        kind = str(column.type).split("(")[0]
        if kind == "DATETIME":
            row[column.name] = datetime(2026, 5, 4, 10, 30)  # noqa: DTZ001 - as SQLite has it
        elif kind in {"INTEGER", "BIGINT"}:
            row[column.name] = number
        else:
            row[column.name] = by_type.get(kind, words.get(column.name, name_of(number)))
    return row


def later_columns(connection: Connection) -> dict[str, str]:
    """The columns of jobs that the database lacks, with their types."""
    there = {column["name"] for column in inspect(connection).get_columns("jobs")}
    dialect = connection.dialect
    return {one.name: one.type.compile(dialect) for one in jobs_table.columns if one.name not in there}


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later version of the bot, with migrations of its own."""
    later = tmp_path / "later"
    shutil.copytree(SCRIPTS, later, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("bot.storage.database.migrations.SCRIPTS", later)
    return later / "versions"


def add_revision(scripts: Path, revision: str, before: str, statement: str) -> None:
    text = NEXT.format(revision=revision, before=before, statement=statement)
    (scripts / f"{revision}.py").write_text(text, "utf-8")


async def test_the_migrations_make_the_tables_that_the_code_works_with(url: str) -> None:
    def differences(connection: Connection) -> Any:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, metadata)

    await migrate(url)
    engine = migration_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_indexes_and_checks_are_the_same_too(file: Path, url: str, tmp_path: Path) -> None:
    await migrate(url)
    made = tmp_path / "made.db"
    engine = create_engine(f"sqlite:///{made}")
    metadata.create_all(engine)
    engine.dispose()

    def rules(database: Path) -> set[str]:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
        with read(database) as opened:
            lines = [line.strip(" \t,") for (sql,) in opened.execute(query) for line in sql.splitlines()]
        return {line for line in lines if "INDEX" in line or "CONSTRAINT" in line}

    assert rules(file) == rules(made)
    assert any("CHECK" in rule for rule in rules(file))


async def test_indexes_of_some_rows_have_the_same_rows_on_both_databases(url: str) -> None:
    def rows(connection: Connection) -> dict[str, set[str]]:
        name = connection.dialect.name
        return {
            str(index["name"]): words(str(index.get("dialect_options", {})[f"{name}_where"]))
            for table in metadata.tables
            for index in inspect(connection).get_indexes(table)
            if f"{name}_where" in index.get("dialect_options", {})
        }

    def words(condition: str) -> set[str]:
        # PostgreSQL adds brackets and types, and has words of its own for IN.
        plain = re.sub(r"::(character varying|text)", "", condition).lower().replace("is not", "isn't")
        return set(re.findall(r"isn't|'\w+'|\w+", plain)) - OPERATORS

    await migrate(url)
    engine = migration_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(rows)
    await engine.dispose()

    indexes = (index for table in metadata.tables.values() for index in table.indexes)
    conditions = {str(index.name): index.dialect_options["sqlite"]["where"] for index in indexes}
    assert found == {name: words(str(rows)) for name, rows in conditions.items() if rows is not None}


async def test_a_database_with_rows_of_any_earlier_version_keeps_them(file: Path, url: str) -> None:
    """After each upgrade more rows are written: those of a version go through all upgrades that follow."""
    written: Counter[str] = Counter()
    for number, revision in enumerate(REVISIONS, 1):
        await migrate(url, revision)
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            seed(connection, number)
        engine.dispose()
        there = counts(file)
        written.update(there.keys())
        assert all(rows == written[table] for table, rows in there.items() if table not in DROPPED), revision
    with read(file) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    async with Storage.open(url) as storage, storage.read() as transaction:
        for number in range(1, len(REVISIONS) + 1):
            assert await transaction.jobs.get(name_of(number)) is not None
            assert await transaction.keys.current(number) is not None


async def test_grants_of_earlier_versions_are_those_of_the_period_in_which_they_were_given(
    file: Path, url: str
) -> None:
    since = "total 2026-02-03T04:05:06.000007+00:00"
    servers = [
        (None, None, "day 2026-03-01"),
        ("day", "Pacific/Auckland", "day 2026-03-02"),
        ("week", "UTC", "week 2026-02-23"),
        ("month", "America/New_York", "month 2026-03-01"),
        ("total", "UTC", since),
    ]
    await migrate(url, "0015")
    with read(file) as database:
        for guild_id, (period, zone, _) in enumerate(servers, 1):
            database.execute(
                "INSERT INTO guilds (guild_id, budget_limit, budget_period, budget_since, timezone) "
                "VALUES (?, 10, ?, '2026-02-03 04:05:06.000007', ?)",
                (guild_id, period, zone),
            )
            database.execute(
                "INSERT INTO ledger (guild_id, user_id, kind, amount, at) "
                "VALUES (?, ?, 'grant', 20, '2026-03-01 15:30:00.000000')",
                (guild_id, 30 + guild_id),
            )
        database.commit()
    await migrate(url)
    async with Storage.open(url) as storage, storage.read() as transaction:
        for guild_id, (_, _, name) in enumerate(servers, 1):
            assert await transaction.ledger.grants(guild_id, name) == {30 + guild_id: 20}, name


async def test_prices_of_earlier_versions_are_first_guesses_and_those_of_the_keys_that_paid(
    file: Path, url: str
) -> None:
    await migrate(url, "0022")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        seed(connection)
    engine.dispose()
    with read(file) as database:
        database.execute("UPDATE prices SET tool = 'studio', variant = 'mode=image', charge = 6")
        database.execute("UPDATE studii_keys SET lane = 'lane'")
        columns = [name for (name,) in database.execute("SELECT name FROM pragma_table_info('jobs')")]
        same = ", ".join(name for name in columns if name not in {"number", "id", "state", "charged", "once"})
        for number, (state, charged) in enumerate(
            [("succeeded", 9), ("succeeded", 12), ("failed", 0), ("running", 99)], start=2
        ):
            database.execute(
                f"INSERT INTO jobs (number, id, state, charged, {same}) "  # noqa: S608
                f"SELECT {number}, 'job{number}', '{state}', {charged}, {same} FROM jobs WHERE number = 1"
            )
        database.execute("UPDATE jobs SET tool = 'studio', variant = 'mode=image'")
        database.commit()
    await migrate(url)
    async with Storage.open(url) as storage, storage.read() as transaction:
        assert await transaction.prices.last("lane", "studio", "mode=image") == (12, 6)
        assert await transaction.prices.last("another", "studio", "mode=image") == (None, 6)
        waiting = await transaction.jobs.get(name_of(1))
        assert waiting is not None
        assert waiting.price_learned is False  # looked up again before it is sent


# Long: it writes sentences into every place that has held one.
async def test_sentences_of_earlier_versions_become_reasons_and_others_stay(url: str) -> None:
    await migrate(url, "0023")
    no_key = "This server has no Studii key at the moment. An admin can set one with `/studii key`; this job "
    no_key += "then goes on by itself."
    short = "Studii has no credits left for this: “None.” Either the Studii account is out of credits, and "
    short += "an admin can add some at studii.tech; or the spend cap of its key is reached, and an admin can "
    short += "raise it at studii.tech/app/settings/api-keys."
    lost, odd = "Studii's answer to its submission got lost.", "As nobody words it any more."
    engine = migration_engine(url)
    async with engine.begin() as connection:
        later = await connection.run_sync(later_columns)
        for name, kind in later.items():  # the jobs below are written as they are today
            await connection.execute(text(f"ALTER TABLE jobs ADD COLUMN {name} {kind}"))
    async with Storage.open(url) as storage:
        jobs = [await accepted(storage) for _ in range(2)]
        async with storage.write() as transaction:
            key = await transaction.keys.add(1, "lane", "cdef", Plan.PRO, b"sealed", NOW)
            kind = NoticeKind.UNKNOWN
            for name, said in (("known", lost), ("odd", odd)):
                await transaction.notices.add(1, kind, name, at=NOW, details={"reason": said, "masked": "x"})
    async with engine.begin() as connection:
        for name in later:
            await connection.execute(text(f"ALTER TABLE jobs DROP COLUMN {name}"))
        rewrite = text("UPDATE jobs SET held = :held, failure_text = :failed WHERE id = :id")
        for job, held, failed in ((jobs[0], no_key, short), (jobs[1], odd, None)):
            await connection.execute(rewrite, {"id": job.id, "held": held, "failed": failed})
        there = {"guild_id": 1, "key_id": key.id, "reason": Reason.text(""), "until": NOW}
        await connection.execute(insert(holds).values(there))
        await connection.execute(text("UPDATE holds SET reason = :reason"), {"reason": short})
    await engine.dispose()

    await migrate(url)

    out_of_credits = Reason(ReasonCode.OUT_OF_CREDITS, {"detail": "None."})
    async with Storage.open(url) as storage, storage.read() as transaction:
        known, other = [await transaction.jobs.get(job.id) for job in jobs]
        hold = await transaction.holds.get(1)
        notices = await transaction.notices.pending(5)
    assert known is not None and other is not None and hold is not None  # noqa: PT018
    assert (known.held, known.failure_text) == (Reason(ReasonCode.NO_KEY), out_of_credits)
    assert (other.held, other.failure_text) == (Reason.text(odd), None)
    assert hold.reason == out_of_credits
    told = {notice.key: notice.details for notice in notices}
    assert told["known"] == {"reason": Reason(ReasonCode.ANSWER_LOST).encode(), "masked": "x"}
    assert told["odd"] == {"reason": odd, "masked": "x"}


async def test_a_new_database_is_made_with_its_folder_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "deeper" / "studii.db"
    url = f"sqlite+aiosqlite:///{file}"
    await migrate(url)
    async with Storage.open(url) as storage:
        await accepted(storage)
        files = list(file.parent.iterdir())
        assert {one.name for one in files} == {"studii.db", "studii.db-wal", "studii.db-shm"}
        assert {mode(one) for one in files} == {0o600}


async def test_a_database_that_others_could_read_is_closed_to_them(file: Path, url: str) -> None:
    await migrate(url)
    set_mode(file, 0o644)
    async with Storage.open(url):
        assert mode(file) == 0o600


async def test_an_upgrade_keeps_a_copy_of_what_was_and_a_start_without_one_does_not(
    file: Path, url: str, scripts: Path
) -> None:
    await migrate(url)
    async with Storage.open(url) as storage:
        await accepted(storage)
        # Its rows are still in the write-ahead log, which a copy of the file alone would miss.
        await migrate(url)
        assert list(file.parent.glob("*.bak")) == []
        add_revision(scripts, "9001", REVISIONS[-1], 'op.execute("DELETE FROM ledger")')
        await migrate(url)
    (copy,) = file.parent.glob("*.bak")
    assert copy.name == "studii.db.before-9001.bak"
    assert mode(copy) == 0o600
    assert (counts(copy)["ledger"], counts(file)["ledger"]) == (1, 0)


async def test_the_last_three_copies_are_kept(file: Path, url: str, scripts: Path) -> None:
    await migrate(url)
    before = REVISIONS[-1]
    for revision in ("9001", "9002", "9003", "9004", "9005"):
        add_revision(scripts, revision, before, "pass")
        await migrate(url)
        before = revision
    assert sorted(copy.name for copy in file.parent.glob("studii.db.*")) == [
        "studii.db.before-9003.bak",
        "studii.db.before-9004.bak",
        "studii.db.before-9005.bak",
    ]


async def test_an_upgrade_that_fails_half_way_changes_nothing(file: Path, url: str, scripts: Path) -> None:
    await migrate(url)
    async with Storage.open(url) as storage:
        await accepted(storage)
    add_revision(scripts, "9001", REVISIONS[-1], 'op.add_column("jobs", sa.Column("extra", sa.Text()))')
    add_revision(scripts, "9002", "9001", 'op.execute("DELETE FROM ledger"); raise RuntimeError("broken")')
    with pytest.raises(RuntimeError, match="broken"):
        await migrate(url)
    with read(file) as database:
        assert "extra" not in {column[1] for column in database.execute("PRAGMA table_info(jobs)")}
    assert counts(file)["ledger"] == 1
    (scripts / "9002.py").unlink()
    await migrate(url)
    assert counts(file)["ledger"] == 1


async def test_a_table_made_anew_keeps_the_rows_that_refer_to_it(url: str, file: Path, scripts: Path) -> None:
    await migrate(url)
    async with Storage.open(url) as storage:
        await accepted(storage)
    rebuild = 'batch.alter_column("tool", existing_type=sa.Text(), type_=sa.String(80))'
    add_revision(
        scripts,
        "9001",
        REVISIONS[-1],
        f'with op.batch_alter_table("jobs", recreate="always") as batch:\n        {rebuild}',
    )
    await migrate(url)
    assert (counts(file)["jobs"], counts(file)["ledger"]) == (1, 1)


async def test_an_upgrade_that_would_tear_references_is_undone(url: str, file: Path, scripts: Path) -> None:
    await migrate(url)
    async with Storage.open(url) as storage:
        await accepted(storage)
    add_revision(scripts, "9001", REVISIONS[-1], 'op.execute("DELETE FROM jobs")')
    with pytest.raises(SettingsError, match="was undone"):
        await migrate(url)
    assert counts(file)["jobs"] == 1


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    url: str, file: Path, scripts: Path
) -> None:
    add_revision(scripts, "9001", REVISIONS[-1], "pass")
    await migrate(url)
    before = content(file)
    (scripts / "9001.py").unlink()
    with pytest.raises(SettingsError, match=r"made by a newer version of the bot \(schema 9001"):
        await migrate(url)
    assert content(file) == before


async def test_a_file_of_another_program_is_refused_and_left_alone(url: str, file: Path) -> None:
    with read(file) as database:
        database.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(SettingsError, match=r"belongs to another program\. Set DATABASE_URL"):
        await migrate(url)
    assert counts(file) == {"bookmarks": 0}


async def test_a_file_that_is_no_database_is_refused_and_left_alone(url: str, file: Path) -> None:
    diary = b"Dear diary, " * 500
    set_content(file, diary)
    with pytest.raises(SettingsError, match=r"isn't an SQLite database.*Set DATABASE_URL"):
        await migrate(url)
    assert content(file) == diary


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file", "utf-8")
    with pytest.raises(SettingsError, match=r"occupied/studii\.db can't be opened for writing"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/occupied/studii.db")


async def join(url: str) -> None:
    async def one() -> int:
        return 1

    async with membership(url, "a process", WantedShards(one)):
        pytest.fail("joined")


@pytest.mark.parametrize("first_contact", [migrate, join])
async def test_a_server_that_does_not_answer_is_named_without_its_password(
    first_contact: Callable[[str], Awaitable[None]],
) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:1/studii can't be used.*DATABASE_URL") as caught:
        await first_contact("postgresql+asyncpg://bot:s3cret@127.0.0.1:1/studii")
    assert "s3cret" not in str(caught.value)
