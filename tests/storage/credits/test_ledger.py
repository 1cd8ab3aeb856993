from dataclasses import replace

import pytest

from bot.domain import EntryKind, JobState
from bot.storage import ReservationError, Storage
from tests.support.jobs import NOW, a_job, accepted, ledger_lines

RESERVE, CORRECT = EntryKind.RESERVE, EntryKind.CORRECT
SETTLE, RELEASE = EntryKind.SETTLE, EntryKind.RELEASE


async def lines(storage: Storage, job_id: str) -> list[tuple[EntryKind, int]]:
    async with storage.read() as transaction:
        assert await transaction.ledger_check.everything() == []
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
        (0, [(SETTLE, 0), (RELEASE, 8)]),
        (11, [(CORRECT, 3), (SETTLE, 11)]),
    ],
)
async def test_a_job_pays_what_it_cost_and_gives_back_the_rest(
    charge: int, written: list[tuple[EntryKind, int]], storage: Storage
) -> None:
    job = await accepted(storage, estimate=8)
    async with storage.write() as transaction:
        paid = await transaction.ledger.settle(job, charge, NOW)
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
        corrected = await transaction.ledger.correct(job.id, charge, NOW)
        assert (corrected.reserved, corrected.settled) == (charge, 0)
        await transaction.ledger.settle(corrected, charge, NOW)
    assert await lines(storage, job.id) == [(RESERVE, 8), *written, (SETTLE, charge)]


async def test_a_job_that_cost_nothing_gives_everything_back(storage: Storage) -> None:
    job = await accepted(storage, estimate=8)
    async with storage.write() as transaction:
        free = await transaction.ledger.release(job, NOW)
    assert (free.reserved, free.settled) == (0, 0)
    assert await lines(storage, job.id) == [(RESERVE, 8), (RELEASE, 8)]


@pytest.mark.parametrize(
    ("charge", "written"),
    [(8, [(SETTLE, 8)]), (5, [(SETTLE, 5), (RELEASE, 3)]), (11, [(CORRECT, 3), (SETTLE, 11)])],
)
async def test_a_job_is_settled_and_moved_in_one_step(
    charge: int, written: list[tuple[EntryKind, int]], storage: Storage
) -> None:
    job = await accepted(storage, estimate=8, state=JobState.RUNNING, announced_at=NOW)
    to = JobState.SUCCEEDED
    async with storage.write() as transaction:
        done = await transaction.ledger.settle_and_move(job, charge, to, NOW, output_file="a.png")
        assert transaction.session.changes.jobs == {job.id: done}
    money = {"reserved": 0, "settled": charge}
    assert done == replace(job, state=to, version=2, announced_at=None, output_file="a.png", **money)
    assert await lines(storage, job.id) == [(RESERVE, 8), *written]


@pytest.mark.parametrize("since", ["moved", "corrected", "settled", "released"])
async def test_a_job_that_has_changed_since_is_not_settled_and_moved(since: str, storage: Storage) -> None:
    job = await accepted(storage, estimate=8, state=JobState.RUNNING)
    async with storage.write() as transaction:
        ledger = transaction.ledger
        ways = {
            "moved": lambda: transaction.jobs.advance(job.id, JobState.RUNNING, JobState.FAILED, at=NOW),
            "corrected": lambda: ledger.correct(job.id, 9, NOW),
            "settled": lambda: ledger.settle(job, 8, NOW),
            "released": lambda: ledger.release(job, NOW),
        }
        await ways[since]()
        now, before = await transaction.jobs.get(job.id), await ledger_lines(transaction, job_id=job.id)
        assert await ledger.settle_and_move(job, 8, JobState.SUCCEEDED, NOW) is None
        assert await transaction.jobs.get(job.id) == now
        assert await ledger_lines(transaction, job_id=job.id) == before


@pytest.mark.parametrize("estimate", [0, 8])
@pytest.mark.parametrize("first", ["settle", "release"])
@pytest.mark.parametrize("second", ["settle", "release", "correct", "reserve"])
async def test_a_reservation_is_resolved_once(
    estimate: int, first: str, second: str, storage: Storage
) -> None:
    job = await accepted(storage, estimate=estimate)
    async with storage.write() as transaction:
        ledger = transaction.ledger
        ways = {
            "settle": lambda: ledger.settle(job, 5, NOW),
            "release": lambda: ledger.release(job, NOW),
            "correct": lambda: ledger.correct(job.id, 5, NOW),
            "reserve": lambda: ledger.reserve_all([job], NOW),
        }
        await ways[first]()
        before = await ledger_lines(transaction, job_id=job.id)
        with pytest.raises(ReservationError):
            await ways[second]()
        assert await ledger_lines(transaction, job_id=job.id) == before
        assert await transaction.ledger_check.everything() == []


async def test_credits_are_reserved_once(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        with pytest.raises(ReservationError):
            await transaction.ledger.reserve_all([job], NOW)


async def test_a_job_that_nobody_accepted_has_no_money(storage: Storage) -> None:
    async with storage.write() as transaction:
        with pytest.raises(ReservationError):
            await transaction.ledger.settle(a_job(), 5, NOW)


async def test_nothing_costs_less_than_nothing(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.ledger.settle(job, -1, NOW)
        with pytest.raises(ValueError, match="less than 0"):
            await transaction.ledger.correct(job.id, -1, NOW)


async def test_lines_name_who_spent_where_and_when(storage: Storage) -> None:
    job = await accepted(storage, guild_id=9, user_id=4)
    await accepted(storage, guild_id=1)
    async with storage.read() as transaction:
        (line,) = await ledger_lines(transaction, guild_id=9)
        assert (line.guild_id, line.user_id, line.job_id, line.at) == (9, 4, job.id, NOW)
        assert len(await ledger_lines(transaction)) == 2
