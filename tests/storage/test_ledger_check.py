"""Whatever goes wrong in the books, the check of the ledger says what and where, on both databases."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.db import used_once
from bot.domain import Job, JobState
from bot.storage import Storage
from tests.support.jobs import NOW, accepted


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        yield opened


async def end(storage: Storage, job: Job, charge: int | None) -> None:
    async with storage.write() as transaction:
        await transaction.jobs.advance(job.id, JobState.RECEIVED, JobState.FAILED, at=NOW)
        if charge is None:
            await transaction.ledger.release(job, NOW)
        else:
            await transaction.ledger.settle(job, charge, NOW)


async def found(storage: Storage) -> list[str]:
    async with storage.read() as transaction:
        return await transaction.ledger_check.differences(NOW)


LINE = "INSERT INTO ledger (guild_id, user_id, job_id, kind, amount, at) VALUES"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "UPDATE jobs SET settled = settled + 1 WHERE id = :paid",
            "its balances are 0 reserved and 9 settled",
        ),
        ("UPDATE jobs SET reserved = reserved - 1 WHERE id = :open", "its balances are 4 reserved"),
        ("DELETE FROM ledger WHERE kind = 'settle' AND job_id = :paid", "no ledger line resolves it"),
        ("UPDATE ledger SET amount = 3 WHERE kind = 'reserve' AND job_id = :open", "3 reserved"),
        ("UPDATE jobs SET state = 'cancelled' WHERE id = :open", "its reservation was never resolved"),
        ("UPDATE jobs SET resolved_at = NULL WHERE id = :free", "its row is open"),
        (f"{LINE} (1, 3, :paid, 'release', 0, :later)", "resolved more than once"),
        (
            "UPDATE ledger SET guild_id = 9 WHERE job_id = :open",
            "ledger lines that belong to another server: 1",
        ),
        ("UPDATE jobs SET user_id = 4 WHERE id = :open", "ledger lines that belong to another member: 1"),
        (f"{LINE} (1, 3, NULL, 'settle', 7, :later)", "(settle, 7) belongs to no job"),
        (f"{LINE} (1, 3, :open, 'grant', 7, :later)", "was made by an admin, but belongs to job"),
        (
            "UPDATE ledger SET period = NULL WHERE kind = 'grant'",
            "(grant, 20) was made by an admin, but has no",
        ),
        (
            "UPDATE jobs SET created_at = :later WHERE id = :paid",
            "Server 1, current period: its jobs have 5 credits reserved or charged, its ledger lines 13.",
        ),
    ],
)
async def test_what_does_not_agree_is_named(storage: Storage, either: str, damage: str, said: str) -> None:
    paid, free = await accepted(storage, estimate=8), await accepted(storage, estimate=6)
    named = {"paid": paid.id, "free": free.id, "open": (await accepted(storage, estimate=5)).id}
    sound = await accepted(storage, guild_id=7, estimate=3)
    await end(storage, paid, 8)
    await end(storage, free, None)
    async with storage.write() as transaction:
        await transaction.ledger.grant(1, 3, 20, "day 2026-03-02", NOW)
    assert await found(storage) == []
    later: object = NOW + timedelta(days=2)
    if "sqlite" in either:
        later = str(later).removesuffix("+00:00")
    values = {name: value for name, value in (named | {"later": later}).items() if f":{name}" in damage}
    async with used_once(either, writes=True) as connection:
        await connection.execute(text(damage), values)
        await connection.commit()
    sentences = await found(storage)
    assert said in " ".join(sentences)
    assert sound.id not in " ".join(sentences)
    assert not any("erver 7" in sentence for sentence in sentences)


async def test_a_server_whose_lines_are_anothers_is_named_with_both_sums(
    storage: Storage, either: str
) -> None:
    await accepted(storage, estimate=8)
    async with used_once(either, writes=True) as connection:
        await connection.execute(text("UPDATE ledger SET guild_id = 9"))
        await connection.commit()
    sentences = await found(storage)
    assert (
        "Server 1 (all time): its jobs have 8 credits reserved or charged, its ledger lines 0." in sentences
    )
    assert (
        "Server 9 (all time): its jobs have 0 credits reserved or charged, its ledger lines 8." in sentences
    )
