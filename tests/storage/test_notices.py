"""What admins are told, once."""

import asyncio

import pytest

from bot import posts
from bot.servers import notices, settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import LogSettings
from bot.storage import Storage
from tests.support.jobs import NOW, accepted
from tests.support.posts import open_posts, sent

UNKNOWN, BUDGET = NoticeKind.UNKNOWN, NoticeKind.BUDGET_80


async def test_fifty_at_once_that_would_tell_the_same_tell_it_once(storage: Storage) -> None:
    async def tell() -> bool:
        async with storage.write() as transaction:
            return await transaction.run(notices.add, 1, BUDGET, "2026-05-04", at=NOW, details={"left": 20})

    assert sorted(await asyncio.gather(*(tell() for _ in range(50)))) == [False] * 49 + [True]
    async with storage.read() as transaction:
        (notice,) = await transaction.run(open_posts)
    assert (notice.kind, notice.details, notice.created_at) == (BUDGET, {"left": 20}, NOW)
    assert len(notice.nonce) <= 25


async def test_another_period_kind_or_server_is_told_by_itself(storage: Storage) -> None:
    async with storage.write() as transaction:
        do = transaction.run
        assert await do(notices.add, 1, BUDGET, "monday", at=NOW)
        assert await do(notices.add, 1, BUDGET, "tuesday", at=NOW)
        assert await do(notices.add, 1, NoticeKind.BUDGET_100, "monday", at=NOW)
        assert await do(notices.add, 2, BUDGET, "monday", at=NOW)
        assert [one.guild_id for one in await do(open_posts, 1)] == [1, 1, 1]


async def test_what_was_posted_is_not_told_again_until_it_was_over(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        do = transaction.run
        await do(notices.add, 1, UNKNOWN, job.id, at=NOW, job_id=job.id)
        (notice,) = await do(open_posts)
        assert notice.job_id == job.id
        await do(sent, notice, NOW)
        assert await do(open_posts) == []
        assert not await do(notices.add, 1, UNKNOWN, job.id, at=NOW)
        await do(posts.forget, 2, UNKNOWN)
        assert not await do(notices.add, 1, UNKNOWN, job.id, at=NOW)
        await do(posts.forget, 1, UNKNOWN)
        assert await do(notices.add, 1, UNKNOWN, job.id, at=NOW)


async def test_a_change_that_is_undone_tells_nothing(storage: Storage) -> None:
    async def fail() -> None:
        async with storage.write() as transaction:
            await transaction.run(notices.add, 1, BUDGET, "monday", at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with storage.read() as transaction:
        assert await transaction.run(open_posts) == []


async def test_a_key_that_would_be_cut_off_is_refused(storage: Storage) -> None:
    async with storage.write() as transaction:
        with pytest.raises(ValueError, match="64"):
            await transaction.run(notices.add, 1, BUDGET, "x" * 65, at=NOW)


async def test_a_server_has_no_log_channel_until_one_is_set_and_can_do_without_again(
    storage: Storage,
) -> None:
    async with storage.write() as transaction:
        do = transaction.run
        assert await do(settings.log_of, 1) == LogSettings(1)
        await do(settings.set_log, 1, 5, results=True)
        assert await do(settings.log_of, 1) == LogSettings(1, 5, results=True)
        await do(settings.set_log, 1, None)
        assert await do(settings.log_of, 1) == LogSettings(1)
        assert await do(settings.log_of, 2) == LogSettings(2)
