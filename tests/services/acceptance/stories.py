"""Servers with limits of all kinds, and what comes to them in a story, drawn by lot from a seed."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select

from bot.credits import charges, ledger
from bot.credits.limits import AllowanceScope, set_limits
from bot.domain.guilds import Budget, Period, Plan
from bot.errors import Refused
from bot.features.words import WordEffect, WordRule
from bot.jobs import confirm, holds as key_holds, queries
from bot.jobs.accept import Acceptor
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, Tapper
from bot.jobs.models import Job, JobRequest, MemberContext
from bot.reasons import Reason, ReasonCode
from bot.servers import access, keys, settings
from bot.servers.access import AccessList, Block, PhotoScope
from bot.storage import Storage, Transaction
from tests.services.world import PICTURE
from tests.support.clock import FakeClock
from tests.support.jobs import PHOTO, ledger_lines
from tests.support.posts import open_posts

NOW = FakeClock().now()
MEMBERS, REFUSES, BLOCKED, ROLE = (3, 4, 5, 8, 9), 6, 7, 70
MODES = ("image", "video", "hologram")
WORDS = ("a house",) * 10 + ("a weapon", "a weapon", "a castle")
CHEAP = "mode=image quality=standard"
MANY = 1000  # more jobs than a story has


async def server(storage: Storage, guild_id: int, chance: random.Random) -> None:
    """A server with limits of all kinds, or some of them, or with room for nearly everything."""
    roomy = chance.random() < 0.5
    async with storage.write() as transaction:
        key = await transaction.run(keys.add, guild_id, f"lane {guild_id}", "abcd", Plan.PRO, b"", NOW)
        await transaction.run(settings.set_key, guild_id, key.id, NOW)
        limit = 10_000 if roomy else chance.choice((0, 30, 100, 1000))
        await transaction.run(settings.set_budget, guild_id, Budget(limit, chance.choice(list(Period)), NOW))
        if not roomy:
            await limits(transaction, guild_id, chance)
        await transaction.run(access.change, guild_id, photos=chance.choice(list(PhotoScope)))
        await transaction.run(lambda session: session.add(Block(guild_id, BLOCKED)))
        await transaction.run(access.refuse_photos, REFUSES, NOW, refuses=True)
        if chance.random() < 0.5:
            await transaction.run(charges.learn, f"lane {guild_id}", "studio", CHEAP, 3, NOW)
        await questions_first(transaction, guild_id, key.id, chance)


async def set_up(storage: Storage, *, room_for: int) -> None:
    """Give the first server a key, and a daily budget for that number of pictures."""
    async with storage.write() as transaction:
        key = await transaction.run(keys.add, 1, "lane", "abcd", Plan.PRO, b"", NOW)
        await transaction.run(settings.set_key, 1, key.id, NOW)
        await transaction.run(settings.set_budget, 1, Budget(room_for * 8, Period.DAY, NOW))


async def limits(transaction: Transaction, guild_id: int, chance: random.Random) -> None:
    if chance.random() < 0.6:
        await transaction.run(access.change, guild_id, jobs_at_once=chance.choice((1, 3, 9)))
    if chance.random() < 0.4:
        await transaction.run(access.change, guild_id, starts=chance.randint(1, 4), starts_seconds=600)
    if chance.random() < 0.6:
        everyone = (AllowanceScope.MEMBERS, 0, chance.choice((0, 20, 200, 1000)))
        await transaction.run(set_limits, guild_id, allowance=everyone)
    if chance.random() < 0.4:
        role = (AllowanceScope.ROLE, ROLE, chance.choice((8, 500)))
        await transaction.run(set_limits, guild_id, allowance=role)


async def questions_first(
    transaction: Transaction, guild_id: int, key_id: int, chance: random.Random
) -> None:
    """What asks people or moderators first, refuses words, or lets jobs wait."""
    await transaction.run(access.change, guild_id, refusals=chance.choice((0, 1, 2, 3)))
    effects = {"weapon": WordEffect.REFUSE, "castle": WordEffect.APPROVE}
    rules = [WordRule(guild_id, word, word, effect, NOW) for word, effect in effects.items()]
    await transaction.run(lambda session: session.add_all(rules))
    if chance.random() < 0.6:
        await transaction.run(settings.change, guild_id, confirm_above=chance.choice((1, 5, 20)))
    if chance.random() < 0.5:
        await transaction.run(
            access.change, guild_id, approval_channel=9, approval_results=chance.random() < 0.5
        )
        await transaction.run(access.add, guild_id, AccessList.APPROVAL_ROLE, ROLE)
    if chance.random() < 0.15:
        until = NOW + timedelta(minutes=chance.choice((-5, 5)))
        await transaction.run(key_holds.put_hold, guild_id, key_id, Reason(ReasonCode.KEY_REFUSED), until)


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
    storage: Storage, acceptance: Acceptor, asked: Sequence[Sequence[JobRequest]]
) -> list[list[Job] | BaseException]:
    """The answer to each if they come while another writes: they are one group then."""
    async with storage.write():
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


async def kept(storage: Storage, asked: Asked) -> Sequence[Sequence[object]]:
    """What the database holds of it in the end: jobs in order with their lines, questions, who is paused, and
    the notices to admins. The jobs are those that were the answers."""
    guild_id = asked.guild_id
    async with storage.read() as transaction:
        found = await transaction.run(queries.page, guild_id, None, 0, MANY)
        lines: Mapping[str, list[object]] = {
            one.id: [(line.kind, line.amount) for line in await ledger_lines(transaction, job_id=one.id)]
            for one in found
        }
        told = await transaction.run(open_posts, guild_id)
        asked_of = await transaction.run(confirm.all_questions)
        questions = [one for one in asked_of if one.guild_id == guild_id]
        rules = await transaction.run(access.of, guild_id, NOW)
        blocked = [(one, block.automatic, block.until) for one, block in rules.blocked.items()]
        tappers = select(Tapper.user_id).where(Tapper.guild_id == guild_id)
        tapped = await transaction.run(lambda session: session.scalars(tappers).all())
        assert await transaction.run(ledger.differing) == []
    assert sorted(one.id for one in found) == sorted(asked.started)
    jobs = sorted(((one.user_id, one.variant, one.reserved, lines[one.id]) for one in found), key=str)
    open_ = sorted(((one.request.user_id, one.price, one.why, one.used_at) for one in questions), key=str)
    # The rest of the key of a word's refusal is drawn by lot.
    notices = sorted(
        ((one.kind, one.key.split(":")[0], sorted(one.details.items(), key=str)) for one in told), key=str
    )
    return jobs, open_, sorted(blocked), sorted(tapped), notices
