"""A job's state and its credits change together, whatever has changed since the job was read."""

from collections.abc import AsyncGenerator

import pytest

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.jobs import queries, transitions
from bot.jobs.models import JobState
from bot.storage import Storage
from tests.support.jobs import NOW, accepted, correct_jobs, ledger_lines


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage]:
    async with Storage.open(either) as opened:
        yield opened


@pytest.mark.parametrize("charged", [None, 6, 12])
async def test_a_job_whose_reservation_was_corrected_meanwhile_pays_what_it_was_to_cost(
    charged: int | None, storage: Storage
) -> None:
    job = await accepted(storage, estimate=8, state=JobState.RUNNING, charged=charged)
    cost = 10 if charged is None else charged
    async with storage.write() as transaction:
        await transaction.run(correct_jobs, [job.id], 10, NOW)
    async with storage.write() as transaction:
        done = await transaction.run(transitions.succeed, job.id, "a.png", "image", NOW)
        assert done is not None
        assert (done.state, done.version, done.output_file) == (JobState.SUCCEEDED, 2, "a.png")
        assert (done.reserved, done.settled) == (0, cost)
        found = [(one.kind, one.amount) for one in await ledger_lines(transaction, job_id=job.id)]
        assert await transaction.run(ledger.differing) == []
    before, after = {
        10: ([], []),
        6: ([], [(EntryKind.RELEASE, 4)]),
        12: ([(EntryKind.CORRECT, 2)], []),
    }[cost]
    begun = [(EntryKind.RESERVE, 8), (EntryKind.CORRECT, 2)]
    assert found == [*begun, *before, (EntryKind.SETTLE, cost), *after]


async def test_a_job_that_does_not_run_any_more_does_not_succeed(storage: Storage) -> None:
    job = await accepted(storage, estimate=8, state=JobState.RUNNING)
    async with storage.write() as transaction:
        failed = await transaction.run(transitions.advance, job.id, JobState.RUNNING, JobState.FAILED, at=NOW)
        assert await transaction.run(transitions.succeed, job.id, "a.png", "image", NOW) is None
        assert await transaction.run(queries.get, job.id) == failed
