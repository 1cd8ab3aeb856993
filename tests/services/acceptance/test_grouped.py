"""However requests come together, each is decided as if it had come alone, in order of arrival.

`FUZZ_STEPS` says how many stories there are beside the ordinary ten, one for 500 of them.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.credits import charges, ledger
from bot.errors import Refused
from bot.jobs import queries
from bot.jobs.accept import Acceptor
from bot.jobs.decide import Decisions
from bot.jobs.models import Job, JobRequest
from bot.servers import settings as server_settings
from bot.servers.notices import NoticeKind
from bot.storage import Storage
from tests.services.acceptance.stories import (
    CHEAP,
    NOW,
    Asked,
    each_alone,
    kept,
    request,
    said,
    server,
    set_up,
    together,
)
from tests.services.world import PICTURE
from tests.support.clock import FakeClock
from tests.support.jobs import PHOTO
from tests.support.posts import open_posts
from tests.support.services import accept, services_on

# Between them, these notice each of: jobs, starts or credits that are not counted within a group, whatever
# limits them, and each change that a refused set leaves behind.
ORDINARY = (0, 3, 4, 8, 10, 11, 12, 22, 116, 120)
SEEDS = sorted({*ORDINARY, *range(int(os.environ.get("FUZZ_STEPS", "0")) // 500)})


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        yield opened


@pytest.fixture
async def acceptance(storage: Storage, tmp_path: Path) -> Acceptor:
    return (await services_on(storage, tmp_path, FakeClock())).acceptance


@pytest.mark.promise
@pytest.mark.parametrize("seed", SEEDS)
async def test_any_grouping_gives_the_decisions_of_one_after_the_other(
    storage: Storage, acceptance: Acceptor, seed: int
) -> None:
    first, second = Asked(1), Asked(2)
    for guild_id in (1, 2):
        await server(storage, guild_id, random.Random(seed))
    chance = random.Random(seed)
    for _ in range(5):  # groups of any size, of which each builds on those before
        size, wishes = chance.randint(1, 14), chance.random()
        alone = await each_alone(acceptance, first.some(size, random.Random(wishes)))
        grouped = await together(storage, acceptance, second.some(size, random.Random(wishes)))
        assert [second.said(one) for one in grouped] == [first.said(one) for one in alone]
        if chance.random() < 0.4:
            await learn(storage, chance.randint(1, 40))
    assert await kept(storage, second) == await kept(storage, first)


async def learn(storage: Storage, price: int) -> None:
    async with storage.write() as transaction:
        for guild_id in (1, 2):
            await transaction.run(charges.learn, f"lane {guild_id}", "studio", CHEAP, price, NOW)


async def test_servers_that_share_a_group_do_not_concern_each_other(
    storage: Storage, acceptance: Acceptor
) -> None:
    chance = random.Random(1)
    asked: list[JobRequest] = []
    for guild_id in (1, 2, 3):
        await server(storage, guild_id, random.Random(guild_id))
        await server(storage, guild_id + 10, random.Random(guild_id))
        asked += [request(guild_id, chance) for _ in range(8)]
    chance.shuffle(asked)
    answers = [said(answer) for answer in await together(storage, acceptance, [[one] for one in asked])]
    for guild_id in (1, 2, 3):
        same = [
            replace(one, guild_id=guild_id + 10, once=None if one.once is None else f"1{one.once}")
            for one in asked
            if one.guild_id == guild_id
        ]
        theirs = [answer for one, answer in zip(asked, answers, strict=True) if one.guild_id == guild_id]
        answered = await together(storage, acceptance, [[one] for one in same])
        assert [said(answer) for answer in answered] == theirs


@pytest.mark.promise
async def test_with_room_for_n_exactly_the_first_n_are_accepted_and_the_others_are_told(
    storage: Storage, acceptance: Acceptor
) -> None:
    await set_up(storage, room_for=7)
    answers = await together(
        storage, acceptance, [[replace(PICTURE, guild_id=1, user_id=one)] for one in range(1, 201)]
    )
    assert [isinstance(answer, list) for answer in answers] == [True] * 7 + [False] * 193
    assert all("0 of 56 credits left today" in said(answer) for answer in answers[7:])
    async with storage.read() as transaction:
        stored = (await transaction.run(queries.page, 1, None, 0, 100))[::-1]
        told = {one.kind for one in await transaction.run(open_posts, 1)}
    assert [job.user_id for job in stored] == list(range(1, 8))
    assert told == {NoticeKind.BUDGET_80, NoticeKind.BUDGET_100}


async def test_photos_without_room_for_all_are_decided_alone_but_before_what_came_later(
    storage: Storage, acceptance: Acceptor
) -> None:
    await set_up(storage, room_for=5)
    photo = replace(PICTURE, guild_id=1, user_id=3, source=PHOTO, origin_message_id=7)
    photos = [replace(photo, once=f"photo {number}") for number in range(7)]
    later = [replace(PICTURE, guild_id=1, user_id=4)]
    first = await together(storage, acceptance, [photos[:2]])
    answers = await together(storage, acceptance, [photos[1:], later])
    assert [said(one).split(":")[0] for one in (*first, *answers)] == [
        "2 accepted",
        "Repeated",
        *["1 accepted"] * 3,
        *["CreditsShort"] * 2,
        "CreditsShort",
    ]
    assert "0 of 40 credits left today" in said(answers[-1])
    async with storage.read() as transaction:
        stored = await transaction.run(queries.page, 1, None, 0, 100)
    assert [job.set_id is None for job in stored[::-1]] == [False] * 2 + [True] * 3


@pytest.mark.promise
async def test_what_nobody_foresaw_in_one_request_concerns_that_one_alone(
    storage: Storage, acceptance: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server(storage, 1, random.Random(3))
    decide = Decisions.decide

    def unforeseen(decisions: Decisions, asked: JobRequest) -> Job:
        if asked.user_id == 13:
            raise KeyError("13")
        return decide(decisions, asked)

    monkeypatch.setattr(Decisions, "decide", unforeseen)
    asked = [replace(PICTURE, guild_id=1, user_id=one) for one in (3, 13, 4)]
    async with storage.write():
        answers = [asyncio.create_task(accept(acceptance, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, KeyError)
    assert isinstance(first, Job)
    assert isinstance(last, Job)


async def test_a_row_that_the_database_refuses_leaves_the_others_in_the_group_alone(
    storage: Storage, acceptance: Acceptor, either: str
) -> None:
    await server(storage, 1, random.Random(3))
    ordinary = replace(PICTURE, guild_id=1, user_id=3)
    too_large, not_text = replace(ordinary, user_id=2**70), replace(ordinary, tapped="\0")
    asked = [ordinary, too_large if either.startswith("sqlite") else not_text, replace(ordinary, user_id=4)]
    async with storage.write():
        answers = [asyncio.create_task(accept(acceptance, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, Exception)
    assert not isinstance(bad, Refused)
    assert isinstance(first, Job)
    assert isinstance(last, Job)
    async with storage.read() as transaction:
        assert {job.id for job in await transaction.run(queries.page, 1, None, 0, 9)} == {first.id, last.id}
        assert await transaction.run(ledger.differing) == []


@pytest.mark.promise
async def test_a_change_counts_from_the_next_job_on_whoever_makes_it(
    storage: Storage, acceptance: Acceptor, tmp_path: Path, either: str
) -> None:
    await server(storage, 1, random.Random(3))
    asked = replace(PICTURE, guild_id=1, user_id=3)
    await accept(acceptance, asked)
    async with storage.write() as transaction:
        await transaction.run(server_settings.pause, 1, NOW, paused=True)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)
    async with storage.write() as transaction:
        await transaction.run(server_settings.pause, 1, NOW, paused=False)
    await accept(acceptance, asked)
    with suppress(LookupError):
        async with storage.write() as transaction:
            await transaction.run(server_settings.pause, 1, NOW, paused=True)
            assert (await transaction.run(server_settings.of, 1)).paused
            raise LookupError
    await accept(acceptance, asked)  # what was undone is not remembered
    if (file := tmp_path / "studii.db").exists():
        with closing(sqlite3.connect(file)) as other, other:  # another program
            other.execute("UPDATE guilds SET paused_at = '2026-01-01 00:00:00.000000'")
    else:
        async with Storage.open(either) as other_process, other_process.write() as transaction:
            await transaction.run(server_settings.pause, 1, NOW, paused=True)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)
