import pytest
from sqlalchemy import text

from bot.connections import used_once
from bot.credits import ledger
from bot.db import Database
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from tests.support.jobs import NOW, accepted, settle_job


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
