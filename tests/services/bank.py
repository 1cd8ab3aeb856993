"""Everything that moves credits, through the services and a real database: what the fuzz test plays with."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar
from unittest.mock import patch

from sqlalchemy import Delete, Update, delete

from bot.catalog import Catalog
from bot.engine.endings import fail_paid, fail_unpaid, succeed
from bot.errors import Refused
from bot.model import EntryKind, FailureCode, Job, JobRequest, JobState, Period, Plan
from bot.policy import AllowanceOf, Standing, StartRate
from bot.services import CreditService, JobService, LimitService, RulingService, audit
from bot.services.budgets import budget_state
from bot.services.limits import member_state
from bot.storage import Storage, Transaction
from bot.storage.policy_tables import allowances, policies
from bot.storage.schema import guilds, jobs, ledger, notices
from tests.services.accountant import ROLES
from tests.support.clock import FakeClock

GUILD = 1
MEMBERS = tuple(ROLES)
BEGIN = datetime(2027, 3, 12, 9, tzinfo=UTC)
INPUTS = {"source": "text", "prompt": "a house", "mode": "image", "quality": "standard"}
ON_ITS_WAY = (JobState.RECEIVED, JobState.WAITING, JobState.SUBMITTING)
Replacement = tuple[str, Callable[..., Any]]


@dataclass
class Seen:
    """What the bot says of its books at a moment."""

    server_left: int
    member_left: Mapping[int, int | None]
    going: Mapping[int, int]
    jobs: Mapping[str, tuple[int, int]]  # reserved and settled
    lines: Mapping[str, int]  # put aside, less settled and released
    wrong: list[str]


class Bank:
    """The bot's books; a subclass may be crooked, by a way of its own or by replacing a part of the bot."""

    replaced: ClassVar[Sequence[Replacement]] = ()

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = FakeClock(BEGIN)
        self.catalog = Catalog.load()
        self.stack = AsyncExitStack()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def open(self) -> None:
        for name, replacement in self.replaced:
            self.stack.enter_context(patch(name, replacement))
        self.storage = await self.stack.enter_async_context(Storage.open(self.url))
        self.jobs = JobService(self.storage, self.catalog, self.clock, lambda: None, max_source_bytes=1)
        self.credits = CreditService(self.storage, self.catalog, self.clock)
        self.limits = LimitService(self.storage, self.clock)
        self.rulings = RulingService(self.storage, self.clock, lambda: None)

    async def close(self) -> None:
        await self.stack.aclose()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def empty(self) -> None:
        """Begin anew, with a key and no line in the books."""
        self.clock.set(BEGIN)
        self.price: int | None = None
        async with self.storage.write() as transaction:
            for table in (ledger, notices, jobs, guilds, allowances, policies):
                await write(transaction, delete(table))
            key = await transaction.keys.current(GUILD)
            key = key or await transaction.keys.add(GUILD, "lane", "abcd", Plan.PRO, b"", self.now)
            await transaction.guilds.set_key(GUILD, key.id, self.now)

    async def accept(self, user_id: int, amount: int) -> Job | Refused:
        """A job of which past charges say that it costs so much."""
        if amount != self.price:
            variant = self.catalog.get("studio").variant(INPUTS)
            async with self.storage.write() as transaction:
                await transaction.prices.learn("studio", variant, amount, self.now)
            self.price = amount
        standing = Standing(roles=frozenset(ROLES[user_id]))
        try:
            return await self.jobs.accept(JobRequest(GUILD, 2, user_id, "studio", INPUTS, standing=standing))
        except Refused as refused:
            return refused

    async def start(self, job_id: str, charge: int | None) -> None:
        """Studii takes the job, and may say what it charges; as `bot.engine.starting` writes it down."""
        async with self.storage.write() as transaction:
            for old, new in pairwise((*ON_ITS_WAY, JobState.RUNNING)):
                await transaction.jobs.advance(job_id, old, new, at=self.now)
            if charge is not None:
                await transaction.jobs.update(job_id, charged=charge)
                await self.correct(transaction, job_id, charge)

    async def correct(self, transaction: Transaction, job_id: str, charge: int) -> None:
        await transaction.ledger.correct(job_id, charge, self.now)

    async def end(self, job_id: str, way: str, charge: int) -> bool:
        """Whether the job ended so: done, or failed at that charge, or before Studii took it."""
        async with self.storage.write() as transaction:
            job = await transaction.jobs.get(job_id)
            assert job is not None
            if way == "done":
                ended = await succeed(transaction, job, "file", "image", self.now)
            elif way == "paid":
                ended = await fail_paid(transaction, job, FailureCode.STUDII, "", charge, self.now)
            else:
                open_ = (JobState.RECEIVED, JobState.WAITING)
                ended = await fail_unpaid(transaction, job, open_, FailureCode.PHOTO, "", self.now)
        return ended is not None

    async def cancel(self, job_id: str, user_id: int) -> None:
        await self.jobs.cancel(job_id, GUILD, user_id)

    async def lose(self, job_id: str) -> None:
        """Nobody knows whether Studii took the job."""
        async with self.storage.write() as transaction:
            for old, new in pairwise((*ON_ITS_WAY, JobState.UNKNOWN)):
                await transaction.jobs.advance(job_id, old, new, at=self.now)

    async def rule(self, job_id: str, charge: int | None) -> None:
        if charge is None:
            await self.rulings.release(GUILD, job_id)
        else:
            await self.rulings.charged(GUILD, job_id, charge)

    async def resolve_again(self, job_id: str, way: str) -> None:
        async with self.storage.write() as transaction:
            if way == "settle":
                await transaction.ledger.settle(job_id, 5, self.now)
            elif way == "correct":
                await transaction.ledger.correct(job_id, 5, self.now)
            else:
                await transaction.ledger.release(job_id, self.now)

    async def fail_half_way(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.settle(job_id, 7, self.now)
            raise LookupError

    async def grant(self, user_id: int | None, amount: int) -> None:
        await self.limits.grant(GUILD, user_id, amount)

    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        await self.credits.set_budget(GUILD, limit, period, restart=restart)

    async def set_zone(self, zone: str) -> None:
        await self.credits.set_budget(GUILD, None, None, zone)

    async def set_allowance(self, whose: AllowanceOf, subject_id: int, amount: int | None) -> None:
        await self.limits.set(GUILD, allowance=(whose, subject_id, amount))

    async def set_at_once(self, number: int | None) -> None:
        await self.limits.set(GUILD, at_once=number)

    async def set_rate(self, rate: StartRate | None) -> None:
        await self.limits.set(GUILD, rate=rate)

    async def pass_time(self, time: timedelta) -> None:
        self.clock.set(self.now + time)

    async def edge(self, *, end: bool) -> datetime | None:
        """Where the bot says that the present period begins, or ends."""
        period = (await self.credits.budget(GUILD)).window
        return period.end if end else period.start

    async def look(self, *, thoroughly: bool) -> Seen:
        """`thoroughly`: the bot's own audit is asked, too."""
        async with self.storage.read() as transaction:
            budget = await budget_state(transaction, GUILD, self.now)
            known = await transaction.jobs.in_states(list(JobState))
            lines: dict[str, int] = {job.id: 0 for job in known}
            for line in await transaction.ledger.entries(guild_id=GUILD):
                if line.job_id is None:
                    continue
                adds = line.kind in (EntryKind.RESERVE, EntryKind.CORRECT)
                lines[line.job_id] += line.amount if adds else -line.amount
            members = {
                user_id: await member_state(transaction, budget, user_id, ROLES[user_id], self.now)
                for user_id in MEMBERS
            }
            return Seen(
                budget.left,
                {user_id: state.left for user_id, state in members.items()},
                {user_id: state.going for user_id, state in members.items()},
                {job.id: (job.reserved, job.settled) for job in known},
                lines,
                await audit(transaction, self.now) if thoroughly else [],
            )


async def write(transaction: Transaction, statement: Update | Delete) -> None:
    """Straight into the tables, past all rules."""
    await transaction.jobs._session.execute(statement)  # pyright: ignore[reportPrivateUsage]
