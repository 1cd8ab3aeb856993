"""Copies of the database that come back, also through pipes, and the move to PostgreSQL."""

import asyncio
import errno
import io
import os
import signal
import sqlite3
import stat
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot import meta, posts
from bot.__main__ import INTERRUPTED_STATUS
from bot.catalog import Catalog
from bot.cli.maintenance import move, restore, restored, with_password
from bot.clock import SystemClock
from bot.config import StorageSettings
from bot.credits import ledger
from bot.db import Database
from bot.errors import SettingsError
from bot.features import styles
from bot.jobs import answers, queries
from bot.jobs.models import JobState
from bot.rows import metadata
from bot.servers import keys, settings as server_settings
from bot.servers.keys import Plan
from bot.servers.notices import NoticeKind
from bot.sqlite_file import instance_lock
from sandbox.discord.emulator import DiscordServer
from tests.cli.commands import (
    NOWHERE,
    SECRET,
    database,
    full_disk,
    keep_key,
    kept_key,
    looked_after,
    names_in,
    ran,
)
from tests.support.database import database as sqlite_database
from tests.support.jobs import accepted
from tests.support.patience import PATIENCE, until
from tests.support.postgresql import new_database, new_migrated_database
from tests.support.posts import open_posts
from tests.support.process import bot_process


@pytest.mark.promise
async def test_a_backup_is_whole_while_the_bot_writes_and_is_for_the_owner_alone(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    url = f"sqlite+aiosqlite:///{database(tmp_path)}"
    async with Database.open(url) as db:  # as the running bot has it: what is new stands in the log
        await db.write(meta.set_to, "written", b"last")
        status, told, errors = await ran(tmp_path, "backup", "copy.db")
    assert status == 0, errors
    copy = tmp_path / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(tmp_path / "data" / "encryption.key") in told
    assert told.endswith("stop the bot and run: python -m bot restore copy.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'written'").fetchone() == (b"last",)
    assert SECRET.encode() not in copy.read_bytes()


@pytest.mark.promise
async def test_a_backup_replaces_no_file(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "copy.db").write_text("dear")
    status, _, errors = await ran(tmp_path, "backup", "copy.db")
    assert status == 2
    assert "already exists" in errors
    (tmp_path / "other.db.part").write_text("dear")
    status, _, errors = await ran(tmp_path, "backup", "other.db")
    assert status == 0, errors
    assert [(tmp_path / name).read_text() for name in ("copy.db", "other.db.part")] == ["dear"] * 2
    assert names_in(tmp_path) == {"copy.db", "data", "other.db", "other.db.part"}


async def test_a_backup_that_can_not_be_written_says_where_it_can(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    too_long = "x" * 250  # for anything to be added
    status, _, errors = await ran(tmp_path, "backup", too_long)
    assert status == 2
    assert "Name a place with room that the bot's user can write to" in errors


@pytest.mark.promise
@pytest.mark.parametrize("given", ["copy.db", "-"])
async def test_a_file_of_another_program_is_not_replaced_by_a_backup(tmp_path: Path, given: str) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    folder = tmp_path / "theirs"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "places.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (name TEXT)")
    (folder / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    for name in ("places.sqlite", "passwd"):
        (folder / name).chmod(0o644)
        before = {one.name: (one.read_bytes(), one.stat().st_mode) for one in folder.iterdir()}
        address = f"sqlite+aiosqlite:///{folder / name}"
        status, told, errors = await ran(tmp_path, "restore", given, DATABASE_URL=address)
        assert (status, told) == (2, "")
        assert errors.count(str(folder / name)) == 1
        assert "DATABASE_URL" in errors
        after = {one.name: (one.read_bytes(), one.stat().st_mode) for one in folder.iterdir()}
        assert after == before


@pytest.mark.promise
async def test_a_backup_is_taken_back_and_what_was_there_is_kept(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    await keep_key(tmp_path, "stu_another_key_since")
    status, told, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 0, errors
    assert "studii.db.replaced-1" in told
    assert await kept_key(tmp_path) == SECRET
    assert (tmp_path / "data" / "studii.db.replaced-1").exists()


@pytest.mark.promise
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("fails", ["copy", "swap"])
async def test_a_restore_that_finds_the_disk_full_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, links: bool
) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    await keep_key(tmp_path, "stu_another_key_since")
    (tmp_path / "data" / "studii.db.lock").touch()
    before = names_in(tmp_path / "data")
    settings = StorageSettings.read(database_url=f"sqlite:///{database(tmp_path)}")

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        if not links:
            patched.setattr(Path, "hardlink_to", refused)
        if fails == "swap":
            patched.setattr(os, "fsync", refused)
        with (
            full_disk(database(tmp_path).stat().st_size // 2) if fails == "copy" else nullcontext(),
            pytest.raises(SettingsError, match=r"couldn't be put in place .*studii\.db is as it was"),
        ):
            await asyncio.to_thread(restore, settings, tmp_path / "copy.db")
    assert names_in(tmp_path / "data") == before
    assert await kept_key(tmp_path) == "stu_another_key_since"
    assert "studii.db.replaced-1" in await asyncio.to_thread(restore, settings, tmp_path / "copy.db")
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
@pytest.mark.parametrize("damaged", [False, True])
async def test_a_restore_keeps_what_only_the_log_of_a_killed_bot_has(tmp_path: Path, damaged: bool) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    file = database(tmp_path)
    with closing(sqlite3.connect(file)) as running:
        running.execute("PRAGMA journal_mode=WAL")
        running.execute("INSERT INTO meta (name, value) VALUES ('written', 'last')")
        running.commit()
        killed = {part: part.read_bytes() for part in (file, file.with_name("studii.db-wal"))}
    for part, content in killed.items():
        part.write_bytes(b"what is left of it" * 1000 if damaged and part == file else content)
    assert (await ran(tmp_path, "restore", "copy.db"))[0] == 0
    # A damaged database can't take its log in, and the backup must not.
    assert ("studii.db.replaced-1-wal" in names_in(tmp_path / "data")) is damaged
    for name in ("studii.db",) if damaged else ("studii.db", "studii.db.replaced-1"):
        with closing(sqlite3.connect(tmp_path / "data" / name)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE name = 'written'").fetchall()
        assert found == ([] if name == "studii.db" else [("last",)])


@pytest.mark.promise
async def test_what_is_no_backup_is_not_taken_back(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "copy.db").write_text("no database, whatever its name says")
    status, _, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 2
    assert "isn't a sound backup" in errors
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
async def test_the_bot_starts_on_a_backup_that_was_taken_back_in_place_of_a_damaged_database(
    tmp_path: Path,
) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    (tmp_path / "data" / "studii.db.lock").touch()  # as the bot leaves it
    damaged = b"what is left of it" * 1000
    (tmp_path / "data" / "studii.db").write_bytes(damaged)
    status, _, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 0, errors
    assert (tmp_path / "data" / "studii.db.replaced-1").read_bytes() == damaged
    async with (
        DiscordServer(guilds=[100]) as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL=NOWHERE) as process,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        await looked_after(process)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, errors
        # Its key can be read: nobody is asked for it again.
        assert not [one for one in discord.posted if "enter the Studii key again" in str(one)]
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
async def test_a_backup_goes_out_and_comes_back_through_pipes(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    theirs = [tmp_path / "data" / f"studii.db.{word}" for word in ("leaving", "coming", "part")]
    for file in theirs:
        file.write_text("dear")
    async with DiscordServer() as discord, bot_process(discord, tmp_path, "backup", "-") as process:
        copy, words = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, words
    assert copy.startswith(b"SQLite format 3\x00")
    assert str(tmp_path / "data" / "encryption.key") in words.decode()
    assert "docker compose run --rm -T studii restore - < FILE" in words.decode()
    assert SECRET.encode() not in copy
    await keep_key(tmp_path, "stu_another_key_since")
    status, told = await taken_back(tmp_path, copy)
    assert status == 0, told
    assert "studii.db.replaced-1" in told
    assert await kept_key(tmp_path) == SECRET
    assert [file.read_text() for file in theirs] == ["dear"] * 3
    names = {"studii.db", "studii.db.lock", "studii.db.replaced-1", "encryption.key"}
    assert names_in(tmp_path / "data") - {file.name for file in theirs} == names


@pytest.mark.promise
async def test_what_comes_in_and_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    for nonsense in (b"", b"Dear diary. " * 500):
        status, told = await taken_back(tmp_path, nonsense)
        assert status == 2
        assert "backup" in told
        assert "Nothing was changed" in told
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.promise
async def test_nothing_is_left_on_a_new_machine_by_what_is_no_backup(tmp_path: Path) -> None:
    status, told = await taken_back(tmp_path, b"Dear diary. " * 500)
    assert (status, "Nothing was changed" in told) == (2, True)
    assert names_in(tmp_path) == set()


@pytest.mark.promise
@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("command", "part"), [("restore", ".coming"), ("backup", ".leaving")])
async def test_a_pipe_whose_other_end_does_nothing_keeps_nobody_waiting(
    tmp_path: Path, command: str, part: str, number: int
) -> None:
    await keep_key(tmp_path)
    data = tmp_path / "data"
    async with DiscordServer() as discord, bot_process(discord, tmp_path, command, "-") as process:
        await until(lambda: any(name.endswith(part) for name in names_in(data)), f"the file {part}")
        process.send_signal(number)
        told = await asyncio.wait_for(process.stderr.read(), PATIENCE)  # the pipe stays as it is
        await process.communicate()
    assert (process.returncode, told) == (INTERRUPTED_STATUS, b"Interrupted.\n")
    assert not [name for name in names_in(data) if name.endswith((part, ".part"))]
    assert await kept_key(tmp_path) == SECRET


async def taken_back(folder: Path, content: bytes) -> tuple[int | None, str]:
    """What `restore -` does with that on its standard input."""
    async with (
        DiscordServer() as discord,
        bot_process(discord, folder, "restore", "-") as process,
    ):
        out, errors = await asyncio.wait_for(process.communicate(content), PATIENCE)
        return process.returncode, (out + errors).decode()


@pytest.mark.promise
async def test_jobs_that_waited_in_the_backup_are_settled_by_admins(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    settings = StorageSettings.read(database_url=url)
    async with Database.open(url) as db:
        jobs = [await accepted(db) for _ in range(2)]
    told = await restored(settings)
    assert told.startswith("2 jobs waited in the backup")
    async with Database.open(url) as db:
        assert {job.id for job in await db.read(queries.in_states, [JobState.UNKNOWN])} == {
            job.id for job in jobs
        }
        assert len(await db.read(open_posts)) == 2
    assert (await restored(settings)).startswith("0 jobs waited")


@pytest.mark.promise
async def test_on_sqlite_restore_does_everything(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`restore FILE` does everything"):
        await restored(StorageSettings.read(database_url=await sqlite_database(tmp_path)))


STUDIO = Catalog.load().get("studio")


async def filled(folder: Path) -> str:
    """Return the address of a file with rows."""
    url = await sqlite_database(folder)
    async with Database.open(url) as db:
        now = SystemClock().now()
        job, *_ = [await accepted(db) for _ in range(3)]
        key = await db.write(keys.add, 1, "lane", "abcd", Plan.PRO, b"sealed", now)
        await db.write(server_settings.change, 1, key_id=key.id)
        await db.write(posts.want, 1, NoticeKind.UNKNOWN, job.id, at=now, job_id=job.id)
        await db.write(meta.set_to, "name", b"value")
        answer: dict[str, Any] = {"sealed": b"", "life": 1, "created_at": now, "due_at": now}
        await db.write(answers.keep, 5, guild_id=1, user_id=7, **answer)
        await db.write(styles.save, 1, 7, "Oak", STUDIO, {"prompt": "x"}, for_server=False, job_id=job.id)
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
