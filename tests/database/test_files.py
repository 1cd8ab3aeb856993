"""The file: whose it is, who may have it, and what is said of one that cannot be used."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bot.cluster import WantedShards, membership
from bot.db import Database
from bot.errors import DatabaseAway, SettingsError
from bot.migrate import migrate
from bot.sqlite_file import ensure_sound, instance_lock
from tests.database.later import add_revision
from tests.database.rows import REVISIONS
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


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/studii.db"


@pytest.mark.promise
async def test_a_second_instance_is_refused_and_told_why_and_what_to_do(url: str) -> None:
    async with instance_lock(url):
        with pytest.raises(SettingsError, match=r"Another instance .*Stop it first, or .*DATABASE_URL"):
            async with instance_lock(url, patience=0):
                pytest.fail("two instances at once")


@pytest.mark.promise
async def test_whoever_waits_gets_the_lock_when_the_other_one_ends(url: str) -> None:
    held = asyncio.Event()

    async def second() -> None:
        async with instance_lock(url):
            held.set()

    async with instance_lock(url):
        task = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not held.is_set()
    await task
    assert held.is_set()


def content(file: Path) -> bytes:
    return file.read_bytes()


@pytest.mark.promise
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


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file", "utf-8")
    with pytest.raises(SettingsError, match=r"occupied/studii\.db can't be opened for writing"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/occupied/studii.db")


async def join(url: str) -> None:
    async def one() -> int:
        return 1

    async with membership(url, "a process", WantedShards(one)):
        pytest.fail("joined")


@pytest.mark.promise
@pytest.mark.parametrize("first_contact", [migrate, join])
async def test_a_server_that_does_not_answer_is_named_without_its_password(
    first_contact: Callable[[str], Awaitable[None]],
) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:1/studii can't be used.*DATABASE_URL") as caught:
        await first_contact("postgresql+asyncpg://bot:s3cret@127.0.0.1:1/studii")
    assert "s3cret" not in str(caught.value)


SAYS = {
    "57P03": "the database system is starting up",
    "57P01": "terminating connection due to administrator command",
}


@asynccontextmanager
async def a_server_that_says(code: str) -> AsyncGenerator[str]:
    """Answers each connection as PostgreSQL does while it takes none ("Message Formats" in its manual)."""
    fields = f"SFATAL\0VFATAL\0C{code}\0M{SAYS[code]}\0\0".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = int.from_bytes(await reader.readexactly(4))
            await reader.readexactly(length - 4)
            # A request for TLS has eight bytes; the others begin a session.
            writer.write(b"N" if length == 8 else b"E" + (len(fields) + 4).to_bytes(4) + fields)
            await writer.drain()
            if length == 8:
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql+asyncpg://bot@127.0.0.1:{port}/studii"


@pytest.mark.promise
@pytest.mark.parametrize("code", SAYS)
async def test_a_server_that_takes_no_connection_now_is_away(code: str) -> None:
    async with a_server_that_says(code) as url:
        db = Database(url)
        try:
            for ask in (db.read, db.write):
                with pytest.raises(DatabaseAway):
                    await ask(lambda _: None)
        finally:
            await db.close()
