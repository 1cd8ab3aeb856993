"""Banks with one mistake each, of the kinds that are made: none may go unnoticed."""

from dataclasses import replace

from sqlalchemy import Update, update

from bot.credits import Estimate
from bot.errors import Refused
from bot.model import Job
from bot.services.budgets import BudgetState
from bot.storage import Transaction
from bot.storage.schema import jobs
from tests.services.bank import Bank


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
        await _write(transaction, update(jobs).where(jobs.c.id == job.id).values(reserved=0))


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


async def _write(transaction: Transaction, statement: Update) -> None:
    """Straight into the table, past all rules."""
    await transaction.jobs._session.execute(statement)  # pyright: ignore[reportPrivateUsage]


CROOKS = tuple(Bank.__subclasses__())
