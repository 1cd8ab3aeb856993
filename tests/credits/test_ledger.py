from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.credits import ledger
from bot.credits.ledger import EntryKind, ReservationError, Usage, Window
from bot.db import used_once
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from bot.storage import Storage, Transaction
from tests.support.jobs import NOW, TODAY, accepted, correct_jobs, known, ledger_lines, settle_job

RESERVE, CORRECT = EntryKind.RESERVE, EntryKind.CORRECT
SETTLE, RELEASE = EntryKind.SETTLE, EntryKind.RELEASE


async def lines(storage: Storage, job_id: str) -> list[tuple[EntryKind, int]]:
    async with storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []
        return [(entry.kind, entry.amount) for entry in await ledger_lines(transaction, job_id=job_id)]


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
    charge: int, written: list[tuple[EntryKind, int]], storage: Storage
) -> None:
    job = await accepted(storage, estimate=8)
    async with storage.write() as transaction:
        paid = await transaction.run(settle_job, job.id, charge, NOW)
    assert (paid.reserved, paid.settled) == (0, charge)
    assert await lines(storage, job.id) == [(RESERVE, 8), *written]


@pytest.mark.parametrize(
    ("charge", "written"), [(8, []), (12, [(CORRECT, 4)]), (3, [(CORRECT, -5)]), (0, [(CORRECT, -8)])]
)
async def test_a_reservation_follows_what_studii_says_that_it_charges(
    charge: int, written: list[tuple[EntryKind, int]], storage: Storage
) -> None:
    job = await accepted(storage, estimate=8)
    async with storage.write() as transaction:
        changed = await transaction.run(correct_jobs, [job.id], charge, NOW)
        assert bool(changed) is bool(written)
        corrected = await known(transaction, job.id)
        assert (corrected.reserved, corrected.settled) == (charge, 0)
        await transaction.run(settle_job, corrected.id, charge, NOW)
    end = (SETTLE, charge) if charge else (RELEASE, 0)
    assert await lines(storage, job.id) == [(RESERVE, 8), *written, end]


@pytest.mark.parametrize("estimate", [0, 8])
@pytest.mark.parametrize("first", [5, 0])
@pytest.mark.parametrize("second", ["settle", "release", "correct"])
async def test_a_reservation_is_resolved_once(
    estimate: int, first: int, second: str, storage: Storage
) -> None:
    job = await accepted(storage, estimate=estimate)
    async with storage.write() as transaction:
        await transaction.run(settle_job, job.id, first, NOW)
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "settle": lambda: transaction.run(settle_job, job.id, 5, NOW),
            "release": lambda: transaction.run(settle_job, job.id, 0, NOW),
            "correct": lambda: transaction.run(correct_jobs, [job.id], 5, NOW),
        }
        before = await ledger_lines(transaction, job_id=job.id)
        with pytest.raises(ReservationError):
            await ways[second]()
        assert len(await ledger_lines(transaction, job_id=job.id)) == len(before)
        assert await transaction.run(ledger.differing) == []


async def test_credits_are_reserved_once(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        with pytest.raises(IntegrityError):
            await transaction.run(ledger.reserve, [job], NOW)


async def test_nothing_costs_less_than_nothing(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.run(settle_job, job.id, -1, NOW)
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.run(correct_jobs, [job.id], -1, NOW)


async def used(transaction: Transaction, window: Window, *members: int) -> dict[int | None, Usage]:
    return (await transaction.run(ledger.used, [1], window, members))[1]


async def test_several_servers_are_asked_for_together_and_told_apart(storage: Storage) -> None:
    for guild_id, user_id, estimate in ((1, 3, 8), (1, 4, 5), (1, 4, 6), (2, 3, 100), (7, 3, 1000)):
        await accepted(storage, guild_id=guild_id, user_id=user_id, estimate=estimate)
    async with storage.write() as transaction:
        await transaction.run(ledger.grant, 1, None, 20, "today", NOW)
        await transaction.run(ledger.grant, 2, 3, 30, "today", NOW)
        await transaction.run(ledger.grant, 2, 3, 40, "another day", NOW)
    async with storage.read() as transaction:
        found = await transaction.run(ledger.used, [1, 2, 9], TODAY, [3])
        mine = {3: Usage(reserved=8), None: Usage(reserved=11)}
        assert found == {1: mine, 2: {3: Usage(reserved=100)}, 9: {}}
        given = await transaction.run(ledger.grants, [1, 2, 9], "today")
        assert given == {1: {None: 20}, 2: {3: 30}, 9: {}}


async def test_a_job_counts_in_the_period_in_which_it_was_accepted(storage: Storage) -> None:
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
        await accepted(storage, created_at=at, estimate=estimate)
    async with storage.read() as transaction:
        assert (await used(transaction, window))[None].spent == 110
        assert (await used(transaction, Window(NOW, None)))[None].spent == 1110
        assert (await used(transaction, Window(None, None)))[None].spent == 1111


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        yield opened


async def end(storage: Storage, job: Job, charge: int) -> None:
    async with storage.write() as transaction:
        await transaction.run(transitions.advance, job.id, JobState.RECEIVED, JobState.FAILED, at=NOW)
        await transaction.run(settle_job, job.id, charge, NOW)


async def found(storage: Storage) -> list[str]:
    async with storage.read() as transaction:
        return await transaction.run(ledger.differing)


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
async def test_what_does_not_agree_is_named(storage: Storage, either: str, damage: str, said: str) -> None:
    paid, free = await accepted(storage, estimate=8), await accepted(storage, estimate=6)
    named = {"paid": paid.id, "free": free.id, "open": (await accepted(storage, estimate=5)).id}
    sound = await accepted(storage, guild_id=7, estimate=3)
    await end(storage, paid, 8)
    await end(storage, free, 0)
    async with storage.write() as transaction:
        await transaction.run(ledger.grant, 1, 3, 20, "day 2026-03-02", NOW)
    assert await found(storage) == []
    values = {name: value for name, value in named.items() if f":{name}" in damage}
    async with used_once(either, writes=True) as connection:
        await connection.execute(text(damage), values)
        await connection.commit()
    sentences = await found(storage)
    assert said in " ".join(sentences)
    assert sound.id not in " ".join(sentences)
    assert not any("erver 7" in sentence for sentence in sentences)
