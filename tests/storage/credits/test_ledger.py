from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain import EntryKind, JobState, Usage, Window
from bot.storage import ReservationError, Storage
from tests.support.jobs import NOW, TODAY, a_job, accepted

RESERVE, CORRECT = EntryKind.RESERVE, EntryKind.CORRECT
SETTLE, RELEASE = EntryKind.SETTLE, EntryKind.RELEASE


async def lines(storage: Storage, job_id: str) -> list[tuple[EntryKind, int]]:
    async with storage.read() as transaction:
        assert await transaction.ledger_check.everything() == []
        return [(entry.kind, entry.amount) for entry in await transaction.ledger.entries(job_id=job_id)]


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
    to, move = JobState.SUCCEEDED, (JobState.RUNNING, JobState.SUCCEEDED, NOW)
    async with storage.write() as transaction:
        done = await transaction.ledger.settle_and_move(job, charge, *move, output_file="a.png")
        assert transaction.session.changes.jobs == {job.id: done}
    money = {"reserved": 0, "settled": charge}
    assert done == replace(job, state=to, version=2, announced_at=None, output_file="a.png", **money)
    assert await lines(storage, job.id) == [(RESERVE, 8), *written]


@pytest.mark.parametrize("since", ["moved", "corrected", "settled", "released"])
async def test_a_job_that_has_changed_since_is_not_settled_and_moved(since: str, storage: Storage) -> None:
    job = await accepted(storage, estimate=8, state=JobState.RUNNING)
    move = (JobState.RUNNING, JobState.SUCCEEDED, NOW)
    async with storage.write() as transaction:
        ledger = transaction.ledger
        ways = {
            "moved": lambda: transaction.jobs.advance(job.id, JobState.RUNNING, JobState.FAILED, at=NOW),
            "corrected": lambda: ledger.correct(job.id, 9, NOW),
            "settled": lambda: ledger.settle(job, 8, NOW),
            "released": lambda: ledger.release(job, NOW),
        }
        await ways[since]()
        now, before = await transaction.jobs.get(job.id), await ledger.entries(job_id=job.id)
        assert await ledger.settle_and_move(job, 8, *move) is None
        assert await transaction.jobs.get(job.id) == now
        assert await ledger.entries(job_id=job.id) == before


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
        before = await ledger.entries(job_id=job.id)
        with pytest.raises(ReservationError):
            await ways[second]()
        assert await ledger.entries(job_id=job.id) == before
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


async def test_a_job_says_nothing_of_money_until_the_ledger_does(storage: Storage) -> None:
    job = a_job(reserved=50, settled=60)
    async with storage.write() as transaction:
        await transaction.jobs.add(job)
        assert await transaction.ledger.usage(1, TODAY) == Usage()


async def test_usage_adds_up_a_server_and_each_member_in_it(storage: Storage) -> None:
    await accepted(storage, user_id=3, estimate=8)
    paid = await accepted(storage, user_id=4, estimate=5)
    await accepted(storage, guild_id=9, user_id=3, estimate=100)
    async with storage.write() as transaction:
        await transaction.ledger.settle(paid, 4, NOW)
    async with storage.read() as transaction:
        assert await transaction.ledger.usage(1, TODAY) == Usage(settled=4, reserved=8)
        assert await transaction.ledger.usage(1, TODAY, user_id=3) == Usage(reserved=8)
        assert await transaction.ledger.usage(1, TODAY, user_id=4) == Usage(settled=4)
        assert await transaction.ledger.usage(7, TODAY) == Usage()


async def test_several_servers_are_asked_for_together_and_told_apart(storage: Storage) -> None:
    for guild_id, user_id, estimate in ((1, 3, 8), (1, 4, 5), (1, 4, 6), (2, 3, 100), (7, 3, 1000)):
        await accepted(storage, guild_id=guild_id, user_id=user_id, estimate=estimate)
    async with storage.write() as transaction:
        await transaction.ledger.grant(1, None, 20, "today", NOW)
        await transaction.ledger.grant(2, 3, 30, "today", NOW)
        await transaction.ledger.grant(2, 3, 40, "another day", NOW)
    async with storage.read() as transaction:
        found = await transaction.ledger.usage_and_grants([1, 2, 9], TODAY, "today", [3])
        assert found[1] == ({3: Usage(reserved=8), None: Usage(reserved=11)}, {None: 20})
        assert found[2] == ({3: Usage(reserved=100)}, {3: 30})
        assert found[9] == ({}, {})
        assert [found[one].whole for one in (1, 2, 9)] == [Usage(reserved=19), Usage(reserved=100), Usage()]
        alone = await transaction.ledger.usage_and_grants([1], TODAY, "today", [])
        assert alone == {1: ({None: Usage(reserved=19)}, {None: 20})}


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
        assert (await transaction.ledger.usage(1, window)).spent == 110
        assert (await transaction.ledger.usage(1, Window(NOW, None))).spent == 1110
        assert (await transaction.ledger.usage(1, Window(None, None))).spent == 1111


async def test_lines_name_who_spent_where_and_when(storage: Storage) -> None:
    job = await accepted(storage, guild_id=9, user_id=4)
    await accepted(storage, guild_id=1)
    async with storage.read() as transaction:
        (line,) = await transaction.ledger.entries(guild_id=9)
        assert (line.guild_id, line.user_id, line.job_id, line.at) == (9, 4, job.id, NOW)
        assert len(await transaction.ledger.entries()) == 2
