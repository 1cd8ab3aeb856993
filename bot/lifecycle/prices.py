"""The expected costs of jobs with a server's key, and the changes when Studii tells a charge.

While the price of some tool and price-changing inputs has not been seen with a key, jobs are accepted on the
assumed cost, and one of them is sent. Its 202 sets the price: the reservations of the others are corrected,
and those for which their server's budget or their member's allowance has no room then end unpaid. If the 202
says nothing of the charge, the others wait until a later answer does, or the job ends, for ten minutes at
most.

The last answer of a job has the last word: it can raise the price, and it alone can lower it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.catalog import Catalog, Tool
from bot.domain import UNSENT_STATES, FailureCode, Job
from bot.domain.prices import MIN_ESTIMATE_CREDITS, Charges, Estimate, estimate
from bot.lifecycle.budget_alerts import watch_budget
from bot.lifecycle.remaining_credits import RemainingCredits
from bot.lifecycle.transitions import fail_unpaid
from bot.reasons import Reason, ReasonCode
from bot.storage import Transaction

# How long jobs wait for one whose 202 did not say the charge. Videos take some minutes.
SILENT_FOR = timedelta(minutes=10)


def expected_cost(charges: Charges, tool: Tool, inputs: Mapping[str, str]) -> Estimate:
    """Return what a job with these inputs will probably be charged.

    What other keys were charged is a first guess.
    """
    known = tool.in_catalogue(inputs)
    name = (tool.slug, tool.variant(inputs))
    guess = charges.any.get(name) if known else charges.dearest(tool.slug, tool.mode(inputs))
    return estimate(tool.assumed(inputs), charges.own.get(name), guess, known)


def reservation(charge: int, before: int | None) -> int:
    """Return what to reserve for a job whose 202 had that charge, if the last one was `before`.

    A last answer may have charged more than its 202: then the next one may, too.
    """
    return charge if before is None else max(charge, before)


def price_name(catalog: Catalog, job: Job) -> str:
    """Return the name of the job's price. Jobs with the same name are charged alike."""
    tool = catalog.tools.get(job.tool)
    return f"{job.tool} {job.variant}" if tool is None else tool.price_name(job.inputs, job.variant)


@dataclass(frozen=True, slots=True)
class KeyPrices:
    """The prices with the key of `lane`, learned and applied at a moment in a transaction."""

    transaction: Transaction
    catalog: Catalog
    lane: str
    at: datetime

    async def learn(self, job: Job, charge: int, before: int | None) -> None:
        """Keep what a 202 charged, if it is more than `before`: a lower price counts from the last answer."""
        if before is None or charge > before:
            await self._set(job, charge)

    async def learn_while_running(self, job: Job, told: int | None) -> None:
        """Keep what a later answer said of a running job whose 202 said nothing. 0 may mean "not yet"."""
        if job.charged is not None or not told:
            return
        await self.transaction.jobs.update(job.id, visible=True, charged=told)
        before, _ = await self.transaction.prices.last(self.lane, job.tool, job.variant)
        await self.transaction.ledger.correct(job.id, reservation(told, before), self.at)
        await self.learn(job, told, before)
        await watch_budget(self.transaction, job.guild_id, self.at)

    async def learn_at_end(
        self, job: Job, told: int | None, last: tuple[int | None, datetime | None], *, completed: bool
    ) -> bool:
        """Keep what a job's last answer charged; `job` is as it was before that answer.

        `last`: the last charge with that key, and when it was first charged.

        A failed job may have been refunded, so its charge proves only that the price is not lower. If neither
        answer of a completed job tells a charge, Studii does not tell it, and what was reserved counts.
        Returns True if other reservations may have changed, or other jobs waited for this answer.
        """
        silent = job.charged is None
        before, since = last
        if told is None:
            if not (completed and silent and before is None):
                return silent
            told = job.reserved
        surprising = silent or told > (job.charged or 0)
        newer = completed and (since is None or (job.submitted_at is not None and job.submitted_at >= since))
        if before is None:
            news = completed or (surprising and told > job.reserved)
        elif told > before:
            news = surprising or newer
        else:
            news = newer and told < before
        if told > job.reserved:
            await self.transaction.ledger.correct(job.id, told, self.at)
        if news:
            await self._set(job, told, surprising=surprising)
        return news or silent

    async def reprice_server(self, guild_id: int) -> None:
        """Correct the reservations of what a server has not sent yet."""
        await self._reprice(await self.transaction.prices.unsent_of(guild_id))

    async def sendable_now(self, job: Job) -> Job | None:
        """Return a job that was accepted on an assumed price, as it is now, if the key may send it.

        If the price was learned since then, the job's reservation is corrected; it may end for want of room.
        If the price is unknown, one job of its kind is sent at a time: the next one when Studii has told what
        the first is charged.
        """
        await self.transaction.ledger.lock(job.guild_id)
        await self._reprice([job])
        fresh = await self.transaction.jobs.get(job.id)
        if fresh is None or fresh.state not in UNSENT_STATES:
            return None
        if fresh.price_learned:
            return fresh
        name = price_name(self.catalog, job)
        asking = await self.transaction.prices.asking_with(self.lane, job.tool, self.at - SILENT_FOR)
        return fresh if all(price_name(self.catalog, one) != name for one in asking) else None

    async def _set(self, job: Job, charge: int, *, surprising: bool = False) -> None:
        """Set the price, and correct the reservations of other jobs that it concerns.

        `surprising`: the 202 had told less, so those of running jobs may have, too.
        """
        prices = self.transaction.prices
        before = await prices.learn(self.lane, job.tool, job.variant, charge, self.at)
        # From here on, no job is accepted on the old price.
        await self.transaction.ledger.lock(*await prices.guilds_with(self.lane))
        if before is None or surprising:
            await self._correct_sent(job, charge, told_less=surprising)
        await self._reprice(await prices.unsent_with(self.lane, job.tool))

    async def _reprice(self, jobs: Sequence[Job]) -> None:
        """Give unsent jobs, oldest first, the reservations that the prices ask for."""
        expected: dict[tuple[str, str], Estimate | None] = {}
        alike: dict[tuple[Estimate, bool], list[Job]] = {}
        prices: dict[str, int] = {}
        for job in jobs:
            kind = (price_name(self.catalog, job), job.variant)
            if kind not in expected:
                expected[kind] = await self._expected(job)
            price = expected[kind]
            if price is None:
                continue
            if not price.learned:
                # An assumed price lowers no reservation.
                price = Estimate(max(price.amount, job.reserved), learned=False)
            corrected = price.amount != job.reserved
            prices[job.id] = price.amount
            if corrected or job.price_learned is not price.learned:
                alike.setdefault((price, corrected), []).append(job)
        for (price, corrected), some in alike.items():
            ids = [job.id for job in some]
            if corrected:
                await self.transaction.ledger.correct_all(ids, price.amount, self.at)
            await self.transaction.prices.mark(ids, learned=price.learned, visible=corrected)
        risen = [job for job in jobs if prices.get(job.id, 0) > job.reserved]
        await _end_without_room(self.transaction, risen, prices, self.at)
        await self._watch_budgets(job for (_, corrected), some in alike.items() if corrected for job in some)

    async def _expected(self, job: Job) -> Estimate | None:
        """Return what an accepted job will probably be charged, or None if nothing tells it."""
        charged, _ = await self.transaction.prices.last(self.lane, job.tool, job.variant)
        tool = self.catalog.tools.get(job.tool)
        if tool is None:
            return None if charged is None else Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)
        # What other keys were charged for inputs in the catalogue changes nothing any more.
        known, guess = tool.in_catalogue(job.inputs), None
        if not known:
            guess = await self.transaction.prices.dearest(self.lane, tool.slug, tool.mode(job.inputs))
        return estimate(tool.assumed(job.inputs), charged, guess, known)

    async def _correct_sent(self, job: Job, charge: int, *, told_less: bool) -> None:
        """Raise the reservations of other jobs that Studii has, or may have, to what they will probably cost.

        `told_less`: also of those whose 202 told a lower charge.
        """
        changed = [
            one
            for one in await self.transaction.prices.sent_with(self.lane, job.tool)
            if one.variant == job.variant
            and one.id != job.id
            and one.reserved < charge
            and (told_less or one.charged is None)
        ]
        if not changed:
            return
        ids = [one.id for one in changed]
        await self.transaction.ledger.correct_all(ids, charge, self.at)
        await self.transaction.prices.mark(ids, learned=True, visible=True)
        await self._watch_budgets(changed)

    async def _watch_budgets(self, changed: Iterable[Job]) -> None:
        for guild_id in sorted({job.guild_id for job in changed}):
            await watch_budget(self.transaction, guild_id, self.at)


async def _end_without_room(
    transaction: Transaction, risen: Sequence[Job], prices: Mapping[str, int], at: datetime
) -> None:
    """End those whose higher reservation exceeds a limit, newest first, until the others have room."""
    remaining = RemainingCredits(transaction, at)
    for job in reversed(risen):
        server, member = await remaining.of(job)
        exceeded = [limit for limit in (server, member) if limit is not None and limit.left < 0]
        if not exceeded:
            continue
        limit = ReasonCode.NO_ROOM_IN_BUDGET if exceeded[0] is server else ReasonCode.NO_ROOM_IN_ALLOWANCE
        said = Reason(limit, {"price": prices[job.id], "reserved": job.reserved})
        if await fail_unpaid(transaction, job, UNSENT_STATES, FailureCode.BUDGET, said, at) is not None:
            for limit in (server, member):
                if limit is not None:
                    limit.left += prices[job.id]
