"""An upgrade keeps a copy, changes all or nothing, and lets only its owner read."""

import stat
from pathlib import Path

import pytest

from bot.db import Database
from bot.errors import SettingsError
from bot.migrate import migrate
from tests.database.later import add_revision
from tests.database.rows import REVISIONS, counts, read
from tests.support.jobs import accepted


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def set_mode(file: Path, mode: int) -> None:
    file.chmod(mode)


async def test_a_new_database_is_made_with_its_folder_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "deeper" / "studii.db"
    url = f"sqlite+aiosqlite:///{file}"
    await migrate(url)
    async with Database.open(url) as db:
        await accepted(db)
        files = list(file.parent.iterdir())
        assert {one.name for one in files} == {"studii.db", "studii.db-wal", "studii.db-shm"}
        assert {mode(one) for one in files} == {0o600}


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
