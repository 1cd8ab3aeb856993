"""Banks with one mistake each, of the kinds that are made: none may go unnoticed."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update

from bot.credits import Estimate, left, window
from bot.errors import Refused
from bot.model import Budget, Job, JobState, Period, Usage
from bot.services.budgets import BudgetState
from bot.storage import ReservationError, Transaction
from bot.storage.schema import jobs
from tests.services.bank import GUILD, Bank, write


class ChecksNothing(Bank):
    async def ensure(self, transaction: Transaction, user_id: int, price: Estimate) -> None:
        pass


class ForgetsTheMembersAllowance(Bank):
    async def ensure(self, transaction: Transaction, user_id: int, price: Estimate) -> None:
        if (await self.budget(transaction)).left < price.amount:
            raise Refused


class LetsOneCreditTooManyThrough(Bank):
    async def ensure(self, transaction: Transaction, user_id: int, price: Estimate) -> None:
        await super().ensure(transaction, user_id, replace(price, amount=max(0, price.amount - 1)))


class CountsOnlyWhatIsPaid(Bank):
    async def budget(self, transaction: Transaction) -> BudgetState:
        state = await super().budget(transaction)
        return replace(state, left=state.left + state.usage.reserved)


class ReservesWithoutABalance(Bank):
    async def reserve(self, transaction: Transaction, job: Job) -> None:
        await super().reserve(transaction, job)
        await write(transaction, update(jobs).where(jobs.c.id == job.id).values(reserved=0))


class SettlesTheEstimate(Bank):
    async def settle(self, job_id: str, charge: int) -> None:
        async with self.storage.write() as transaction:
            job = await transaction.jobs.get(job_id)
            await transaction.ledger.settle(job_id, job.estimate if job else charge, self.now)


class NeverCorrectsUpwards(Bank):
    async def correct(self, job_id: str, charge: int) -> None:
        async with self.storage.write() as transaction:
            job = await transaction.jobs.get(job_id)
            await transaction.ledger.correct(job_id, min(charge, job.reserved if job else 0), self.now)


class SettlesTwice(Bank):
    async def settle(self, job_id: str, charge: int) -> None:
        async with self.storage.write() as transaction:
            again = update(jobs).where(jobs.c.id == job_id).values(resolved_at=None)
            await write(transaction, again)
            with suppress(ReservationError):
                await transaction.ledger.settle(job_id, charge, self.now)


class HidesASecondResolution(Bank):
    async def release(self, job_id: str) -> None:
        with suppress(ReservationError):
            await super().release(job_id)


class ReleasesWhatNobodyKnows(Bank):
    async def lose(self, job_id: str) -> None:
        await super().lose(job_id)
        await self.release(job_id)


class ChargesARulingTwice(Bank):
    async def rule(self, job_id: str, charge: int | None) -> None:
        await super().rule(job_id, None if charge is None else 2 * charge)


class KeepsHalfOfAFailure(Bank):
    async def fail_half_way(self, job_id: str) -> None:
        await self.settle(job_id, 7)
        raise LookupError


class GrantsTwice(Bank):
    async def grant(self, user_id: int | None, amount: int) -> None:
        await super().grant(user_id, amount)
        await super().grant(user_id, amount)


class GivesMembersGrantsToTheServer(Bank):
    async def grant(self, user_id: int | None, amount: int) -> None:
        await super().grant(None, amount)


class ForgetsTheZone(Bank):
    async def budget(self, transaction: Transaction) -> BudgetState:
        return await _budget_in(transaction, self.now, "UTC")


class NeverLowersALimit(Bank):
    async def set_budget(self, limit: int, period: Period, since: datetime) -> None:
        async with self.storage.write() as transaction:
            old = (await transaction.guilds.get(GUILD)).budget
            await transaction.guilds.set_budget(GUILD, Budget(max(old.limit, limit), period, since))


class CountsByTheDayOfSettlement(Bank):
    async def settle(self, job_id: str, charge: int) -> None:
        await super().settle(job_id, charge)
        async with self.storage.write() as transaction:
            moved = update(jobs).where(jobs.c.id == job_id).values(created_at=self.now)
            await write(transaction, moved)


class FreesWhatIsOpenAtARestart(Bank):
    async def restart(self) -> None:
        await super().restart()
        async with self.storage.read() as transaction:
            known = await transaction.jobs.in_states(list(JobState))
        for job in known:
            if job.reserved:
                await self.release(job.id)


class LosesAnHourOfEachPeriod(Bank):
    async def budget(self, transaction: Transaction) -> BudgetState:
        state = await super().budget(transaction)
        start = state.window.start
        if start is None:
            return state
        later = replace(state.window, start=start + timedelta(hours=1))
        usage = await transaction.ledger.usage(GUILD, later)
        return replace(state, usage=usage, left=left(state.settings.budget, usage, state.grants))


async def _budget_in(transaction: Transaction, now: datetime, zone: str) -> BudgetState:
    settings = await transaction.guilds.get(GUILD)
    period = window(settings.budget, zone, now)
    usage: Usage = await transaction.ledger.usage(GUILD, period)
    grants = await transaction.ledger.granted(GUILD, period)
    return BudgetState(settings, period, usage, left(settings.budget, usage, grants), grants)


CROOKS = tuple(Bank.__subclasses__())
# Crooked in rare cases alone: it takes thousands of steps to find them out, so `make fuzz` tries them.
SUBTLE = (HidesASecondResolution, NeverCorrectsUpwards, SettlesTwice)
