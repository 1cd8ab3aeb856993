"""However requests come together, each is decided as if it had come alone, in order of arrival."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import Budget, Job, JobRequest, NoticeKind, Period, Plan
from bot.domain.access import Block, MemberContext, PhotoScope
from bot.domain.limits import AllowanceScope
from bot.errors import Refused
from bot.services import JobService
from bot.services.acceptance.decision import Acceptance
from bot.storage import Storage
from tests.services.world import PICTURE
from tests.support.clock import FakeClock
from tests.support.jobs import PHOTO
from tests.support.services import accept, services_on

NOW = FakeClock().now()
MEMBERS, REFUSES, BLOCKED, ROLE = (3, 4, 5), 6, 7, 70
MODES = ("image", "video", "hologram")


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        yield opened


@pytest.fixture
async def jobs(storage: Storage, tmp_path: Path) -> JobService:
    return (await services_on(storage, tmp_path, FakeClock())).jobs


async def server(storage: Storage, guild_id: int, chance: random.Random) -> None:
    """A server with limits of all kinds, or some of them."""
    async with storage.write() as transaction:
        key = await transaction.keys.add(guild_id, f"lane {guild_id}", "abcd", Plan.PRO, b"", NOW)
        await transaction.guilds.set_key(guild_id, key.id, NOW)
        limit = chance.choice((0, 30, 100, 10_000))
        await transaction.guilds.set_budget(guild_id, Budget(limit, chance.choice(list(Period)), NOW))
        if chance.random() < 0.6:
            await transaction.policies.set(guild_id, jobs_at_once=chance.randint(1, 5))
        if chance.random() < 0.4:
            await transaction.policies.set(guild_id, starts=chance.randint(1, 4), starts_seconds=600)
        if chance.random() < 0.6:
            await transaction.policies.set_allowance(
                guild_id, AllowanceScope.MEMBERS, 0, chance.choice((0, 20, 200))
            )
        if chance.random() < 0.4:
            await transaction.policies.set_allowance(
                guild_id, AllowanceScope.ROLE, ROLE, chance.choice((8, 500))
            )
        await transaction.policies.set(guild_id, photos=chance.choice(list(PhotoScope)))
        await transaction.policies.block(guild_id, BLOCKED, Block())
        await transaction.policies.refuse_photos(REFUSES, NOW)
        if chance.random() < 0.5:
            await transaction.prices.learn(
                f"lane {guild_id}", "studio", "mode=image quality=standard", 3, NOW
            )


def request(guild_id: int, chance: random.Random) -> JobRequest:
    photo = chance.random() < 0.4
    once = chance.choice((None, None, f"{guild_id}:a", f"{guild_id}:b"))
    return replace(
        PICTURE,
        guild_id=guild_id,
        user_id=chance.choice((*MEMBERS, BLOCKED)),
        inputs={**PICTURE.inputs, "mode": chance.choice(MODES)},
        source=PHOTO if photo else None,
        photo_author=chance.choice((*MEMBERS, REFUSES)) if photo else None,
        private=chance.random() < 0.2,
        context=MemberContext(roles=frozenset({ROLE} if chance.random() < 0.3 else ())),
        once=once,
    )


async def together(storage: Storage, jobs: JobService, asked: Sequence[JobRequest]) -> list[str]:
    """What is said to each if they come while another writes: they are one group then."""
    async with storage.write():
        answers = [asyncio.create_task(accept(jobs, one)) for one in asked]
        for _ in range(3):
            await asyncio.sleep(0)
    return [said(answer) for answer in await asyncio.gather(*answers, return_exceptions=True)]


def said(answer: Job | BaseException) -> str:
    if isinstance(answer, Job):
        return f"accepted at {answer.estimate}, allowance of role {answer.allowance_role}"
    assert isinstance(answer, Refused), answer
    return f"{type(answer).__name__}: {answer}"


async def kept(storage: Storage, guild_id: int) -> tuple[Sequence[object], Sequence[object]]:
    """What the database holds of it in the end: jobs in order with their lines, and what admins are told."""
    async with storage.read() as transaction:
        found = await transaction.member_jobs.page(guild_id, None, 0, 100)
        lines: Mapping[str, list[object]] = {
            one.id: [(line.kind, line.amount) for line in await transaction.ledger.entries(job_id=one.id)]
            for one in found
        }
        told = await transaction.notices.pending(100, guild_id)
        assert await transaction.ledger_check.everything() == []
    jobs = sorted(((one.user_id, one.variant, one.reserved, lines[one.id]) for one in found), key=str)
    return jobs, [(one.kind, one.key, sorted(one.details.items(), key=str)) for one in told]


@pytest.mark.parametrize("seed", range(6))
async def test_any_grouping_gives_the_decisions_of_one_after_the_other(
    storage: Storage, jobs: JobService, seed: int
) -> None:
    for guild_id in (1, 2):
        await server(storage, guild_id, random.Random(seed))
    chance = random.Random(seed)
    for _ in range(3):  # groups of any size, of which each builds on those before
        size = chance.randint(1, 14)
        wishes = chance.random()
        first, second = (
            [request(guild_id, random.Random(f"{wishes} {number}")) for number in range(size)]
            for guild_id in (1, 2)
        )
        alone = [said((await asyncio.gather(accept(jobs, one), return_exceptions=True))[0]) for one in first]
        assert await together(storage, jobs, second) == alone
    assert await kept(storage, 2) == await kept(storage, 1)


async def test_servers_that_share_a_group_do_not_concern_each_other(
    storage: Storage, jobs: JobService
) -> None:
    chance = random.Random(1)
    asked: list[JobRequest] = []
    for guild_id in (1, 2, 3):
        await server(storage, guild_id, random.Random(guild_id))
        await server(storage, guild_id + 10, random.Random(guild_id))
        asked += [request(guild_id, chance) for _ in range(8)]
    chance.shuffle(asked)
    answers = await together(storage, jobs, asked)
    for guild_id in (1, 2, 3):
        same = [
            replace(one, guild_id=guild_id + 10, once=None if one.once is None else f"1{one.once}")
            for one in asked
            if one.guild_id == guild_id
        ]
        theirs = [answer for one, answer in zip(asked, answers, strict=True) if one.guild_id == guild_id]
        assert await together(storage, jobs, same) == theirs


async def test_with_room_for_n_exactly_the_first_n_are_accepted_and_the_others_are_told(
    storage: Storage, jobs: JobService
) -> None:
    async with storage.write() as transaction:
        key = await transaction.keys.add(1, "lane", "abcd", Plan.PRO, b"", NOW)
        await transaction.guilds.set_key(1, key.id, NOW)
        await transaction.guilds.set_budget(1, Budget(7 * 8, Period.DAY, NOW))
    answers = await together(
        storage, jobs, [replace(PICTURE, guild_id=1, user_id=one) for one in range(1, 201)]
    )
    assert [answer.startswith("accepted") for answer in answers] == [True] * 7 + [False] * 193
    assert all("0 of 56 credits left today" in answer for answer in answers[7:])
    async with storage.read() as transaction:
        stored = (await transaction.member_jobs.page(1, None, 0, 100))[::-1]
        told = {one.kind for one in await transaction.notices.pending(10, 1)}
    assert [job.user_id for job in stored] == list(range(1, 8))
    assert told == {NoticeKind.BUDGET_80, NoticeKind.BUDGET_100}


async def test_what_nobody_foresaw_in_one_request_concerns_that_one_alone(
    storage: Storage, jobs: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server(storage, 1, random.Random(3))
    decide = Acceptance.decide

    def unforeseen(acceptance: Acceptance, asked: JobRequest) -> Job:
        if asked.user_id == 13:
            raise KeyError("13")
        return decide(acceptance, asked)

    monkeypatch.setattr(Acceptance, "decide", unforeseen)
    asked = [replace(PICTURE, guild_id=1, user_id=one) for one in (3, 13, 4)]
    async with storage.write():
        answers = [asyncio.create_task(accept(jobs, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, KeyError)
    assert isinstance(first, Job)
    assert isinstance(last, Job)


async def test_a_row_that_the_database_refuses_leaves_the_others_in_the_group_alone(
    storage: Storage, jobs: JobService, either: str
) -> None:
    await server(storage, 1, random.Random(3))
    ordinary = replace(PICTURE, guild_id=1, user_id=3)
    too_large, not_text = replace(ordinary, user_id=2**70), replace(ordinary, tapped="\0")
    asked = [ordinary, too_large if either.startswith("sqlite") else not_text, replace(ordinary, user_id=4)]
    async with storage.write():
        answers = [asyncio.create_task(accept(jobs, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, Exception)
    assert not isinstance(bad, Refused)
    assert isinstance(first, Job)
    assert isinstance(last, Job)
    async with storage.read() as transaction:
        assert {job.id for job in await transaction.member_jobs.page(1, None, 0, 9)} == {first.id, last.id}
        assert await transaction.ledger_check.everything() == []


async def test_a_change_counts_from_the_next_job_on_whoever_makes_it(
    storage: Storage, jobs: JobService, tmp_path: Path, either: str
) -> None:
    await server(storage, 1, random.Random(3))
    asked = replace(PICTURE, guild_id=1, user_id=3)
    await accept(jobs, asked)
    async with storage.write() as transaction:
        await transaction.guilds.set_paused(1, NOW)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(jobs, asked)
    async with storage.write() as transaction:
        await transaction.guilds.set_paused(1, None)
    await accept(jobs, asked)
    with suppress(LookupError):
        async with storage.write() as transaction:
            await transaction.guilds.set_paused(1, NOW)
            assert (await transaction.servers.some([1]))[1].settings.paused
            raise LookupError
    await accept(jobs, asked)  # what was undone is not remembered
    if (file := tmp_path / "studii.db").exists():
        with closing(sqlite3.connect(file)) as other, other:  # another program
            other.execute("UPDATE guilds SET paused_at = '2026-01-01 00:00:00.000000'")
    else:
        async with Storage.open(either) as other_process, other_process.write() as transaction:
            await transaction.guilds.set_paused(1, NOW)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(jobs, asked)
