"""A DATABASE_URL that names a file of another program leaves that file, and its folder, as they were."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.migrate import migrate
from bot.sqlite_file import ensure_sound, instance_lock
from tests.support.database import database


def text_file(path: Path) -> None:
    path.write_text("root:x:0:0:root:/root:/bin/bash\n" * 100)


def short_file(path: Path) -> None:
    path.write_text("a host\n")


def table_of_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
        other.commit()


def table_in_a_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE bookmarks (url TEXT)")
        other.commit()


def another_alembic(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.execute("INSERT INTO alembic_version VALUES ('ae1027a6acf')")
        other.commit()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {one.name: one.stat() for one in folder.iterdir()}
    return {name: (one.st_mode, one.st_size, one.st_mtime_ns) for name, one in found.items()}


NO_DATABASE = r"isn't an? (SQLite )?database\b.*DATABASE_URL"
ANOTHERS, NO_FILE = r"belongs to another program\. Set DATABASE_URL", r"isn't a file\. Set DATABASE_URL"
MAKERS = [
    (text_file, NO_DATABASE),
    (short_file, NO_DATABASE),
    (table_of_another, ANOTHERS),
    (table_in_a_log, ANOTHERS),
    (another_alembic, ANOTHERS),
    (pipe, NO_FILE),
    (Path.mkdir, NO_FILE),
]


@pytest.mark.promise
@pytest.mark.parametrize(("make", "reason"), MAKERS)
@pytest.mark.parametrize("first", ["lock", "replace", "migrate"])
async def test_nothing_is_touched_that_is_not_ours(
    tmp_path: Path, make: Callable[[Path], object], reason: str, first: str
) -> None:
    path = tmp_path / "theirs"
    make(path)
    if path.is_file():
        path.chmod(0o644)
    before = state(tmp_path)
    url = f"sqlite+aiosqlite:///{path}"
    lock = instance_lock(url, patience=0, replaced=first == "replace")
    begin = migrate(url) if first == "migrate" else lock.__aenter__()
    with pytest.raises(SettingsError, match=f"theirs.*{reason}"):
        await begin
    assert state(tmp_path) == before


async def test_a_lock_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "studii.db.lock"
    theirs.write_text("4711\n")
    theirs.chmod(0o644)
    before = state(tmp_path)
    with pytest.raises(SettingsError, match=r"studii\.db\.lock belongs to another program"):
        await instance_lock(f"sqlite+aiosqlite:///{tmp_path}/studii.db", patience=0).__aenter__()
    assert state(tmp_path) == before


@pytest.mark.parametrize("beside", [".lock", "-wal"])
async def test_a_damaged_database_of_ours_can_be_replaced(tmp_path: Path, beside: str) -> None:
    url = await database(tmp_path)
    file = tmp_path / "studii.db"
    sound = file.read_bytes()
    inside = sound[:100] + b"\xa5" * 4000 + sound[4100:]
    without_its_beginning = b"\0" * 4096 + sound[4096:]
    for damaged in (inside, without_its_beginning):
        file.write_bytes(damaged)
        (tmp_path / f"studii.db{beside}").touch()
        with pytest.raises(SettingsError, match="restore"):
            await instance_lock(url, patience=0).__aenter__()
        async with instance_lock(url, patience=0, replaced=True):
            pass


@pytest.mark.promise
async def test_a_file_that_is_damaged_inside_is_told_before_it_is_used(tmp_path: Path) -> None:
    url = await database(tmp_path)
    ensure_sound(url)
    file = tmp_path / "studii.db"
    content = bytearray(file.read_bytes())
    content[3 * 4096 : 12 * 4096] = b"\xa5" * (9 * 4096)
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"is damaged\. Restore a backup"):
        ensure_sound(url)
