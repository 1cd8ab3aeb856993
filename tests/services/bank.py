"""Everything that moves credits, through the real storage and services: what the fuzz test plays with."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Delete, Update, delete

from bot.credits import Estimate
from bot.errors import Refused
from bot.model import Budget, EntryKind, Job, JobRequest, JobState, Period
from bot.policy import AllowanceOf
from bot.services.budgets import BudgetState, budget_state, ensure_room
from bot.services.limits import ensure_member_may, member_state
from bot.storage import Storage, Transaction
from bot.storage.policy_tables import allowances
from bot.storage.schema import guilds, jobs, ledger
from tests.support.jobs import a_job

GUILD = 1
MEMBERS = (3, 4)
BEGIN = datetime(2027, 3, 12, 9, tzinfo=UTC)


@dataclass
class Seen:
    """What the bot says of its books at a moment."""

    server_left: int
    member_left: Mapping[int, int | None]
    jobs: Mapping[str, tuple[int, int]]  # reserved and settled
    lines: Mapping[str, int]  # put aside, less settled and released
    discrepancies: list[str]


class Bank:
    """The bot's books; a subclass may be crooked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = BEGIN
        self.stack = AsyncExitStack()

    async def open(self) -> None:
        self.storage = await self.stack.enter_async_context(Storage.open(self.url))

    async def close(self) -> None:
        await self.stack.aclose()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def empty(self) -> None:
        """Begin anew, with no line in the books."""
        self.now = BEGIN
        async with self.storage.write() as transaction:
            for table in (ledger, jobs, guilds, allowances):
                await write(transaction, delete(table))

    async def budget(self, transaction: Transaction) -> BudgetState:
        return await budget_state(transaction, GUILD, self.now)

    async def ensure(self, transaction: Transaction, user_id: int, price: Estimate) -> None:
        state = await self.budget(transaction)
        ensure_room(state, price)
        request = JobRequest(GUILD, 2, user_id, "studio", {})
        await ensure_member_may(transaction, request, state, price, self.now)

    async def reserve(self, transaction: Transaction, job: Job) -> None:
        await transaction.jobs.add(job)
        await transaction.ledger.reserve(job, self.now)

    async def accept(self, user_id: int, amount: int) -> str | None:
        """The job's id; None if there was no room."""
        job = a_job(guild_id=GUILD, user_id=user_id, estimate=amount, created_at=self.now)
        try:
            async with self.storage.write() as transaction:
                await transaction.ledger.lock(GUILD)
                await self.ensure(transaction, user_id, Estimate(amount, learned=True))
                await self.reserve(transaction, job)
        except Refused:
            return None
        return job.id

    async def correct(self, job_id: str, charge: int) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.correct(job_id, charge, self.now)

    async def settle(self, job_id: str, charge: int) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.settle(job_id, charge, self.now)

    async def release(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.release(job_id, self.now)

    async def lose(self, job_id: str) -> None:
        """Nobody knows whether Studii took the job."""
        way = (JobState.RECEIVED, JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
        async with self.storage.write() as transaction:
            for old, new in pairwise(way):
                await transaction.jobs.advance(job_id, old, new, at=self.now)

    async def rule(self, job_id: str, charge: int | None) -> None:
        async with self.storage.write() as transaction:
            await transaction.jobs.advance(job_id, JobState.UNKNOWN, JobState.FAILED, at=self.now)
            if charge is None:
                await transaction.ledger.release(job_id, self.now)
            else:
                await transaction.ledger.settle(job_id, charge, self.now)

    async def fail_half_way(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.settle(job_id, 7, self.now)
            raise LookupError

    async def grant(self, user_id: int | None, amount: int) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.grant(GUILD, user_id, amount, self.now)

    async def set_budget(self, limit: int, period: Period, since: datetime) -> None:
        async with self.storage.write() as transaction:
            await transaction.guilds.set_budget(GUILD, Budget(limit, period, since))

    async def set_zone(self, zone: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.guilds.set_timezone(GUILD, zone)

    async def set_allowance(self, user_id: int | None, amount: int | None) -> None:
        whose = AllowanceOf.MEMBERS if user_id is None else AllowanceOf.MEMBER
        async with self.storage.write() as transaction:
            await transaction.policies.set_allowance(GUILD, whose, user_id or 0, amount)

    async def pass_time(self, time: timedelta) -> None:
        self.now += time

    async def edge(self, *, end: bool) -> datetime | None:
        """Where the bot says that the present period begins, or ends."""
        async with self.storage.read() as transaction:
            period = (await self.budget(transaction)).window
        return period.end if end else period.start

    async def look(self) -> Seen:
        async with self.storage.read() as transaction:
            budget = await self.budget(transaction)
            known = await transaction.jobs.in_states(list(JobState))
            lines: dict[str, int] = {job.id: 0 for job in known}
            for line in await transaction.ledger.entries(guild_id=GUILD):
                if line.job_id is None:
                    continue
                adds = line.kind in (EntryKind.RESERVE, EntryKind.CORRECT)
                lines[line.job_id] += line.amount if adds else -line.amount
            members = {
                user_id: (await member_state(transaction, budget, user_id, (), self.now)).left
                for user_id in MEMBERS
            }
            return Seen(
                budget.left,
                members,
                {job.id: (job.reserved, job.settled) for job in known},
                lines,
                await transaction.audit.everything(),
            )


async def write(transaction: Transaction, statement: Update | Delete) -> None:
    """Straight into the tables, past all rules."""
    await transaction.jobs._session.execute(statement)  # pyright: ignore[reportPrivateUsage]
