"""From SQLite to PostgreSQL: everything is there, or nothing was changed."""

import io
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot import meta, posts
from bot.catalog import Catalog
from bot.cli.maintenance import move, with_password
from bot.clock import SystemClock
from bot.config import StorageSettings
from bot.credits import ledger
from bot.db import Database
from bot.domain.guilds import Plan
from bot.errors import SettingsError
from bot.features import styles
from bot.jobs import queries
from bot.rows import metadata
from bot.servers import keys, settings as server_settings
from bot.servers.notices import NoticeKind
from bot.sqlite_file import instance_lock
from tests.support.database import database
from tests.support.jobs import accepted
from tests.support.postgresql import new_database

STUDIO = Catalog.load().get("studio")


async def filled(folder: Path) -> str:
    """Return the address of a file with rows."""
    url = await database(folder)
    async with Database.open(url) as db:
        now = SystemClock().now()
        job, *_ = [await accepted(db) for _ in range(3)]
        key = await db.write(keys.add, 1, "lane", "abcd", Plan.PRO, b"sealed", now)
        await db.write(server_settings.set_key, 1, key.id)
        await db.write(posts.want, 1, NoticeKind.UNKNOWN, job.id, at=now, job_id=job.id)
        await db.write(meta.set_to, "name", b"value")
        await db.write(
            styles.save, 1, 7, "Oak", STUDIO, {"prompt": "x"}, now, for_server=False, job_id=job.id
        )
        await db.write(styles.set_defaults, 1, 7, STUDIO, {"quality": "high"})
    return url


async def counts(url: str) -> dict[str, int]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
        }
    await engine.dispose()
    return found


@pytest.mark.promise
async def test_everything_is_copied_and_new_rows_get_new_numbers(tmp_path: Path, postgresql: str) -> None:
    source, target = await filled(tmp_path), await new_database(postgresql)
    settings = StorageSettings.read(database_url=source)
    told = await move(settings, target)
    assert "3 jobs" in told
    assert f"Move {settings.key_file} and {settings.spool_folder} to " in told
    before, after = await counts(source), await counts(target)
    assert after | {"shards": 0} == before
    async with Database.open(target) as db:
        new = await accepted(db)
        assert await db.read(ledger.differing) == []
        assert await db.read(queries.get, new.id) is not None
        assert await db.read(styles.default_inputs, 1, 7, STUDIO) == {"quality": "high"}
        (style,) = await db.read(styles.usable, 1, 7, frozenset[int]())
        assert (style.name, style.inputs) == ("Oak", {"prompt": "x"})


@pytest.mark.promise
async def test_a_database_with_rows_is_refused(tmp_path: Path, postgresql: str) -> None:
    source, target = await filled(tmp_path), await new_database(postgresql)
    await move(StorageSettings.read(database_url=source), target)
    with pytest.raises(SettingsError, match=r"isn't empty.*Nothing was changed"):
        await move(StorageSettings.read(database_url=source), target)
    assert (await counts(target))["jobs"] == 3


@pytest.mark.promise
async def test_a_bot_that_runs_is_to_be_stopped_first(tmp_path: Path, postgresql: str) -> None:
    source, target = await filled(tmp_path), await new_database(postgresql)
    async with instance_lock(source):
        with pytest.raises(SettingsError, match="Stop it first"):
            await move(StorageSettings.read(database_url=source), target)


@pytest.mark.promise
def test_a_password_that_nothing_else_has_is_typed_and_on_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)

    def typing(_asked: str) -> str:
        return "p@ss/word"

    monkeypatch.setattr("bot.cli.maintenance.getpass", typing)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    without = "postgresql://bot@host/name?sslmode=require"
    typed = [
        StorageSettings.read(database_url=with_password(address)).database
        for address in (without, "postgresql://bot:given@host/name")
    ]
    assert [url.password for url in typed] == ["p@ss/word", "given"]
    assert typed[0] == StorageSettings.read(database_url=without).database.set(password="p@ss/word")
    (tmp_path / "pgpass").touch()
    assert with_password(without) == without
    monkeypatch.delenv("PGPASSFILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSWORD", "secret")
    assert with_password(without) == without


async def test_only_a_postgresql_is_a_place_to_move_to(tmp_path: Path) -> None:
    source = await filled(tmp_path)
    for address in (f"sqlite:///{tmp_path}/other.db", "mysql://user:secret@host/name"):
        with pytest.raises(SettingsError, match="Name a PostgreSQL"):
            await move(StorageSettings.read(database_url=source), address)
    with pytest.raises(SettingsError, match="names a PostgreSQL already"):
        await move(StorageSettings.read(database_url="postgresql://a@b/c"), "postgresql://a@b/d")
