"""However requests come together, each is decided as if it had come alone, in order of arrival.

`FUZZ_STEPS` says how many stories there are beside the ordinary ten, one for 500 of them.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain import Budget, Job, JobRequest, NoticeKind, Period, Plan
from bot.domain.access import AccessList, Block, MemberContext, PhotoScope
from bot.domain.confirmations import Confirmation
from bot.domain.limits import AllowanceScope
from bot.domain.words import WordEffect, WordRule
from bot.errors import Refused
from bot.reasons import Reason, ReasonCode
from bot.services import AcceptanceService, ConfirmationNeeded, confirmed
from bot.services.acceptance.decision import Acceptance
from bot.storage import Storage, Transaction
from tests.services.world import PICTURE
from tests.support.clock import FakeClock
from tests.support.jobs import PHOTO, ledger_lines
from tests.support.services import accept, services_on

NOW = FakeClock().now()
MEMBERS, REFUSES, BLOCKED, ROLE = (3, 4, 5, 8, 9), 6, 7, 70
MODES = ("image", "video", "hologram")
WORDS = ("a house",) * 10 + ("a weapon", "a weapon", "a castle")
CHEAP = "mode=image quality=standard"
MANY = 1000  # more jobs than a story has
# Between them, these notice each of: jobs, starts or credits that are not counted within a group, whatever
# limits them, and each change that a refused set leaves behind.
ORDINARY = (0, 3, 4, 8, 10, 11, 12, 22, 116, 120)
SEEDS = sorted({*ORDINARY, *range(int(os.environ.get("FUZZ_STEPS", "0")) // 500)})


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        yield opened


@pytest.fixture
async def acceptance(storage: Storage, tmp_path: Path) -> AcceptanceService:
    return (await services_on(storage, tmp_path, FakeClock())).acceptance


async def server(storage: Storage, guild_id: int, chance: random.Random) -> None:
    """A server with limits of all kinds, or some of them, or with room for nearly everything."""
    roomy = chance.random() < 0.5
    async with storage.write() as transaction:
        key = await transaction.keys.add(guild_id, f"lane {guild_id}", "abcd", Plan.PRO, b"", NOW)
        await transaction.guilds.set_key(guild_id, key.id, NOW)
        limit = 10_000 if roomy else chance.choice((0, 30, 100, 1000))
        await transaction.guilds.set_budget(guild_id, Budget(limit, chance.choice(list(Period)), NOW))
        if not roomy:
            await limits(transaction, guild_id, chance)
        await transaction.policies.set(guild_id, photos=chance.choice(list(PhotoScope)))
        await transaction.policies.block(guild_id, BLOCKED, Block())
        await transaction.policies.refuse_photos(REFUSES, NOW)
        if chance.random() < 0.5:
            await transaction.prices.learn(f"lane {guild_id}", "studio", CHEAP, 3, NOW)
        await questions_first(transaction, guild_id, key.id, chance)


async def limits(transaction: Transaction, guild_id: int, chance: random.Random) -> None:
    if chance.random() < 0.6:
        await transaction.policies.set(guild_id, jobs_at_once=chance.choice((1, 3, 9)))
    if chance.random() < 0.4:
        await transaction.policies.set(guild_id, starts=chance.randint(1, 4), starts_seconds=600)
    if chance.random() < 0.6:
        await transaction.policies.set_allowance(
            guild_id, AllowanceScope.MEMBERS, 0, chance.choice((0, 20, 200, 1000))
        )
    if chance.random() < 0.4:
        await transaction.policies.set_allowance(guild_id, AllowanceScope.ROLE, ROLE, chance.choice((8, 500)))


async def questions_first(
    transaction: Transaction, guild_id: int, key_id: int, chance: random.Random
) -> None:
    """What asks people or moderators first, refuses words, or lets jobs wait."""
    await transaction.policies.set(guild_id, refusals=chance.choice((0, 1, 2, 3)))
    await transaction.word_rules.put(guild_id, WordRule("weapon", "weapon", WordEffect.REFUSE), NOW)
    await transaction.word_rules.put(guild_id, WordRule("castle", "castle", WordEffect.APPROVE), NOW)
    if chance.random() < 0.6:
        await transaction.guilds.set(guild_id, confirm_above=chance.choice((1, 5, 20)))
    if chance.random() < 0.5:
        await transaction.policies.set(guild_id, approval_channel=9, approval_results=chance.random() < 0.5)
        await transaction.policies.list_add(guild_id, AccessList.APPROVAL_ROLE, ROLE)
    if chance.random() < 0.15:
        until = NOW + timedelta(minutes=chance.choice((-5, 5)))
        await transaction.holds.set(guild_id, key_id, Reason(ReasonCode.KEY_REFUSED), until)


def request(guild_id: int, chance: random.Random) -> JobRequest:
    photo = chance.random() < 0.4
    once = chance.choice((None, None, None, f"{guild_id}:a", f"{guild_id}:b"))
    return replace(
        PICTURE,
        guild_id=guild_id,
        user_id=chance.choice((*MEMBERS, BLOCKED)),
        inputs={**PICTURE.inputs, "mode": chance.choice(MODES), "prompt": chance.choice(WORDS)},
        source=PHOTO if photo else None,
        photo_author=chance.choice((*MEMBERS, REFUSES)) if photo else None,
        private=chance.random() < 0.2,
        context=context(chance),
        once=once,
        tapped="⭐" if chance.random() < 0.4 else None,
        shown_price=chance.choice((None, None, 8, 100)),
    )


def context(chance: random.Random) -> MemberContext:
    roles = frozenset({ROLE} if chance.random() < 0.3 else ())
    return MemberContext(roles=roles, manages=chance.random() < 0.1)


@dataclass
class Asked:
    """What comes to a server, and the questions that were its answers, or the ids of jobs."""

    guild_id: int
    questions: list[Confirmation] = field(default_factory=list[Confirmation])
    started: list[str] = field(default_factory=list[str])

    def some(self, size: int, chance: random.Random) -> list[Sequence[JobRequest]]:
        return [self._one(chance) for _ in range(size)]

    def _one(self, chance: random.Random) -> Sequence[JobRequest]:
        """A request, some for a set, or a button under a question: also of one that was pressed before."""
        if self.questions and chance.random() < 0.5:
            return confirmed(chance.choice(self.questions[-4:]), context(chance))
        first = request(self.guild_id, chance)
        if self.questions and chance.random() < 0.4:  # many press twice
            first = replace(first, user_id=chance.choice(self.questions[-4:]).request.user_id)
        if chance.random() < 0.8:
            return [first]
        photos = [replace(first, once=None, source=PHOTO) for _ in range(chance.randint(2, 4))]
        # Those in a photo channel may become jobs of their own, and some may be jobs already.
        once = [chance.choice((None, first.once)) for _ in photos]
        in_channel = chance.random() < 0.5
        return [
            replace(one, once=key, origin_message_id=7) if in_channel else one
            for one, key in zip(photos, once, strict=True)
        ]

    def said(self, answer: list[Job] | BaseException) -> str:
        self.started += [one.id for one in answer] if isinstance(answer, list) else []
        question = answer.question if isinstance(answer, ConfirmationNeeded) else None
        if question is not None and question.id not in {one.id for one in self.questions}:
            self.questions.append(question)
        return said(answer)


async def together(
    storage: Storage, acceptance: AcceptanceService, asked: Sequence[Sequence[JobRequest]]
) -> list[list[Job] | BaseException]:
    """The answer to each if they come while another writes: they are one group then."""
    async with storage.write():
        answers = [asyncio.create_task(accepted(acceptance, some)) for some in asked]
        for _ in range(3):
            await asyncio.sleep(0)
    return [one for answer in answers for one in await answer]


async def each_alone(
    acceptance: AcceptanceService, asked: Sequence[Sequence[JobRequest]]
) -> list[list[Job] | BaseException]:
    return [one for some in asked for one in await accepted(acceptance, some)]


async def accepted(
    acceptance: AcceptanceService, asked: Sequence[JobRequest]
) -> Sequence[list[Job] | BaseException]:
    """The answer to them, or to each photo in a photo channel that was decided alone."""
    try:
        if len(asked) > 1 and asked[0].origin_message_id is not None:
            return await acceptance.accept_apart(asked)
        return [await acceptance.accept_all(asked)]
    except Exception as error:  # noqa: BLE001 - it is the answer
        return [error]


def said(answer: list[Job] | BaseException) -> str:
    if isinstance(answer, list):
        kinds = {
            (one.estimate, one.allowance_role, one.state, one.approval, one.result_approval) for one in answer
        }
        return f"{len(answer)} accepted: {sorted(kinds, key=str)}"
    if isinstance(answer, ConfirmationNeeded):
        return f"asked, {answer.why}, {answer.price}, {len(answer.others)} others"
    assert isinstance(answer, Refused), answer
    return f"{type(answer).__name__}: {answer}"


async def kept(storage: Storage, asked: Asked) -> Sequence[Sequence[object]]:
    """What the database holds of it in the end: jobs in order with their lines, questions, who is paused, and
    the notices to admins. The jobs are those that were the answers."""
    guild_id = asked.guild_id
    async with storage.read() as transaction:
        found = await transaction.member_jobs.page(guild_id, None, 0, MANY)
        lines: Mapping[str, list[object]] = {
            one.id: [(line.kind, line.amount) for line in await ledger_lines(transaction, job_id=one.id)]
            for one in found
        }
        told = await transaction.notices.pending(200, guild_id)
        questions = [one for one in await transaction.confirmations.all() if one.request.guild_id == guild_id]
        blocked = (await transaction.policies.access(guild_id)).blocked
        tapped = await transaction.confirmations.tapped_before(guild_id, MEMBERS)
        assert await transaction.ledger_check.everything() == []
    assert sorted(one.id for one in found) == sorted(asked.started)
    jobs = sorted(((one.user_id, one.variant, one.reserved, lines[one.id]) for one in found), key=str)
    open_ = sorted(((one.request.user_id, one.price, one.why, one.used_at) for one in questions), key=str)
    # The rest of the key of a word's refusal is drawn by lot.
    notices = sorted(
        ((one.kind, one.key.split(":")[0], sorted(one.details.items(), key=str)) for one in told), key=str
    )
    return jobs, open_, sorted(blocked.items()), sorted(tapped), notices


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_grouping_gives_the_decisions_of_one_after_the_other(
    storage: Storage, acceptance: AcceptanceService, seed: int
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
            await transaction.prices.learn(f"lane {guild_id}", "studio", CHEAP, price, NOW)


async def test_servers_that_share_a_group_do_not_concern_each_other(
    storage: Storage, acceptance: AcceptanceService
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


async def set_up(storage: Storage, *, room_for: int) -> None:
    """Give the first server a key, and a daily budget for that number of pictures."""
    async with storage.write() as transaction:
        key = await transaction.keys.add(1, "lane", "abcd", Plan.PRO, b"", NOW)
        await transaction.guilds.set_key(1, key.id, NOW)
        await transaction.guilds.set_budget(1, Budget(room_for * 8, Period.DAY, NOW))


async def test_with_room_for_n_exactly_the_first_n_are_accepted_and_the_others_are_told(
    storage: Storage, acceptance: AcceptanceService
) -> None:
    await set_up(storage, room_for=7)
    answers = await together(
        storage, acceptance, [[replace(PICTURE, guild_id=1, user_id=one)] for one in range(1, 201)]
    )
    assert [isinstance(answer, list) for answer in answers] == [True] * 7 + [False] * 193
    assert all("0 of 56 credits left today" in said(answer) for answer in answers[7:])
    async with storage.read() as transaction:
        stored = (await transaction.member_jobs.page(1, None, 0, 100))[::-1]
        told = {one.kind for one in await transaction.notices.pending(10, 1)}
    assert [job.user_id for job in stored] == list(range(1, 8))
    assert told == {NoticeKind.BUDGET_80, NoticeKind.BUDGET_100}


async def test_photos_without_room_for_all_are_decided_alone_but_before_what_came_later(
    storage: Storage, acceptance: AcceptanceService
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
        stored = await transaction.member_jobs.page(1, None, 0, 100)
    assert [job.set_id is None for job in stored[::-1]] == [False] * 2 + [True] * 3


async def test_what_nobody_foresaw_in_one_request_concerns_that_one_alone(
    storage: Storage, acceptance: AcceptanceService, monkeypatch: pytest.MonkeyPatch
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
        answers = [asyncio.create_task(accept(acceptance, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, KeyError)
    assert isinstance(first, Job)
    assert isinstance(last, Job)


async def test_a_row_that_the_database_refuses_leaves_the_others_in_the_group_alone(
    storage: Storage, acceptance: AcceptanceService, either: str
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
        assert {job.id for job in await transaction.member_jobs.page(1, None, 0, 9)} == {first.id, last.id}
        assert await transaction.ledger_check.everything() == []


async def test_a_change_counts_from_the_next_job_on_whoever_makes_it(
    storage: Storage, acceptance: AcceptanceService, tmp_path: Path, either: str
) -> None:
    await server(storage, 1, random.Random(3))
    asked = replace(PICTURE, guild_id=1, user_id=3)
    await accept(acceptance, asked)
    async with storage.write() as transaction:
        await transaction.guilds.set_paused(1, NOW)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)
    async with storage.write() as transaction:
        await transaction.guilds.set_paused(1, None)
    await accept(acceptance, asked)
    with suppress(LookupError):
        async with storage.write() as transaction:
            await transaction.guilds.set_paused(1, NOW)
            assert (await transaction.servers.some([1]))[1].settings.paused
            raise LookupError
    await accept(acceptance, asked)  # what was undone is not remembered
    if (file := tmp_path / "studii.db").exists():
        with closing(sqlite3.connect(file)) as other, other:  # another program
            other.execute("UPDATE guilds SET paused_at = '2026-01-01 00:00:00.000000'")
    else:
        async with Storage.open(either) as other_process, other_process.write() as transaction:
            await transaction.guilds.set_paused(1, NOW)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)
