"""A copy of the database that runs, and what is taken back or refused."""

import asyncio
import errno
import os
import signal
import sqlite3
import stat
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from bot import meta
from bot.cli.maintenance import restore
from bot.config import StorageSettings
from bot.db import Database
from bot.errors import SettingsError
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
from tests.support.patience import PATIENCE
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
    assert "Name a place that the bot's user can write to" in errors


async def test_a_database_of_another_program_is_not_backed_up(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        connection.execute("CREATE TABLE bookmarks (name TEXT)")
    status, told, errors = await ran(tmp_path, "backup", "copy.db")
    assert (status, told) == (2, "")
    assert "belongs to another program" in errors
    assert not (tmp_path / "copy.db").exists()


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
async def test_a_restore_keeps_what_only_the_log_of_a_killed_bot_has(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    file = database(tmp_path)
    with closing(sqlite3.connect(file)) as running:
        running.execute("PRAGMA journal_mode=WAL")
        running.execute("INSERT INTO meta (name, value) VALUES ('written', 'last')")
        running.commit()
        parts = (file, file.with_name(f"{file.name}-wal"))
        killed = {part: part.read_bytes() for part in parts}
    for part, content in killed.items():
        part.write_bytes(content)
    assert (await ran(tmp_path, "restore", "copy.db"))[0] == 0
    for name, expected in (("studii.db.replaced-1", [("last",)]), ("studii.db", [])):
        with closing(sqlite3.connect(tmp_path / "data" / name)) as connection:
            assert connection.execute("SELECT value FROM meta WHERE name = 'written'").fetchall() == expected


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
