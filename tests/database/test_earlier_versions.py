"""What earlier versions have written is kept, and means the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Column, MetaData, String, Table, column, insert, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import posts
from bot.base import NUMBER, UtcDateTime
from bot.db import Database, used_once
from bot.jobs import queries
from bot.jobs.models import jobs as jobs_table
from bot.migrate import migrate
from bot.posts import Post
from bot.servers import keys
from bot.servers.notices import NoticeKind
from tests.database.rows import REVISIONS, counts, name_of, read, seed
from tests.support.jobs import NOW, a_job
from tests.support.posts import open_posts

# Their rows said when a member was told something last; they were of use for an hour.
DROPPED = frozenset({"credits_told", "refusals_told"})
OLD_NOTICES = Table(
    "notices",
    MetaData(),
    Column("id", NUMBER, primary_key=True),
    Column("guild_id", BigInteger),
    Column("kind", String),
    Column("key", String),
    Column("details", JSON),
    Column("created_at", UtcDateTime),
    Column("job_id", String),
    Column("posted_at", UtcDateTime),
    Column("message_id", BigInteger),
)
WRITTEN = {"tool", "inputs", "variant", "private", "version", "estimate", "reserved", "settled", "attempts"}
WRITTEN_AT_ONCE = WRITTEN | {"posting"}
# Tables whose rows are in another one now.
MOVED = {"posts": ("notices", "offers", "best_results"), "lane_windows": ("lane_requests",)}
ASKED = "0055"  # since then, each question under a photo has a row of posts, too


async def write(connection: AsyncConnection, jobs: Sequence[Mapping[str, Any]]) -> None:
    """Write jobs as versions with cards did."""
    today = a_job()
    for job in jobs:
        row = {**{name: getattr(today, name) for name in WRITTEN_AT_ONCE}, **job}
        there = table("jobs", column("card_version"), *(column(one, jobs_table.c[one].type) for one in row))
        await connection.execute(insert(there).values(**row, card_version=0))


@pytest.mark.promise
async def test_a_database_with_rows_of_any_earlier_version_keeps_them(file: Path, url: str) -> None:
    """After each upgrade more rows are written: those of a version go through all upgrades that follow."""
    written, asked = Counter[str](), 0
    for number, revision in enumerate(REVISIONS, 1):
        await migrate(url, revision)
        seed(file, number)
        there = counts(file)
        written.update(there.keys())
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


async def test_ends_of_jobs_of_earlier_versions_are_posted_once_and_what_they_replace_goes(url: str) -> None:
    await migrate(url, "0050")
    same: dict[str, Any] = {
        "guild_id": 1,
        "channel_id": 9,
        "user_id": 3,
        "changed_at": NOW,
        "created_at": NOW,
    }
    ended: list[dict[str, Any]] = [
        {"id": "1" * 16, "state": "succeeded"},
        {"id": "2" * 16, "state": "failed", "private": True},
        {"id": "3" * 16, "state": "succeeded", "announced_at": NOW, "result_message_id": 73},
        {"id": "4" * 16, "state": "unknown", "announced_at": NOW, "result_message_id": 74},
        {"id": "5" * 16, "state": "running", "posting": 1, "result_message_id": 75},
        {"id": "6" * 16, "state": "succeeded", "post_channel_id": 8, "posting": 1},
        {"id": "7" * 16, "state": "succeeded", "set_id": "a" * 16, "set_message": 0, "announced_at": NOW},
        {"id": "8" * 16, "state": "failed", "set_id": "a" * 16, "set_message": 1},
        {"id": "9" * 16, "state": "failed", "set_id": "a" * 16},
    ]
    async with used_once(url, writes=True) as connection:
        await write(connection, [same | one for one in ended])
        await connection.commit()
    await migrate(url)
    async with Database.open(url) as db:
        found = {one.key: one for one in await db.read(lambda session: session.scalars(select(Post)).all())}
    doubtful = {key: one.place for key, one in found.items() if one.begun_at is not None}
    assert doubtful == {
        f"{'1' * 16}-0": "c9",
        f"{'2' * 16}-0": "u3",
        f"{'6' * 16}-1": "c8",
        f"{'a' * 16}-1": "c9",
        f"{'a' * 16}-2": "c9",
    }
    standing = {key: one.message_id for key, one in found.items() if one.message_id is not None}
    assert standing == {f"{'4' * 16}-0": 74, f"{'5' * 16}-0": 75}


async def test_notices_of_earlier_versions_are_posted_once_and_their_questions_are_reduced(url: str) -> None:
    """What was to be posted may have been, without the bot's knowing: it is looked for by its old number."""
    await migrate(url, "0048")
    rows: list[dict[str, Any]] = [
        {"id": 3, "kind": "budget_80", "key": "told", "posted_at": NOW, "message_id": 70},
        {"id": 5, "kind": "budget_80", "key": "open"},
        {
            "id": 6,
            "kind": "approval",
            "key": "x",
            "posted_at": NOW,
            "message_id": 71,
            "details": {"channel": 9},
        },
        {"id": 7, "kind": "decided", "key": "approval:x"},
        {
            "id": 8,
            "kind": "approval",
            "key": "y",
            "posted_at": NOW,
            "message_id": 72,
            "details": {"channel": 9},
        },
        {"id": 9, "kind": "decided", "key": "approval:y", "posted_at": NOW},
    ]
    async with used_once(url, writes=True) as connection:
        for row in rows:
            same: dict[str, Any] = {"guild_id": 1, "details": {}, "created_at": NOW}
            await connection.execute(insert(OLD_NOTICES).values(**same | row))
        await connection.commit()
    await migrate(url)
    async with Database.open(url) as db:
        waiting, asked = await db.write(open_posts)
        assert (waiting.key, waiting.mark, waiting.begun_at) == ("open", 1_000_000_005, NOW)
        assert (asked.key, asked.place, asked.message_id) == ("x", "c9", 71)
        assert asked.shown_version < asked.version
        assert not await db.write(posts.want, 1, NoticeKind.BUDGET_80, "told", at=NOW)
        assert await db.write(posts.want, 1, NoticeKind.BUDGET_80, "new", at=NOW)
        assert (await db.write(open_posts))[-1].id > 8
