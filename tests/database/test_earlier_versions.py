"""What earlier versions have written is kept, and means the same."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import column, insert, table

from bot.db import Database, used_once
from bot.jobs import queries
from bot.migrate import migrate
from bot.servers import keys, settings
from tests.database.rows import REVISIONS, counts, name_of, read, seed

# Their rows said when a member was told something last; they were of use for an hour.
DROPPED = frozenset({"credits_told", "refusals_told"})
# Tables whose rows are in another one now.
MOVED = {"posts": ("notices", "offers", "best_results"), "lane_windows": ("lane_requests",)}
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


async def test_a_log_channel_is_kept_among_its_servers_settings(url: str) -> None:
    await migrate(url, "0056")
    log = table("log_channels", *map(column, ("guild_id", "channel_id", "results", "requests_in_place")))
    async with used_once(url, writes=True) as connection:
        await connection.execute(insert(table("guilds", column("guild_id"))).values(guild_id=1))
        for row in ((1, 5, True, None), (2, 6, False, True)):
            await connection.execute(insert(log).values(row))
        await connection.commit()
    await migrate(url)
    async with Database.open(url) as db:
        found = [await db.read(settings.of, guild_id) for guild_id in (1, 2, 3)]
    kept = [(one.log_channel_id, one.log_results, one.requests_in_place) for one in found]
    assert kept == [(5, True, None), (6, False, True), (None, None, None)]
