from datetime import timedelta

from bot.domain import Usage, Window
from bot.storage import Storage
from tests.support.jobs import NOW, TODAY, a_job, accepted


async def test_a_job_says_nothing_of_money_until_the_ledger_does(storage: Storage) -> None:
    job = a_job(reserved=50, settled=60)
    async with storage.write() as transaction:
        await transaction.jobs.add_all([job])
        assert await transaction.budget_sums.usage(1, TODAY) == Usage()


async def test_usage_adds_up_a_server_and_each_member_in_it(storage: Storage) -> None:
    await accepted(storage, user_id=3, estimate=8)
    paid = await accepted(storage, user_id=4, estimate=5)
    await accepted(storage, guild_id=9, user_id=3, estimate=100)
    async with storage.write() as transaction:
        await transaction.ledger.settle(paid, 4, NOW)
    async with storage.read() as transaction:
        assert await transaction.budget_sums.usage(1, TODAY) == Usage(settled=4, reserved=8)
        assert await transaction.budget_sums.usage(1, TODAY, user_id=3) == Usage(reserved=8)
        assert await transaction.budget_sums.usage(1, TODAY, user_id=4) == Usage(settled=4)
        assert await transaction.budget_sums.usage(7, TODAY) == Usage()


async def test_several_servers_are_asked_for_together_and_told_apart(storage: Storage) -> None:
    for guild_id, user_id, estimate in ((1, 3, 8), (1, 4, 5), (1, 4, 6), (2, 3, 100), (7, 3, 1000)):
        await accepted(storage, guild_id=guild_id, user_id=user_id, estimate=estimate)
    async with storage.write() as transaction:
        await transaction.ledger.grant(1, None, 20, "today", NOW)
        await transaction.ledger.grant(2, 3, 30, "today", NOW)
        await transaction.ledger.grant(2, 3, 40, "another day", NOW)
    async with storage.read() as transaction:
        found = await transaction.budget_sums.usage_and_grants([1, 2, 9], TODAY, "today", [3])
        assert found[1] == ({3: Usage(reserved=8), None: Usage(reserved=11)}, {None: 20})
        assert found[2] == ({3: Usage(reserved=100)}, {3: 30})
        assert found[9] == ({}, {})
        assert [found[one].whole for one in (1, 2, 9)] == [Usage(reserved=19), Usage(reserved=100), Usage()]
        alone = await transaction.budget_sums.usage_and_grants([1], TODAY, "today", [])
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
        assert (await transaction.budget_sums.usage(1, window)).spent == 110
        assert (await transaction.budget_sums.usage(1, Window(NOW, None))).spent == 1110
        assert (await transaction.budget_sums.usage(1, Window(None, None))).spent == 1111
