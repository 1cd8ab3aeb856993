"""What is asked often is answered from an index, however many jobs there are."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot import posts
from bot.catalog import Catalog
from bot.credits import charges, ledger, limits, prices
from bot.credits.ledger import Window
from bot.db import Database, used_once
from bot.jobs import lanes as lane_rows, progress, queries, results, transitions
from bot.jobs.models import TERMINAL_STATES, JobState
from bot.servers import keys
from tests.support.database import given
from tests.support.jobs import NOW, TODAY, a_job

OPEN = set(JobState) - TERMINAL_STATES

OFTEN: dict[str, Callable[[Database], Awaitable[Any]]] = {
    "a job": lambda db: db.write(queries.get, "0" * 16),
    "open jobs": lambda db: db.write(queries.in_states, OPEN),
    "photos to take in": lambda db: db.write(queries.to_take_in, NOW, 20),
    "outputs to download": lambda db: db.write(queries.to_download, NOW, 20),
    "held jobs with photos": lambda db: db.write(queries.held_with_photos),
    "the tries of a file": lambda db: db.write(transitions.decode_tries, "0" * 16),
    "answers to edit": lambda db: db.write(progress.due, NOW, {"0": False, "1": True}, [2], 20),
    "the answer of a job": lambda db: db.write(progress.of, "0" * 16, 1, NOW),
    "a line in the channel": lambda db: db.write(given(results.was_told_there, a_job(), NOW)),
    "jobs from a message": lambda db: db.write(
        given(results.follow_hourglass, a_job(origin_message_id=5), NOW)
    ),
    "a job that is done once": lambda db: db.write(queries.going_or_done_of, ["1:2:studio:0"]),
    "a member's jobs": lambda db: db.write(queries.page, 1, 3, 0, 5),
    "a server's usage": lambda db: db.write(ledger.used, [1], TODAY),
    "what a command asks of its budget": lambda db: db.write(ledger.used, [1, 2], TODAY, [3]),
    "what was granted": lambda db: db.write(ledger.grants, [1, 2], "2027-03-12"),
    "a server's usage since then": lambda db: db.write(ledger.used, [1], Window(NOW, None)),
    "a server's usage ever": lambda db: db.write(ledger.used, [1], Window(None, None)),
    "members' limits": lambda db: db.write(limits.of_servers, [1, 2]),
    "a lane's requests": lambda db: db.write(lane_rows.windows, ["lane"]),
    "when a post is due": lambda db: db.write(posts.next_due),
    "a price": lambda db: db.write(charges.learn, "lane", "studio", "mode=image", 8, NOW),
    "keys' prices": lambda db: db.write(prices.charges_of, ["lane"]),
    "what a price concerns": lambda db: db.write(
        given(charges.told_at_end, Catalog.load(), "lane", a_job(reserved=8), 8, NOW, completed=True)
    ),
    "what a server has not sent": lambda db: db.write(charges.reprice_server, Catalog.load(), "lane", 1, NOW),
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
        await ensure_indexed(url, statement, values, usage="usage" in what)


async def ensure_indexed(url: str, statement: str, values: Any, *, usage: bool) -> None:
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
    assert [step for step in scans if not step.endswith(held)] == []
    if usage:
        assert any("COVERING INDEX ix_jobs_usage" in step for step in steps)
