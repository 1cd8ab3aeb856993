"""What earlier versions have written is kept, and means the same."""

from collections import Counter
from pathlib import Path

import pytest

from bot.db import Database
from bot.jobs import queries
from bot.migrate import migrate
from bot.servers import keys
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
