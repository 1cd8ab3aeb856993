"""Servers' settings, keys, lanes, prices and small values."""

import asyncio
from datetime import datetime, timedelta
from math import ceil

from bot import posts
from bot.credits import charges
from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.jobs import lanes as lane_rows
from bot.jobs.lanes import MAX_KEPT_SAMPLES, Sample
from bot.servers import keys as server_keys, notices, settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import GuildSettings
from tests.support.database import given
from tests.support.jobs import NOW, accepted, last_charges
from tests.support.posts import open_posts, sent

LATER = NOW + timedelta(hours=1)


async def test_each_setting_of_a_server_leaves_the_others_as_they_were(db: Database) -> None:
    do = db.write
    await do(settings.change, 1, timezone="Europe/Berlin")
    assert await do(settings.of, 1) == GuildSettings(1, own_timezone="Europe/Berlin")
    budget = Budget(0, Period.TOTAL, NOW)
    await do(settings.set_budget, 1, budget)
    key = await db.write(server_keys.add, 1, "lane", "abcd", Plan.TEAM, b"sealed", NOW)
    await do(settings.set_key, 1, key.id, NOW)
    kept = await do(settings.of, 1)
    assert (kept.key_id, kept.budget, kept.timezone) == (key.id, budget, "Europe/Berlin")
    await do(settings.set_key, 1, None, LATER)
    kept = await do(settings.of, 1)
    assert (kept.key_id, kept.budget, kept.timezone) == (None, budget, "Europe/Berlin")
    assert await do(settings.of, 2) == GuildSettings(2)


async def test_a_restart_does_not_forget_what_was_sent_with_a_key(db: Database) -> None:
    now = ceil(NOW.timestamp())
    await db.write(lane_rows.keep_window, "one", None, [now + 3, now + 1, now + 3])
    await db.write(lane_rows.keep_window, "one", 7, [now + 2])
    await db.write(lane_rows.record, "one", NOW)
    await db.write(lane_rows.record, "one", NOW + timedelta(seconds=5))
    await db.write(lane_rows.keep_window, "two", None, [now + 9])
    await db.write(lane_rows.keep_window, "two", None, [now + 4])
    counted = [now + lane_rows.COUNTED, now + 5 + lane_rows.COUNTED]
    found = await db.read(lane_rows.windows, ["one", "two", "three"])
    others = await db.read(lane_rows.windows, ["one"], 7)
    assert sorted(found["one"]) == [now + 1, now + 2, now + 3, now + 3, *counted]
    assert (found["two"], found["three"]) == ([now + 4], [])
    assert sorted(others["one"]) == [now + 1, now + 3, now + 3, *counted]


async def test_what_no_window_holds_any_more_is_forgotten(db: Database) -> None:
    await db.write(lane_rows.record, "one", NOW)
    await db.write(lane_rows.record, "one", NOW + timedelta(minutes=3))
    assert len((await db.write(lane_rows.windows, ["one"]))["one"]) == 1
    await db.write(lane_rows.tidy, NOW + timedelta(minutes=6))
    assert await db.write(lane_rows.windows, ["one"]) == {"one": []}


async def test_a_wall_clock_that_was_set_back_does_not_block_a_lane(db: Database) -> None:
    await db.write(lane_rows.record, "one", LATER)
    await db.write(lane_rows.record, "one", NOW)
    until = (await db.write(lane_rows.windows, ["one"]))["one"]
    assert until == [ceil(NOW.timestamp() + lane_rows.COUNTED)]


async def test_the_last_charge_of_a_tool_is_remembered_for_each_key(db: Database) -> None:

    async def learn(lane: str, tool: str, variant: str, charge: int, at: datetime = NOW) -> int | None:
        return await db.write(charges.learn, lane, tool, variant, charge, at)

    assert await last_charges(db, "lane", "studio", "mode=image") == (None, None)
    assert await learn("lane", "studio", "mode=image", 9) is None
    assert await learn("lane", "studio", "mode=image", 8, LATER) == 9
    assert await learn("lane", "studio", "mode=image", 8, LATER) == 8
    await learn("lane", "studio", "mode=video", 40)
    await learn("lane", "photo-restore", "", 90)
    assert await last_charges(db, "lane", "studio", "mode=image") == (8, 8)
    assert await last_charges(db, "lane", "photo-restore", "") == (90, 90)
    await learn("other", "studio", "mode=image", 3, LATER)
    assert await last_charges(db, "lane", "studio", "mode=image") == (8, 3)
    assert await last_charges(db, "third", "studio", "mode=image") == (None, 3)


async def test_only_the_newest_are_kept_of_each(db: Database) -> None:
    await db.write(lane_rows.learn_durations, [Sample("studio", "video", 1.0, 2.0, NOW)])
    for n in range(MAX_KEPT_SAMPLES + 7):
        await db.write(lane_rows.learn_durations, [Sample("studio", "image", float(n), n + 1.0, NOW)])
    kept = await db.read(lane_rows.durations)
    assert kept["studio", "image"] == [(float(n), n + 1.0) for n in range(7, MAX_KEPT_SAMPLES + 7)]
    assert len(kept["studio", "video"]) == 1


UNKNOWN, BUDGET = NoticeKind.UNKNOWN, NoticeKind.BUDGET_80


async def test_fifty_at_once_that_would_tell_the_same_tell_it_once(db: Database) -> None:
    async def tell() -> bool:
        return await db.write(notices.add, 1, BUDGET, "2026-05-04", at=NOW, details={"left": 20})

    assert sorted(await asyncio.gather(*(tell() for _ in range(50)))) == [False] * 49 + [True]
    (notice,) = await db.read(open_posts)
    assert (notice.kind, notice.details, notice.created_at) == (BUDGET, {"left": 20}, NOW)
    assert len(notice.nonce) <= 25


async def test_what_was_posted_is_not_told_again_until_it_was_over(db: Database) -> None:
    job = await accepted(db)
    do = db.write
    await do(notices.add, 1, UNKNOWN, job.id, at=NOW, job_id=job.id)
    (notice,) = await do(open_posts)
    assert notice.job_id == job.id
    await do(given(sent, notice, NOW))
    assert await do(open_posts) == []
    assert not await do(notices.add, 1, UNKNOWN, job.id, at=NOW)
    await do(posts.forget, 2, UNKNOWN)
    assert not await do(notices.add, 1, UNKNOWN, job.id, at=NOW)
    await do(posts.forget, 1, UNKNOWN)
    assert await do(notices.add, 1, UNKNOWN, job.id, at=NOW)
