"""However requests come together, each is decided as if it had come alone, in order of arrival.

`FUZZ_STEPS` says how many stories there are beside the ordinary ten, one for 500 of them.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.credits import budgets, ledger, prices
from bot.credits.limits import AllowanceScope, set_allowance
from bot.db import Database
from bot.errors import CreditsShort, Refused
from bot.features.words import WordEffect, WordRule
from bot.jobs import queries
from bot.jobs.accept import Acceptor
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, Tapper
from bot.jobs.decide import Decisions
from bot.jobs.models import Job, JobRequest, MemberContext
from bot.reasons import Reason, ReasonCode
from bot.servers import access, keys, settings, settings as server_settings
from bot.servers.access import AccessList, Block
from bot.servers.keys import Plan
from bot.servers.settings import Period, PhotoScope
from tests.support.clock import FakeClock
from tests.support.database import holding
from tests.support.desk import all_questions
from tests.support.jobs import PHOTO, held, ledger_lines
from tests.support.postgresql import new_migrated_database
from tests.support.posts import open_posts
from tests.support.resources import PICTURE, accept, resources_on

# Between them, these notice each of: jobs, starts or credits that are not counted within a group, whatever
# limits them, and each change that a refused set leaves behind.
ORDINARY = (0, 3, 4, 8, 10, 11, 12, 22, 116, 120)
SEEDS = sorted({*ORDINARY, *range(int(os.environ.get("FUZZ_STEPS", "0")) // 500)})


@pytest.fixture
async def acceptance(db: Database, tmp_path: Path) -> Acceptor:
    return (await resources_on(db, tmp_path, FakeClock())).acceptance


@pytest.mark.promise
@pytest.mark.parametrize(
    ("either", "seed"),
    [*(("sqlite", seed) for seed in SEEDS), *(("postgresql", seed) for seed in ORDINARY[::4])],
    indirect=["either"],
)
async def test_any_grouping_gives_the_decisions_of_one_after_the_other(
    db: Database, acceptance: Acceptor, seed: int
) -> None:
    first, second = Asked(1), Asked(2)
    for guild_id in (1, 2):
        await server(db, guild_id, random.Random(seed))
    chance = random.Random(seed)
    for _ in range(5):  # groups of any size, of which each builds on those before
        size, wishes = chance.randint(1, 14), chance.random()
        alone = await each_alone(acceptance, first.some(size, random.Random(wishes)))
        grouped = await together(db, acceptance, second.some(size, random.Random(wishes)))
        assert [second.said(one) for one in grouped] == [first.said(one) for one in alone]
        if chance.random() < 0.4:
            await learn(db, chance.randint(1, 40))
    assert await kept(db, second) == await kept(db, first)


@pytest.mark.promise
async def test_what_nobody_foresaw_in_one_request_concerns_that_one_alone(
    db: Database, acceptance: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server(db, 1, random.Random(3))
    decide = Decisions.decide

    def unforeseen(decisions: Decisions, asked: JobRequest) -> Job:
        if asked.user_id == 13:
            raise KeyError("13")
        return decide(decisions, asked)

    monkeypatch.setattr(Decisions, "decide", unforeseen)
    asked = [replace(PICTURE, guild_id=1, user_id=one) for one in (3, 13, 4)]
    async with holding(db):
        answers = [asyncio.create_task(accept(acceptance, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, KeyError)
    assert isinstance(first, Job)
    assert isinstance(last, Job)


@pytest.mark.promise
async def test_a_change_counts_from_the_next_job_on_whoever_makes_it(
    db: Database, acceptance: Acceptor, tmp_path: Path, either: str
) -> None:
    await server(db, 1, random.Random(3))
    asked = replace(PICTURE, guild_id=1, user_id=3)
    await accept(acceptance, asked)
    await db.write(server_settings.pause, 1, NOW, paused=True)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)
    await db.write(server_settings.pause, 1, NOW, paused=False)
    await accept(acceptance, asked)

    def undone(session: Session) -> None:
        server_settings.pause(session, 1, NOW, paused=True)
        assert server_settings.of(session, 1).paused
        raise LookupError

    with suppress(LookupError):
        await db.write(undone)
    await accept(acceptance, asked)  # what was undone is not remembered
    if (file := tmp_path / "studii.db").exists():
        with closing(sqlite3.connect(file)) as other, other:  # another program
            other.execute("UPDATE guilds SET paused_at = '2026-01-01 00:00:00.000000'")
    else:
        async with Database.open(either) as other_process:
            await other_process.write(server_settings.pause, 1, NOW, paused=True)
    with pytest.raises(Refused, match="paused in this server"):
        await accept(acceptance, asked)


ROOM, PEOPLE = 7, 60


@pytest.mark.promise
async def test_two_processes_accept_together_as_many_as_there_is_room_for(
    migrated_postgresql: str, tmp_path: Path
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with Database.open(url) as one, Database.open(url) as other:
        await set_up(one, room_for=ROOM)
        # They share the file of the encryption key, as such processes share the key.
        processes = [(await resources_on(each, tmp_path, FakeClock())).acceptance for each in (one, other)]
        answers = await asyncio.gather(
            *(
                accept(processes[person % 2], replace(PICTURE, guild_id=1, user_id=person))
                for person in range(1, PEOPLE + 1)
            ),
            return_exceptions=True,
        )
        accepted = [answer for answer in answers if isinstance(answer, Job)]
        refused = [answer for answer in answers if isinstance(answer, CreditsShort)]
        assert (len(accepted), len(refused)) == (ROOM, PEOPLE - ROOM)
        stored = await one.read(queries.page, 1, None, 0, PEOPLE)
        assert await one.read(ledger.differing) == []
        assert {job.id for job in stored} == {job.id for job in accepted}


NOW = FakeClock().now()
MEMBERS, REFUSES, BLOCKED, ROLE = (3, 4, 5, 8, 9), 6, 7, 70
MODES = ("image", "video", "hologram")
WORDS = ("a house",) * 10 + ("a weapon", "a weapon", "a castle")
CHEAP = "mode=image quality=standard"
MANY = 1000  # more jobs than a story has


async def learn(db: Database, price: int) -> None:
    for guild_id in (1, 2):
        await db.write(prices.learn, f"lane {guild_id}", "studio", CHEAP, price, NOW)


async def server(db: Database, guild_id: int, chance: random.Random) -> None:
    """A server with limits of all kinds, or some of them, or with room for nearly everything."""
    roomy = chance.random() < 0.5
    key = await db.write(keys.add, guild_id, f"lane {guild_id}", "abcd", Plan.PRO, b"", NOW)
    await db.write(settings.change, guild_id, key_id=key.id)
    limit = 10_000 if roomy else chance.choice((0, 30, 100, 1000))
    await db.write(budgets.set_budget, guild_id, limit, chance.choice(list(Period)), at=NOW)
    if not roomy:
        await limits(db, guild_id, chance)
    await db.write(settings.change, guild_id, photos=chance.choice(list(PhotoScope)))
    await db.write(lambda session: session.add(Block(guild_id, BLOCKED)))
    await db.write(access.refuse_photos, REFUSES, NOW, refuses=True)
    if chance.random() < 0.5:
        await db.write(prices.learn, f"lane {guild_id}", "studio", CHEAP, 3, NOW)
    await questions_first(db, guild_id, key.id, chance)


async def set_up(db: Database, *, room_for: int) -> None:
    """Give the first server a key, and a daily budget for that number of pictures."""
    key = await db.write(keys.add, 1, "lane", "abcd", Plan.PRO, b"", NOW)
    await db.write(settings.change, 1, key_id=key.id)
    await db.write(budgets.set_budget, 1, room_for * 8, Period.DAY, at=NOW)


async def limits(db: Database, guild_id: int, chance: random.Random) -> None:
    if chance.random() < 0.6:
        await db.write(settings.change, guild_id, jobs_at_once=chance.choice((1, 3, 9)))
    if chance.random() < 0.4:
        await db.write(settings.change, guild_id, starts=chance.randint(1, 4), starts_seconds=600)
    if chance.random() < 0.6:
        everyone = (AllowanceScope.MEMBERS, 0, chance.choice((0, 20, 200, 1000)))
        await db.write(set_allowance, guild_id, *everyone)
    if chance.random() < 0.4:
        role = (AllowanceScope.ROLE, ROLE, chance.choice((8, 500)))
        await db.write(set_allowance, guild_id, *role)


async def questions_first(db: Database, guild_id: int, key_id: int, chance: random.Random) -> None:
    """What asks people or moderators first, refuses words, or lets jobs wait."""
    await db.write(settings.change, guild_id, refusals=chance.choice((0, 1, 2, 3)))
    effects = {"weapon": WordEffect.REFUSE, "castle": WordEffect.APPROVE}
    rules = [WordRule(guild_id, word, word, effect) for word, effect in effects.items()]
    await db.write(lambda session: session.add_all(rules))
    if chance.random() < 0.6:
        await db.write(settings.change, guild_id, confirm_above=chance.choice((1, 5, 20)))
    if chance.random() < 0.5:
        await db.write(settings.change, guild_id, approval_channel=9, approval_results=chance.random() < 0.5)
        await db.write(access.add, guild_id, AccessList.APPROVAL_ROLE, ROLE)
    if chance.random() < 0.15:
        until = NOW + timedelta(minutes=chance.choice((-5, 5)))
        await db.write(held, guild_id, key_id, Reason(ReasonCode.KEY_REFUSED), until)


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
            return chance.choice(self.questions[-4:]).confirmed(context(chance))
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
    db: Database, acceptance: Acceptor, asked: Sequence[Sequence[JobRequest]]
) -> list[list[Job] | BaseException]:
    """The answer to each if they come while another writes: they are one group then."""
    async with holding(db):
        answers = [asyncio.create_task(accepted(acceptance, some)) for some in asked]
        for _ in range(3):
            await asyncio.sleep(0)
    return [one for answer in answers for one in await answer]


async def each_alone(
    acceptance: Acceptor, asked: Sequence[Sequence[JobRequest]]
) -> list[list[Job] | BaseException]:
    return [one for some in asked for one in await accepted(acceptance, some)]


async def accepted(acceptance: Acceptor, asked: Sequence[JobRequest]) -> Sequence[list[Job] | BaseException]:
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


async def kept(db: Database, asked: Asked) -> Sequence[Sequence[object]]:
    """What the database holds of it in the end: jobs in order with their lines, questions, who is paused, and
    the notices to admins. The jobs are those that were the answers."""
    guild_id = asked.guild_id
    found = await db.read(queries.page, guild_id, None, 0, MANY)
    lines: Mapping[str, list[object]] = {
        one.id: [(line.kind, line.amount) for line in await ledger_lines(db, job_id=one.id)] for one in found
    }
    told = await db.read(open_posts, guild_id)
    asked_of = await db.read(all_questions)
    questions = [one for one in asked_of if one.guild_id == guild_id]
    rules = await db.read(access.of, guild_id, NOW)
    blocked = [(one, block.automatic, block.until) for one, block in rules.blocked.items()]
    tappers = select(Tapper.user_id).where(Tapper.guild_id == guild_id)
    tapped = await db.read(lambda session: session.scalars(tappers).all())
    assert await db.read(ledger.differing) == []
    assert sorted(one.id for one in found) == sorted(asked.started)
    jobs = sorted(((one.user_id, one.variant, one.reserved, lines[one.id]) for one in found), key=str)
    open_ = sorted(((one.request.user_id, one.price, one.why) for one in questions), key=str)
    # The rest of the key of a word's refusal is drawn by lot.
    notices = sorted(
        ((one.kind, one.key.split(":")[0], sorted(one.details.items(), key=str)) for one in told), key=str
    )
    return jobs, open_, sorted(blocked), sorted(tapped), notices
