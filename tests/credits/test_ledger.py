from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.credits import ledger
from bot.credits.ledger import EntryKind, ReservationError, Usage, Window
from bot.db import Database, used_once
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from tests.support.database import given
from tests.support.jobs import NOW, TODAY, accepted, correct_jobs, known, ledger_lines, settle_job

RESERVE, CORRECT = EntryKind.RESERVE, EntryKind.CORRECT
SETTLE, RELEASE = EntryKind.SETTLE, EntryKind.RELEASE


async def lines(db: Database, job_id: str) -> list[tuple[EntryKind, int]]:
    assert await db.read(ledger.differing) == []
    return [(entry.kind, entry.amount) for entry in await ledger_lines(db, job_id=job_id)]


@pytest.mark.parametrize(
    ("charge", "written"),
    [
        (8, [(SETTLE, 8)]),
        (5, [(SETTLE, 5), (RELEASE, 3)]),
        (0, [(RELEASE, 8)]),
        (11, [(CORRECT, 3), (SETTLE, 11)]),
    ],
)
async def test_a_job_pays_what_it_cost_and_gives_back_the_rest(
    charge: int, written: list[tuple[EntryKind, int]], db: Database
) -> None:
    job = await accepted(db, estimate=8)
    paid = await db.write(settle_job, job.id, charge, NOW)
    assert (paid.reserved, paid.settled) == (0, charge)
    assert await lines(db, job.id) == [(RESERVE, 8), *written]


@pytest.mark.parametrize(
    ("charge", "written"), [(8, []), (12, [(CORRECT, 4)]), (3, [(CORRECT, -5)]), (0, [(CORRECT, -8)])]
)
async def test_a_reservation_follows_what_studii_says_that_it_charges(
    charge: int, written: list[tuple[EntryKind, int]], db: Database
) -> None:
    job = await accepted(db, estimate=8)
    changed = await db.write(correct_jobs, [job.id], charge, NOW)
    assert bool(changed) is bool(written)
    corrected = await known(db, job.id)
    assert (corrected.reserved, corrected.settled) == (charge, 0)
    await db.write(settle_job, corrected.id, charge, NOW)
    end = (SETTLE, charge) if charge else (RELEASE, 0)
    assert await lines(db, job.id) == [(RESERVE, 8), *written, end]


@pytest.mark.parametrize("estimate", [0, 8])
@pytest.mark.parametrize("first", [5, 0])
@pytest.mark.parametrize("second", ["settle", "release", "correct"])
async def test_a_reservation_is_resolved_once(estimate: int, first: int, second: str, db: Database) -> None:
    job = await accepted(db, estimate=estimate)
    await db.write(settle_job, job.id, first, NOW)
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "settle": lambda: db.write(settle_job, job.id, 5, NOW),
        "release": lambda: db.write(settle_job, job.id, 0, NOW),
        "correct": lambda: db.write(correct_jobs, [job.id], 5, NOW),
    }
    before = await ledger_lines(db, job_id=job.id)
    with pytest.raises(ReservationError):
        await ways[second]()
    assert len(await ledger_lines(db, job_id=job.id)) == len(before)
    assert await db.write(ledger.differing) == []


async def test_credits_are_reserved_once(db: Database) -> None:
    job = await accepted(db)
    with pytest.raises(IntegrityError):
        await db.write(given(ledger.reserve, [job], NOW))


async def test_nothing_costs_less_than_nothing(db: Database) -> None:
    job = await accepted(db)
    with pytest.raises(ValueError, match="less than 0"):
        await db.write(settle_job, job.id, -1, NOW)
    with pytest.raises(ValueError, match="less than 0"):
        await db.write(correct_jobs, [job.id], -1, NOW)


async def used(db: Database, window: Window, *members: int) -> dict[int | None, Usage]:
    return (await db.write(ledger.used, [1], window, members))[1]


async def test_several_servers_are_asked_for_together_and_told_apart(db: Database) -> None:
    for guild_id, user_id, estimate in ((1, 3, 8), (1, 4, 5), (1, 4, 6), (2, 3, 100), (7, 3, 1000)):
        await accepted(db, guild_id=guild_id, user_id=user_id, estimate=estimate)
    await db.write(ledger.grant, 1, None, 20, "today", NOW)
    await db.write(ledger.grant, 2, 3, 30, "today", NOW)
    await db.write(ledger.grant, 2, 3, 40, "another day", NOW)
    found = await db.read(ledger.used, [1, 2, 9], TODAY, [3])
    mine = {3: Usage(reserved=8), None: Usage(reserved=11)}
    assert found == {1: mine, 2: {3: Usage(reserved=100)}, 9: {}}
    given = await db.read(ledger.grants, [1, 2, 9], "today")
    assert given == {1: {None: 20}, 2: {3: 30}, 9: {}}


async def test_a_job_counts_in_the_period_in_which_it_was_accepted(db: Database) -> None:
    moment = timedelta(microseconds=1)
    window = Window(NOW, NOW + timedelta(days=1))
    assert window.start is not None
    assert window.end is not None
    for at, estimate in [
        (window.start - moment, 1),
        (window.start, 10),
        (window.end - moment, 100),
        (window.end, 1000),
    ]:
        await accepted(db, created_at=at, estimate=estimate)
    assert (await used(db, window))[None].spent == 110
    assert (await used(db, Window(NOW, None)))[None].spent == 1110
    assert (await used(db, Window(None, None)))[None].spent == 1111


@pytest.fixture
async def db(either: str) -> AsyncGenerator[Database, None]:
    async with Database.open(either) as opened:
        yield opened


async def end(db: Database, job: Job, charge: int) -> None:
    await db.write(transitions.advance, job.id, JobState.RECEIVED, JobState.FAILED, at=NOW)
    await db.write(settle_job, job.id, charge, NOW)


async def found(db: Database) -> list[str]:
    return await db.read(ledger.differing)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE jobs SET settled = settled + 1 WHERE id = :paid", "has 0 reserved and 9 settled"),
        ("UPDATE jobs SET reserved = reserved - 1 WHERE id = :open", "has 4 reserved and 0 settled"),
        (
            "DELETE FROM ledger WHERE kind = 'settle' AND job_id = :paid",
            "(failed, resolved) has 0 reserved and 8 settled, but its ledger lines add up to 8 reserved, 0",
        ),
        ("UPDATE ledger SET amount = 3 WHERE kind = 'reserve' AND job_id = :open", "add up to 3 reserved"),
        ("UPDATE jobs SET state = 'cancelled' WHERE id = :open", "(cancelled, open) has 5 reserved"),
        ("UPDATE jobs SET resolved_at = NULL WHERE id = :free", "(failed, open) has 0 reserved"),
        ("UPDATE ledger SET guild_id = 9 WHERE job_id = :open", "lines of others: 1"),
        ("UPDATE jobs SET user_id = 4 WHERE id = :open", "lines of others: 1"),
    ],
)
async def test_what_does_not_agree_is_named(db: Database, either: str, damage: str, said: str) -> None:
    paid, free = await accepted(db, estimate=8), await accepted(db, estimate=6)
    named = {"paid": paid.id, "free": free.id, "open": (await accepted(db, estimate=5)).id}
    sound = await accepted(db, guild_id=7, estimate=3)
    await end(db, paid, 8)
    await end(db, free, 0)
    await db.write(ledger.grant, 1, 3, 20, "day 2026-03-02", NOW)
    assert await found(db) == []
    values = {name: value for name, value in named.items() if f":{name}" in damage}
    async with used_once(either, writes=True) as connection:
        await connection.execute(text(damage), values)
        await connection.commit()
    sentences = await found(db)
    assert said in " ".join(sentences)
    assert sound.id not in " ".join(sentences)
    assert not any("erver 7" in sentence for sentence in sentences)
