"""The tables, and the way to them from each earlier version."""

import stat
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event

from bot import posts
from bot.catalog import Catalog
from bot.connections import used_once
from bot.credits import ledger, limits, prices
from bot.credits.ledger import Window
from bot.db import Database
from bot.errors import SettingsError
from bot.jobs import answers, lanes as lane_rows, queries, results, transitions
from bot.jobs.models import TERMINAL_STATES, JobState
from bot.migrate import migrate
from bot.rows import metadata
from bot.servers import keys
from tests.database.later import add_revision
from tests.database.rows import REVISIONS, counts, name_of, read, seed
from tests.support.database import given
from tests.support.jobs import NOW, TODAY, a_job, accepted


async def test_the_migrations_make_the_tables_that_the_code_works_with(url: str) -> None:
    def differences(connection: Connection) -> Any:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, metadata)

    await migrate(url)
    async with used_once(url) as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.usefixtures("tables")
async def test_indexes_and_checks_are_the_same_too(file: Path, url: str, tmp_path: Path) -> None:
    made = tmp_path / "made.db"
    engine = create_engine(f"sqlite:///{made}")
    metadata.create_all(engine)
    engine.dispose()

    def rules(database: Path) -> set[str]:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
        with read(database) as opened:
            lines = [line.strip(" \t,") for (sql,) in opened.execute(query) for line in sql.splitlines()]
        return {line.replace('"', "") for line in lines if "INDEX" in line or "CONSTRAINT" in line}

    assert rules(file) == rules(made)
    assert any("CHECK" in rule for rule in rules(file))


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def set_mode(file: Path, mode: int) -> None:
    file.chmod(mode)


@pytest.mark.promise
@pytest.mark.usefixtures("tables")
async def test_a_database_that_others_could_read_is_closed_to_them(file: Path, url: str) -> None:
    set_mode(file, 0o644)
    async with Database.open(url):
        assert mode(file) == 0o600


@pytest.mark.promise
@pytest.mark.usefixtures("tables")
async def test_an_upgrade_keeps_a_copy_of_what_was_and_a_start_without_one_does_not(
    file: Path, url: str, scripts: Path
) -> None:
    async with Database.open(url) as db:
        await accepted(db)
        # Its rows are still in the write-ahead log, which a copy of the file alone would miss.
        await migrate(url)
        assert list(file.parent.glob("*.bak")) == []
        add_revision(scripts, "9001", REVISIONS[-1], 'op.execute("DELETE FROM ledger")')
        await migrate(url)
    (copy,) = file.parent.glob("*.bak")
    assert copy.name == "studii.db.before-9001.bak"
    assert mode(copy) == 0o600
    assert (counts(copy)["ledger"], counts(file)["ledger"]) == (1, 0)


@pytest.mark.promise
@pytest.mark.usefixtures("tables")
async def test_the_last_three_copies_are_kept(file: Path, url: str, scripts: Path) -> None:
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


@pytest.mark.promise
@pytest.mark.usefixtures("tables")
async def test_an_upgrade_that_fails_half_way_changes_nothing(file: Path, url: str, scripts: Path) -> None:
    async with Database.open(url) as db:
        await accepted(db)
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


@pytest.mark.usefixtures("tables")
async def test_a_table_made_anew_keeps_the_rows_that_refer_to_it(url: str, file: Path, scripts: Path) -> None:
    async with Database.open(url) as db:
        await accepted(db)
    rebuild = 'batch.alter_column("tool", existing_type=sa.Text(), type_=sa.String(80))'
    add_revision(
        scripts,
        "9001",
        REVISIONS[-1],
        f'with op.batch_alter_table("jobs", recreate="always") as batch:\n        {rebuild}',
    )
    await migrate(url)
    assert (counts(file)["jobs"], counts(file)["ledger"]) == (1, 1)


@pytest.mark.usefixtures("tables")
async def test_an_upgrade_that_would_tear_references_is_undone(url: str, file: Path, scripts: Path) -> None:
    async with Database.open(url) as db:
        await accepted(db)
    add_revision(scripts, "9001", REVISIONS[-1], 'op.execute("DELETE FROM jobs")')
    with pytest.raises(SettingsError, match="was undone"):
        await migrate(url)
    assert counts(file)["jobs"] == 1


# Their rows said when a member was told something last, or what 429s had shown; of use for an hour.
DROPPED = frozenset({"credits_told", "refusals_told", "lane_limits"})
# Tables whose rows are in another one now.
MOVED = {"posts": ("notices", "offers", "best_results"), "lane_windows": ("lane_requests",)}
ASKED_ANEW = "0058"  # it ends the questions that are open, for some minutes each
ASKED = "0055"  # since then, each question under a photo has a row of posts, too


@pytest.mark.promise
async def test_a_database_with_rows_of_any_earlier_version_keeps_them(file: Path, url: str) -> None:
    """After each upgrade more rows are written: those of a version go through all upgrades that follow."""
    written, asked = Counter[str](), 0
    for number, revision in enumerate(REVISIONS, 1):
        await migrate(url, revision)
        seed(file, number)
        there = counts(file)
        written.update(there.keys())
        if revision == ASKED_ANEW:
            written["confirmations"] = 1
        gone = {one: [old for old in MOVED.get(one, ()) if old not in there] for one in there}
        wanted = {one: sum(written[old] for old in (one, *gone[one])) for one in there}
        if revision >= ASKED:
            wanted["posts"] += asked
        else:
            asked = wanted.get("confirmations", 0)
        assert all(there[table] == rows for table, rows in wanted.items() if table not in DROPPED), revision
    with read(file) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    async with Database.open(url) as db:
        for number in range(1, len(REVISIONS) + 1):
            assert await db.read(queries.get, name_of(number)) is not None
            assert await db.read(keys.current, number) is not None


OPEN = set(JobState) - TERMINAL_STATES

OFTEN: dict[str, Callable[[Database], Awaitable[Any]]] = {
    "a job": lambda db: db.write(queries.get, "0" * 16),
    "open jobs": lambda db: db.write(queries.in_states, OPEN),
    "photos to take in": lambda db: db.write(queries.to_take_in, NOW, 20),
    "outputs to download": lambda db: db.write(queries.to_download, NOW, 20),
    "the tries of a file": lambda db: db.write(transitions.decode_tries, "0" * 16),
    "answers to edit": lambda db: db.write(answers.due, NOW, {"0": False, "1": True}, [2], 20),
    "the answer of a job": lambda db: db.write(answers.of, "0" * 16, 1, NOW),
    "a line in the channel": lambda db: db.write(given(results.was_told_there, a_job(), NOW)),
    "jobs from a message": lambda db: db.write(
        given(results.follow_hourglass, a_job(origin_message_id=5), NOW)
    ),
    "jobs of a photo": lambda db: db.write(queries.from_photo, 1, 5),
    "a job that is done once": lambda db: db.write(queries.going_or_done_of, ["1:2:studio:0"]),
    "a member's jobs": lambda db: db.write(queries.page, 1, 3, 0, 5),
    "a server's usage": lambda db: db.write(ledger.used, [1], TODAY),
    "what a command asks of its budget": lambda db: db.write(ledger.used, [1, 2], TODAY, [3]),
    "what was granted": lambda db: db.write(ledger.grants, [1, 2], "2027-03-12"),
    "a server's usage since then": lambda db: db.write(ledger.used, [1], Window(NOW, None)),
    "a server's usage ever": lambda db: db.write(ledger.used, [1], Window(None, None)),
    "members' limits": lambda db: db.write(limits.of_server, 1),
    "a lane's requests": lambda db: db.write(lane_rows.windows, ["lane"]),
    "when a post is due": lambda db: db.write(posts.next_due, NOW),
    "a price": lambda db: db.write(prices.learn, "lane", "studio", "mode=image", 8, NOW),
    "keys' prices": lambda db: db.write(prices.charges_of, ["lane"]),
    "what a price concerns": lambda db: db.write(
        given(prices.told_at_end, Catalog.load(), "lane", a_job(reserved=8), 8, NOW, completed=True)
    ),
    "what a server has not sent": lambda db: db.write(prices.reprice_server, Catalog.load(), "lane", 1, NOW),
    "a server's key": lambda db: db.write(keys.current, 1),
}


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("what", OFTEN)
async def test_no_table_is_read_through_for(what: str, db: Database, url: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await OFTEN[what](db)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert asked
    for statement, values in asked:
        await ensure_indexed(url, statement, values, what)


async def ensure_indexed(url: str, statement: str, values: Any, what: str) -> None:
    """Fail if the statement reads through a table."""
    async with used_once(url) as connection:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        plan = await connection.run_sync(lambda sync: sync.exec_driver_sql(explain, tuple(values)))
        steps = [str(step) for step in plan.scalars("detail")]
    # It holds the rows that are looked for and no others.
    held = "USING INDEX ix_posts_due_at"
    # A subquery's rows were found before they are read.
    found = ("SCAN (subquery", "SCAN turns", "SCAN by_member", "SCAN CONSTANT ROW")
    scans = [step for step in steps if step.startswith("SCAN") and not step.startswith(found)]
    scans += [step for step in steps if step.startswith("SEARCH") and "USING" not in step]
    assert [step for step in scans if not step.endswith(held)] == []
    if what == "jobs of a photo":  # and not all of its server
        assert [step for step in steps if step.startswith("SEARCH jobs ") and "guild_id" in step] == []
    if "usage" in what:
        assert any("COVERING INDEX ix_jobs_usage" in step for step in steps)
