"""What is asked often is answered from an index, however many jobs there are."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot import posts
from bot.catalog import Catalog
from bot.credits import charges, ledger, limits, prices
from bot.credits.ledger import Window
from bot.db import used_once
from bot.jobs import hourglass, lanes as lane_rows, progress, queries, results, transitions
from bot.jobs.models import TERMINAL_STATES, JobState
from bot.servers import keys
from bot.storage import Storage, Transaction
from tests.support.jobs import NOW, TODAY, a_job

OPEN = set(JobState) - TERMINAL_STATES

OFTEN: dict[str, Callable[[Transaction], Awaitable[Any]]] = {
    "a job": lambda transaction: transaction.run(queries.get, "0" * 16),
    "open jobs": lambda transaction: transaction.run(queries.in_states, OPEN),
    "photos to take in": lambda transaction: transaction.run(queries.to_take_in, NOW, 20),
    "outputs to download": lambda transaction: transaction.run(queries.to_download, NOW, 20),
    "held jobs with photos": lambda transaction: transaction.run(queries.held_with_photos),
    "the tries of a file": lambda transaction: transaction.run(transitions.decode_tries, "0" * 16),
    "answers to edit": lambda transaction: transaction.run(progress.due, NOW, ["0"], ["1"], [2], 20),
    "the answer of a job": lambda transaction: transaction.run(progress.of, "0" * 16, 1, NOW),
    "a line in the channel": lambda transaction: transaction.run(results.was_told_there, a_job(), NOW),
    "jobs from a message": lambda transaction: transaction.run(
        hourglass.follow, a_job(origin_message_id=5), NOW
    ),
    "a job that is done once": lambda transaction: transaction.run(
        queries.going_or_done_of, ["1:2:studio:0"]
    ),
    "a member's jobs": lambda transaction: transaction.run(queries.page, 1, 3, 0, 5),
    "a server's usage": lambda transaction: transaction.run(ledger.used, [1], TODAY),
    "what a command asks of its budget": lambda transaction: transaction.run(ledger.used, [1, 2], TODAY, [3]),
    "what was granted": lambda transaction: transaction.run(ledger.grants, [1, 2], "2027-03-12"),
    "a server's usage since then": lambda transaction: transaction.run(ledger.used, [1], Window(NOW, None)),
    "a server's usage ever": lambda transaction: transaction.run(ledger.used, [1], Window(None, None)),
    "members' limits": lambda transaction: transaction.run(limits.of_servers, [1, 2]),
    "a lane's requests": lambda transaction: transaction.run(lane_rows.windows, ["lane"]),
    "when a post is due": lambda transaction: transaction.run(posts.next_due),
    "a price": lambda transaction: transaction.run(charges.learn, "lane", "studio", "mode=image", 8, NOW),
    "keys' prices": lambda transaction: transaction.run(prices.charges_of, ["lane"]),
    "what a price concerns": lambda transaction: transaction.run(
        charges.told_at_end, Catalog.load(), "lane", a_job(reserved=8), 8, NOW, completed=True
    ),
    "what a server has not sent": lambda transaction: transaction.run(
        charges.reprice_server, Catalog.load(), "lane", 1, NOW
    ),
    "a server's key": lambda transaction: transaction.run(keys.current, 1),
}


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("what", OFTEN)
async def test_no_table_is_read_through_for(what: str, storage: Storage, url: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        async with storage.write() as transaction:
            await OFTEN[what](transaction)
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
