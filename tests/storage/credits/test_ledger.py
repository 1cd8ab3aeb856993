from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.exc import IntegrityError

from bot.credits import ledger
from bot.credits.ledger import EntryKind, ReservationError
from bot.storage import Storage
from tests.support.jobs import NOW, a_job, accepted, correct_jobs, known, ledger_lines, settle_job

RESERVE, CORRECT = EntryKind.RESERVE, EntryKind.CORRECT
SETTLE, RELEASE = EntryKind.SETTLE, EntryKind.RELEASE


async def lines(storage: Storage, job_id: str) -> list[tuple[EntryKind, int]]:
    async with storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []
        return [(entry.kind, entry.amount) for entry in await ledger_lines(transaction, job_id=job_id)]


async def test_an_accepted_job_has_its_estimate_reserved(storage: Storage) -> None:
    job = await accepted(storage, estimate=8)
    assert (job.reserved, job.settled) == (8, 0)
    assert await lines(storage, job.id) == [(RESERVE, 8)]


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


async def test_a_job_that_cost_nothing_gives_everything_back(storage: Storage) -> None:
    job = await accepted(storage, estimate=8)
    async with storage.write() as transaction:
        free = await transaction.run(settle_job, job.id, 0, NOW)
    assert (free.reserved, free.settled) == (0, 0)
    assert await lines(storage, job.id) == [(RESERVE, 8), (RELEASE, 8)]


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


async def test_a_job_that_nobody_accepted_has_no_money(storage: Storage) -> None:
    async with storage.write() as transaction:
        with pytest.raises(ReservationError):
            await transaction.run(settle_job, a_job().id, 5, NOW)


async def test_nothing_costs_less_than_nothing(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.run(settle_job, job.id, -1, NOW)
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.run(correct_jobs, [job.id], -1, NOW)


async def test_lines_name_who_spent_where_and_when(storage: Storage) -> None:
    job = await accepted(storage, guild_id=9, user_id=4)
    await accepted(storage, guild_id=1)
    async with storage.read() as transaction:
        (line,) = await ledger_lines(transaction, guild_id=9)
        assert (line.guild_id, line.user_id, line.job_id, line.at) == (9, 4, job.id, NOW)
        assert len(await ledger_lines(transaction)) == 2
