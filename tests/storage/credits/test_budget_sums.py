from datetime import timedelta

from bot.credits import ledger
from bot.credits.ledger import Usage, Window
from bot.storage import Storage, Transaction
from tests.support.jobs import NOW, TODAY, accepted, settle_job


async def used(transaction: Transaction, window: Window, *members: int) -> dict[int | None, Usage]:
    return (await transaction.run(ledger.used, [1], window, members))[1]


async def test_usage_adds_up_a_server_and_each_member_in_it(storage: Storage) -> None:
    await accepted(storage, user_id=3, estimate=8)
    paid = await accepted(storage, user_id=4, estimate=5)
    await accepted(storage, guild_id=9, user_id=3, estimate=100)
    async with storage.write() as transaction:
        await transaction.run(settle_job, paid.id, 4, NOW)
    async with storage.read() as transaction:
        assert await used(transaction, TODAY) == {None: Usage(settled=4, reserved=8)}
        assert await used(transaction, TODAY, 3) == {3: Usage(reserved=8), None: Usage(settled=4)}
        assert await used(transaction, TODAY, 4) == {4: Usage(settled=4), None: Usage(reserved=8)}


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
