"""What earlier versions have written is kept, and means the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Column, MetaData, String, Table, column, insert, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import posts
from bot.base import NUMBER, UtcDateTime
from bot.credits import ledger
from bot.db import used_once
from bot.domain.guilds import Plan
from bot.jobs import holds as key_holds, queries
from bot.jobs.models import jobs as jobs_table
from bot.migrate import migrate
from bot.posts import Post
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.notices import NoticeKind
from bot.storage import Storage
from tests.database.rows import REVISIONS, counts, name_of, read, seed
from tests.support.jobs import NOW, a_job, last_charges
from tests.support.posts import open_posts

# Its rows said when a member was told last that credits are short; they were of use for an hour.
DROPPED = frozenset({"credits_told"})
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
OLD_HOLDS = Table(
    "holds",
    MetaData(),
    Column("guild_id", BigInteger),
    Column("key_id", BigInteger),
    Column("reason", String),
    Column("until", UtcDateTime),
)
# Tables whose rows are in another one now.
MOVED = {"posts": ("notices", "offers"), "lane_windows": ("lane_requests",)}


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
    written: Counter[str] = Counter()
    for number, revision in enumerate(REVISIONS, 1):
        await migrate(url, revision)
        seed(file, number)
        there = counts(file)
        written.update(there.keys())
        gone = {one: [old for old in MOVED.get(one, ()) if old not in there] for one in there}
        wanted = {one: sum(written[old] for old in (one, *gone[one])) for one in there}
        assert all(there[table] == rows for table, rows in wanted.items() if table not in DROPPED), revision
    with read(file) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    async with Storage.open(url) as storage, storage.read() as transaction:
        for number in range(1, len(REVISIONS) + 1):
            assert await transaction.run(queries.get, name_of(number)) is not None
            assert await transaction.run(keys.current, number) is not None


async def test_grants_of_earlier_versions_are_those_of_the_period_in_which_they_were_given(
    file: Path, url: str
) -> None:
    since = "total 2026-02-03T04:05:06.000007+00:00"
    servers = [
        (None, None, "day 2026-03-01"),
        ("day", "Pacific/Auckland", "day 2026-03-02"),
        ("week", "UTC", "week 2026-02-23"),
        ("month", "America/New_York", "month 2026-03-01"),
        ("total", "UTC", since),
    ]
    await migrate(url, "0015")
    with read(file) as database:
        for guild_id, (period, zone, _) in enumerate(servers, 1):
            database.execute(
                "INSERT INTO guilds (guild_id, budget_limit, budget_period, budget_since, timezone) "
                "VALUES (?, 10, ?, '2026-02-03 04:05:06.000007', ?)",
                (guild_id, period, zone),
            )
            database.execute(
                "INSERT INTO ledger (guild_id, user_id, kind, amount, at) "
                "VALUES (?, ?, 'grant', 20, '2026-03-01 15:30:00.000000')",
                (guild_id, 30 + guild_id),
            )
        database.commit()
    await migrate(url)
    async with Storage.open(url) as storage, storage.read() as transaction:
        for guild_id, (_, _, name) in enumerate(servers, 1):
            assert (await transaction.run(ledger.grants, [guild_id], name))[guild_id] == {30 + guild_id: 20}


async def test_prices_of_earlier_versions_are_first_guesses_and_those_of_the_keys_that_paid(
    file: Path, url: str
) -> None:
    await migrate(url, "0022")
    seed(file)
    with read(file) as database:
        database.execute("UPDATE prices SET tool = 'studio', variant = 'mode=image', charge = 6")
        database.execute("UPDATE studii_keys SET lane = 'lane'")
        columns = [name for (name,) in database.execute("SELECT name FROM pragma_table_info('jobs')")]
        same = ", ".join(name for name in columns if name not in {"number", "id", "state", "charged", "once"})
        for number, (state, charged) in enumerate(
            [("succeeded", 9), ("succeeded", 12), ("failed", 0), ("running", 99)], start=2
        ):
            database.execute(
                f"INSERT INTO jobs (number, id, state, charged, {same}) "  # noqa: S608
                f"SELECT {number}, 'job{number}', '{state}', {charged}, {same} FROM jobs WHERE number = 1"
            )
        database.execute("UPDATE jobs SET tool = 'studio', variant = 'mode=image'")
        database.commit()
    await migrate(url)
    async with Storage.open(url) as storage, storage.read() as transaction:
        assert await last_charges(transaction, "lane", "studio", "mode=image") == (12, 6)
        assert await last_charges(transaction, "another", "studio", "mode=image") == (None, 6)
        waiting = await transaction.run(queries.get, name_of(1))
        assert waiting is not None
        assert waiting.price_learned is False  # looked up again before it is sent


# Long: it writes sentences into every place that has held one.
async def test_sentences_of_earlier_versions_become_reasons_and_others_stay(url: str) -> None:
    await migrate(url, "0023")
    no_key = "This server has no Studii key at the moment. An admin can set one with `/studii key`; this job "
    no_key += "then goes on by itself."
    short = "Studii has no credits left for this: “None.” Either the Studii account is out of credits, and "
    short += "an admin can add some at studii.tech; or the spend cap of its key is reached, and an admin can "
    short += "raise it at studii.tech/app/settings/api-keys."
    lost, odd = "Studii's answer to its submission got lost.", "As nobody words it any more."
    async with Storage.open(url) as storage, storage.write() as transaction:
        key = await transaction.run(keys.add, 1, "lane", "cdef", Plan.PRO, b"sealed", NOW)
    same = {"guild_id": 1, "channel_id": 9, "user_id": 3, "changed_at": NOW, "created_at": NOW}
    jobs = ["1" * 16, "2" * 16]
    async with used_once(url, writes=True) as connection:
        await write(connection, [same | {"id": one, "state": "waiting"} for one in jobs])
        rewrite = text("UPDATE jobs SET held = :held, failure_text = :failed WHERE id = :id")
        for job, held, failed in ((jobs[0], no_key, short), (jobs[1], odd, None)):
            await connection.execute(rewrite, {"id": job, "held": held, "failed": failed})
        there = {"guild_id": 1, "key_id": key.id, "reason": short, "until": NOW}
        await connection.execute(insert(OLD_HOLDS).values(there))
        for name, said in (("known", lost), ("odd", odd)):
            details = {"reason": said, "masked": "x"}
            told = {"guild_id": 1, "kind": NoticeKind.UNKNOWN, "key": name, "details": details}
            await connection.execute(insert(OLD_NOTICES).values(**told, created_at=NOW))
        await connection.commit()

    await migrate(url)

    out_of_credits = Reason(ReasonCode.OUT_OF_CREDITS, {"detail": "None."})
    async with Storage.open(url) as storage, storage.read() as transaction:
        known, other = [await transaction.run(queries.get, job) for job in jobs]
        hold = await transaction.run(key_holds.get, 1)
        notices = await transaction.run(open_posts)
    assert known is not None and other is not None and hold is not None  # noqa: PT018
    assert (known.held, known.failure_text) == (Reason(ReasonCode.NO_KEY), out_of_credits)
    assert (other.held, other.failure_text) == (Reason.text(odd), None)
    assert hold.reason == out_of_credits
    told = {notice.key: notice.details for notice in notices}
    assert Reason.decode(str(told["known"].pop("reason"))) == Reason(ReasonCode.ANSWER_LOST)
    assert told["known"] == {"masked": "x"}
    assert told["odd"] == {"reason": odd, "masked": "x"}


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
    async with Storage.open(url) as storage, storage.read() as transaction:
        found = {
            one.key: one for one in await transaction.run(lambda session: session.scalars(select(Post)).all())
        }
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
    async with Storage.open(url) as storage, storage.write() as transaction:
        waiting, asked = await transaction.run(open_posts)
        assert (waiting.key, waiting.mark, waiting.begun_at) == ("open", 1_000_000_005, NOW)
        assert (asked.key, asked.place, asked.message_id) == ("x", "c9", 71)
        assert asked.shown_version < asked.version
        assert not await transaction.run(posts.want, 1, NoticeKind.BUDGET_80, "told", at=NOW)
        assert await transaction.run(posts.want, 1, NoticeKind.BUDGET_80, "new", at=NOW)
        assert (await transaction.run(open_posts))[-1].id > 8
