"""However requests come together, each is decided as if it had come alone, in order of arrival.

`FUZZ_STEPS` says how many stories there are beside the ordinary ten, one for 500 of them.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.catalog import Tool
from bot.credits import charges, ledger
from bot.credits.limits import AllowanceScope, set_limits
from bot.credits.prices import Estimate
from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.errors import CreditsShort, DatabaseFailed, Refused
from bot.features.words import WordEffect, WordRule
from bot.jobs import holds as key_holds, queries
from bot.jobs.accept import Acceptor
from bot.jobs.confirm import MAX_OPEN_QUESTIONS, TOO_MANY, Confirmation, ConfirmationNeeded, Tapper
from bot.jobs.decide import CreditsShortForAll, Decisions
from bot.jobs.models import Job, JobRequest, JobState, MemberContext
from bot.reasons import Reason, ReasonCode
from bot.servers import access, keys, settings, settings as server_settings
from bot.servers.access import AccessList, Block, PhotoScope
from bot.servers.notices import NoticeKind
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.database import holding
from tests.support.jobs import PHOTO, ledger_lines
from tests.support.postgresql import new_migrated_database
from tests.support.posts import open_posts
from tests.support.questions import all_questions
from tests.support.services import accept, services_on
from tests.support.world import (
    CHANNEL,
    GUILD,
    MAX_SOURCE,
    MEMBER,
    OTHER_GUILD,
    OTHER_MEMBER,
    PICTURE,
    ServicesWorld,
)

# Between them, these notice each of: jobs, starts or credits that are not counted within a group, whatever
# limits them, and each change that a refused set leaves behind.
ORDINARY = (0, 3, 4, 8, 10, 11, 12, 22, 116, 120)
SEEDS = sorted({*ORDINARY, *range(int(os.environ.get("FUZZ_STEPS", "0")) // 500)})


@pytest.fixture
async def db(either: str) -> AsyncGenerator[Database, None]:
    async with Database.open(either) as opened:
        yield opened


@pytest.fixture
async def acceptance(db: Database, tmp_path: Path) -> Acceptor:
    return (await services_on(db, tmp_path, FakeClock())).acceptance


@pytest.mark.promise
@pytest.mark.parametrize("seed", SEEDS)
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


async def learn(db: Database, price: int) -> None:
    for guild_id in (1, 2):
        await db.write(charges.learn, f"lane {guild_id}", "studio", CHEAP, price, NOW)


async def test_servers_that_share_a_group_do_not_concern_each_other(
    db: Database, acceptance: Acceptor
) -> None:
    chance = random.Random(1)
    asked: list[JobRequest] = []
    for guild_id in (1, 2, 3):
        await server(db, guild_id, random.Random(guild_id))
        await server(db, guild_id + 10, random.Random(guild_id))
        asked += [request(guild_id, chance) for _ in range(8)]
    chance.shuffle(asked)
    answers = [said(answer) for answer in await together(db, acceptance, [[one] for one in asked])]
    for guild_id in (1, 2, 3):
        same = [
            replace(one, guild_id=guild_id + 10, once=None if one.once is None else f"1{one.once}")
            for one in asked
            if one.guild_id == guild_id
        ]
        theirs = [answer for one, answer in zip(asked, answers, strict=True) if one.guild_id == guild_id]
        answered = await together(db, acceptance, [[one] for one in same])
        assert [said(answer) for answer in answered] == theirs


@pytest.mark.promise
async def test_with_room_for_n_exactly_the_first_n_are_accepted_and_the_others_are_told(
    db: Database, acceptance: Acceptor
) -> None:
    await set_up(db, room_for=7)
    answers = await together(
        db, acceptance, [[replace(PICTURE, guild_id=1, user_id=one)] for one in range(1, 201)]
    )
    assert [isinstance(answer, list) for answer in answers] == [True] * 7 + [False] * 193
    assert all("0 of 56 credits left today" in said(answer) for answer in answers[7:])
    stored = (await db.read(queries.page, 1, None, 0, 100))[::-1]
    told = {one.kind for one in await db.read(open_posts, 1)}
    assert [job.user_id for job in stored] == list(range(1, 8))
    assert told == {NoticeKind.BUDGET_80, NoticeKind.BUDGET_100}


async def test_photos_without_room_for_all_are_decided_alone_but_before_what_came_later(
    db: Database, acceptance: Acceptor
) -> None:
    await set_up(db, room_for=5)
    photo = replace(PICTURE, guild_id=1, user_id=3, source=PHOTO, origin_message_id=7)
    photos = [replace(photo, once=f"photo {number}") for number in range(7)]
    later = [replace(PICTURE, guild_id=1, user_id=4)]
    first = await together(db, acceptance, [photos[:2]])
    answers = await together(db, acceptance, [photos[1:], later])
    assert [said(one).split(":")[0] for one in (*first, *answers)] == [
        "2 accepted",
        "Repeated",
        *["1 accepted"] * 3,
        *["CreditsShort"] * 2,
        "CreditsShort",
    ]
    assert "0 of 40 credits left today" in said(answers[-1])
    stored = await db.read(queries.page, 1, None, 0, 100)
    assert [job.set_id is None for job in stored[::-1]] == [False] * 2 + [True] * 3


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


async def test_a_row_that_the_database_refuses_leaves_the_others_in_the_group_alone(
    db: Database, acceptance: Acceptor, either: str
) -> None:
    await server(db, 1, random.Random(3))
    ordinary = replace(PICTURE, guild_id=1, user_id=3)
    too_large, not_text = replace(ordinary, user_id=2**70), replace(ordinary, tapped="\0")
    asked = [ordinary, too_large if either.startswith("sqlite") else not_text, replace(ordinary, user_id=4)]
    async with holding(db):
        answers = [asyncio.create_task(accept(acceptance, one)) for one in asked]
        await asyncio.sleep(0)
    first, bad, last = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(bad, Exception)
    assert not isinstance(bad, Refused)
    assert isinstance(first, Job)
    assert isinstance(last, Job)
    assert {job.id for job in await db.read(queries.page, 1, None, 0, 9)} == {first.id, last.id}
    assert await db.read(ledger.differing) == []


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


@pytest.mark.parametrize("open_before", [0, 4])
async def test_questions_of_the_same_group_count_among_those_that_a_member_can_leave_open(
    world: ServicesWorld, open_before: int
) -> None:
    await world.ready(daily=1000)
    await spending.set_budget(world.services, PICTURE.guild_id, None, None, confirm_above=1)
    service, several = world.services.acceptance, [[PICTURE]] * (MAX_OPEN_QUESTIONS + 3)
    before = await together(world.db, service, several[:open_before])
    others = [[replace(PICTURE, user_id=OTHER_MEMBER)]]
    answers = before + await together(world.db, service, [*several[open_before:], *others])
    asked, refused, other = answers[:MAX_OPEN_QUESTIONS], answers[MAX_OPEN_QUESTIONS:-1], answers[-1]
    assert {type(one) for one in (*asked, other)} == {ConfirmationNeeded}
    assert [str(one) for one in refused] == [str(TOO_MANY)] * 3
    stored = [one.request.user_id for one in await world.db.read(all_questions)]
    assert sorted(stored) == [MEMBER] * MAX_OPEN_QUESTIONS + [OTHER_MEMBER]
    assert await world.jobs() == []


async def test_a_question_that_is_answered_in_a_group_leaves_room_for_another(world: ServicesWorld) -> None:
    await world.ready(daily=1000)
    await spending.set_budget(world.services, PICTURE.guild_id, None, None, confirm_above=1)
    service = world.services.acceptance
    first, *_ = await together(world.db, service, [[PICTURE]] * MAX_OPEN_QUESTIONS)
    assert isinstance(first, ConfirmationNeeded)
    assert first.question is not None
    answer = first.question.confirmed(MemberContext())
    refused, started, asked = await together(world.db, service, [[PICTURE], answer, [PICTURE]])
    assert str(refused) == str(TOO_MANY)
    assert isinstance(started, list)
    assert isinstance(asked, ConfirmationNeeded)


async def test_an_unexpected_error_in_one_photo_of_a_set_refuses_the_set_alone(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready(daily=1000)
    new_job = Decisions._new_job  # pyright: ignore[reportPrivateUsage]

    def unforeseen(decisions: Decisions, request: JobRequest, tool: Tool, price: Estimate) -> Job:
        if request.inputs["prompt"] == "what nobody foresaw":
            raise KeyError(request.inputs["prompt"])
        return new_job(decisions, request, tool, price)

    monkeypatch.setattr(Decisions, "_new_job", unforeseen)
    photo = replace(PICTURE, source=PHOTO)
    bad = replace(photo, inputs={**PICTURE.inputs, "prompt": "what nobody foresaw"})
    one, broken, whole = await together(
        world.db, world.services.acceptance, [[PICTURE], [photo, bad, photo], [photo, photo]]
    )
    assert isinstance(broken, KeyError)
    assert isinstance(one, list)
    assert isinstance(whole, list)
    assert {job.id for job in await world.jobs()} == {job.id for job in (*one, *whole)}
    lines = await ledger_lines(world.db)
    assert {line.job_id for line in lines} == {job.id for job in (*one, *whole)}
    assert await world.db.read(ledger.differing) == []


async def test_a_set_that_is_refused_warns_nobody_of_what_it_would_have_used(world: ServicesWorld) -> None:
    await world.ready(daily=40)
    photo = replace(PICTURE, source=PHOTO)
    refused, last = await together(world.db, world.services.acceptance, [[photo] * 6, [photo]])
    assert isinstance(refused, CreditsShortForAll)
    assert isinstance(last, list)
    assert await world.db.read(open_posts, PICTURE.guild_id) == []


async def test_what_has_nothing_to_be_made_ready_for_waits_at_once(world: ServicesWorld) -> None:
    await world.ready()
    states = [(await world.accept()).state, (await world.accept(source=PHOTO)).state]
    key = await world.db.write(keys.current, GUILD)
    assert key is not None
    now = world.clock.now()
    await world.db.write(key_holds.put_hold, GUILD, key.id, Reason(ReasonCode.KEY_MALFORMED), now)
    states.append((await world.accept()).state)  # the one that may try the key again
    await world.db.write(key_holds.end, GUILD, world.clock.now())
    await world.services.db.write(access.change_approvals, GUILD, channel_id=CHANNEL, everyone=True)
    states.append((await world.accept()).state)
    assert states == [JobState.WAITING, JobState.RECEIVED, JobState.RECEIVED, JobState.RECEIVED]


async def test_the_engine_is_told_of_the_job_when_it_can_be_seen(world: ServicesWorld) -> None:
    await world.ready()
    seen: list[int] = []
    told: dict[Hashable, Any] = {}

    def look(wakes: Mapping[Hashable, Any]) -> None:
        connection = sqlite3.connect(world.file)
        seen.extend(connection.execute("SELECT count(*) FROM jobs").fetchone())
        connection.close()
        told.update(wakes)

    with world.db.listening(look):
        job = await world.accept()
    assert seen == [1]
    assert told == {("job", job.id): job}
    assert await world.services.db.read(queries.get, job.id) == job


async def test_a_photo_as_large_as_allowed_is_taken_and_a_larger_one_refused(world: ServicesWorld) -> None:
    await world.ready()
    largest = replace(PHOTO, size=MAX_SOURCE)
    assert (await world.accept(source=largest)).source == largest
    with pytest.raises(Refused) as refused:
        await world.accept(source=replace(PHOTO, size=MAX_SOURCE + 1))
    assert str(refused.value) == (
        "That photo is 25.1 MB. The limit is 25 MB. Send a smaller one, or ask the bot's "
        "operator to raise MAX_SOURCE_MB."
    )


async def test_servers_do_not_spend_each_others_budgets(world: ServicesWorld) -> None:
    await world.ready(daily=8)
    await world.ready(OTHER_GUILD, daily=8)
    await world.accept()
    await world.accept(guild_id=OTHER_GUILD)
    for guild_id in (GUILD, OTHER_GUILD):
        with pytest.raises(CreditsShort):
            await world.accept(guild_id=guild_id)


async def test_inputs_outside_of_the_catalogue_reserve_the_dearest_charge_seen(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(5)
    await world.learn(12, "mode=image quality=high")
    await world.learn(40, "mode=video quality=high")
    job = await world.accept(inputs={**PICTURE.inputs, "quality": "ultra"})
    assert (job.estimate, job.variant) == (12, "mode=image quality=ultra")
    job = await world.accept(inputs={**PICTURE.inputs, "mode": "panorama"})
    assert job.estimate == 40
    assert job.price_learned is False


async def test_inputs_that_the_catalogue_does_not_have_reserve_the_dearest_and_teach_no_other_price(
    world: ServicesWorld,
) -> None:
    await world.ready()
    await world.learn(5)
    await world.learn(12, "mode=image quality=high")
    extra = {**PICTURE.inputs, "upscale": "4x"}
    job = await world.accept(inputs=extra, context=MemberContext(manages=True))
    assert (job.estimate, job.variant) == (12, "mode=image quality=standard upscale=4x")
    await world.learn(50, job.variant)
    assert (await world.accept()).estimate == 5


ROOM, PEOPLE = 7, 60


@pytest.mark.promise
async def test_two_processes_accept_together_as_many_as_there_is_room_for(
    migrated_postgresql: str, tmp_path: Path
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with Database.open(url) as one, Database.open(url) as other:
        await set_up(one, room_for=ROOM)
        # They share the file of the encryption key, as such processes share the key.
        processes = [(await services_on(each, tmp_path, FakeClock())).acceptance for each in (one, other)]
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


async def test_after_a_commit_whose_answer_was_lost_none_of_the_group_is_tried_again(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    commit, lost = Connection.commit, [OperationalError("COMMIT", None, sqlite3.OperationalError("locked"))]

    def commit_and_fail(connection: Connection) -> None:
        commit(connection)
        if lost:
            raise lost.pop()

    async with holding(world.db):
        monkeypatch.setattr(Connection, "commit", commit_and_fail)
        asked = (
            accept(world.services.acceptance, replace(PICTURE, user_id=one)) for one in (MEMBER, OTHER_MEMBER)
        )
        answers = [asyncio.create_task(one) for one in asked]
        await asyncio.sleep(0)
        monkeypatch.setattr(Connection, "commit", commit)
    monkeypatch.setattr(Connection, "commit", commit_and_fail)
    told = await asyncio.gather(*answers, return_exceptions=True)
    assert lost == []
    assert all(isinstance(one, DatabaseFailed) for one in told)
    assert sorted(job.user_id for job in await world.jobs()) == [MEMBER, OTHER_MEMBER]


NOW = FakeClock().now()
MEMBERS, REFUSES, BLOCKED, ROLE = (3, 4, 5, 8, 9), 6, 7, 70
MODES = ("image", "video", "hologram")
WORDS = ("a house",) * 10 + ("a weapon", "a weapon", "a castle")
CHEAP = "mode=image quality=standard"
MANY = 1000  # more jobs than a story has


async def server(db: Database, guild_id: int, chance: random.Random) -> None:
    """A server with limits of all kinds, or some of them, or with room for nearly everything."""
    roomy = chance.random() < 0.5
    key = await db.write(keys.add, guild_id, f"lane {guild_id}", "abcd", Plan.PRO, b"", NOW)
    await db.write(settings.set_key, guild_id, key.id, NOW)
    limit = 10_000 if roomy else chance.choice((0, 30, 100, 1000))
    await db.write(settings.set_budget, guild_id, Budget(limit, chance.choice(list(Period)), NOW))
    if not roomy:
        await limits(db, guild_id, chance)
    await db.write(access.change, guild_id, photos=chance.choice(list(PhotoScope)))
    await db.write(lambda session: session.add(Block(guild_id, BLOCKED)))
    await db.write(access.refuse_photos, REFUSES, NOW, refuses=True)
    if chance.random() < 0.5:
        await db.write(charges.learn, f"lane {guild_id}", "studio", CHEAP, 3, NOW)
    await questions_first(db, guild_id, key.id, chance)


async def set_up(db: Database, *, room_for: int) -> None:
    """Give the first server a key, and a daily budget for that number of pictures."""
    key = await db.write(keys.add, 1, "lane", "abcd", Plan.PRO, b"", NOW)
    await db.write(settings.set_key, 1, key.id, NOW)
    await db.write(settings.set_budget, 1, Budget(room_for * 8, Period.DAY, NOW))


async def limits(db: Database, guild_id: int, chance: random.Random) -> None:
    if chance.random() < 0.6:
        await db.write(access.change, guild_id, jobs_at_once=chance.choice((1, 3, 9)))
    if chance.random() < 0.4:
        await db.write(access.change, guild_id, starts=chance.randint(1, 4), starts_seconds=600)
    if chance.random() < 0.6:
        everyone = (AllowanceScope.MEMBERS, 0, chance.choice((0, 20, 200, 1000)))
        await db.write(set_limits, guild_id, allowance=everyone)
    if chance.random() < 0.4:
        role = (AllowanceScope.ROLE, ROLE, chance.choice((8, 500)))
        await db.write(set_limits, guild_id, allowance=role)


async def questions_first(db: Database, guild_id: int, key_id: int, chance: random.Random) -> None:
    """What asks people or moderators first, refuses words, or lets jobs wait."""
    await db.write(access.change, guild_id, refusals=chance.choice((0, 1, 2, 3)))
    effects = {"weapon": WordEffect.REFUSE, "castle": WordEffect.APPROVE}
    rules = [WordRule(guild_id, word, word, effect, NOW) for word, effect in effects.items()]
    await db.write(lambda session: session.add_all(rules))
    if chance.random() < 0.6:
        await db.write(settings.change, guild_id, confirm_above=chance.choice((1, 5, 20)))
    if chance.random() < 0.5:
        await db.write(access.change, guild_id, approval_channel=9, approval_results=chance.random() < 0.5)
        await db.write(access.add, guild_id, AccessList.APPROVAL_ROLE, ROLE)
    if chance.random() < 0.15:
        until = NOW + timedelta(minutes=chance.choice((-5, 5)))
        await db.write(key_holds.put_hold, guild_id, key_id, Reason(ReasonCode.KEY_REFUSED), until)


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
