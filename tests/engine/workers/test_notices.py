"""Admins are told once."""

from pathlib import Path

import pytest

from bot import posts
from bot.posts import Later, NotHere, Stands
from bot.servers import settings as server_settings
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, EngineWorld, a_job, engine_world
from tests.support.posts import open_posts

CHANNEL = 555


async def tell(world: EngineWorld, kind: NoticeKind, key: str = "1", job_id: str | None = None) -> None:
    await world.db.write(posts.want, GUILD, kind, key, at=world.clock.now(), job_id=job_id)


async def use_log(world: EngineWorld, *, results: bool = False) -> None:
    await world.db.write(server_settings.set_log, GUILD, CHANNEL, results=results)


async def all_told(world: EngineWorld) -> None:
    async def empty() -> bool:
        return await world.db.read(open_posts) == []

    await world.until(empty, "all notices closed")


def posted(world: EngineWorld) -> list[tuple[str, int | None]]:
    return [(notice.kind, channel) for notice, channel, _ in world.discord.notices]


@pytest.mark.promise
async def test_a_notice_is_posted_once_also_over_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await use_log(world)
        await tell(world, NoticeKind.BUDGET_80)
        async with world.running():
            await all_told(world)
        await tell(world, NoticeKind.BUDGET_80)
        async with world.running():
            await all_told(world)
        assert posted(world) == [(NoticeKind.BUDGET_80, CHANNEL)]


@pytest.mark.promise
async def test_what_cannot_be_posted_now_is_posted_later(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await use_log(world)
        world.discord.notice_answers = [Later(0.02), Later(0.02), Stands(1)]
        await tell(world, NoticeKind.BUDGET_80)
        await tell(world, NoticeKind.BUDGET_100)
        async with world.running():
            await all_told(world)
        assert [kind for kind, _ in posted(world)] == [NoticeKind.BUDGET_80] * 3 + [NoticeKind.BUDGET_100]


@pytest.mark.promise
async def test_without_a_log_channel_the_owner_hears_what_stops_everything_and_no_more(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        for kind in (NoticeKind.BUDGET_80, NoticeKind.KEY_REFUSED, NoticeKind.OUT_OF_CREDITS):
            await tell(world, kind)
        async with world.running():
            await all_told(world)
        assert posted(world) == [(NoticeKind.KEY_REFUSED, None), (NoticeKind.OUT_OF_CREDITS, None)]


@pytest.mark.promise
async def test_the_owner_is_told_once_that_the_log_channel_is_gone(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await use_log(world)
        world.discord.notice_answers = [NotHere("gone"), NotHere("gone")]
        await tell(world, NoticeKind.BUDGET_80)
        await tell(world, NoticeKind.BUDGET_100)
        async with world.running():
            await all_told(world)
        assert posted(world)[2:] == [(NoticeKind.LOG_LOST, None)]


async def test_each_loss_of_the_log_channel_is_told_once_and_a_later_one_anew(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await use_log(world)
        for number, answer in enumerate([NotHere("gone"), NotHere("gone"), Stands(1), NotHere("gone")]):
            await tell(world, NoticeKind.BUDGET_80, str(number))
            world.discord.notice_answers = [answer]
            async with world.running():
                await all_told(world)
        lost = [number for number, (kind, _) in enumerate(posted(world)) if kind == NoticeKind.LOG_LOST]
        assert lost == [1, 5]


async def test_what_stops_everything_reaches_the_owner_if_the_channel_is_gone(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await use_log(world)
        world.discord.notice_answers = [NotHere("gone")]
        await tell(world, NoticeKind.KEY_REFUSED)
        async with world.running():
            await all_told(world)
        assert posted(world) == [
            (NoticeKind.KEY_REFUSED, CHANNEL),
            (NoticeKind.KEY_REFUSED, None),
            (NoticeKind.LOG_LOST, None),
        ]


@pytest.mark.promise
async def test_who_made_what_is_told_where_an_admin_wants_it(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await use_log(world, results=True)
        job = await world.accept(a_job())
        async with world.running():
            await world.announced(job.id)
            await all_told(world)
        ((notice, channel, shown),) = world.discord.notices
        assert (notice.kind, channel) == (NoticeKind.MADE, CHANNEL)
        assert shown is not None
        assert shown.result_message_id is not None
