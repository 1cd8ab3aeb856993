"""The expected costs of jobs with a server's key, and the changes when Studii tells a charge.

While the price of some tool and price-changing inputs has not been seen with a key, jobs are accepted on the
assumed cost, and one of them is sent. Its 202 sets the price: the reservations of the others are corrected,
and those for which their server's budget or their member's allowance has no room then end unpaid. If the 202
says nothing of the charge, the others wait until a later answer does, or the job ends, for ten minutes at
most.

The last answer of a job has the last word: it can raise the price, and it alone can lower it.
"""

from collections.abc import Mapping, Sequence
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


async def _cost_of_accepted(
    transaction: Transaction, lane: str, tool: Tool, inputs: Mapping[str, str], variant: str
) -> Estimate:
    """Return what an accepted job will probably be charged; what other keys were charged changes nothing."""
    charged, _ = await transaction.prices.last(lane, tool.slug, variant)
    known = tool.in_catalogue(inputs)
    guess = None if known else await transaction.prices.dearest(lane, tool.slug, tool.mode(inputs))
    return estimate(tool.assumed(inputs), charged, guess, known)


def reservation(charge: int, before: int | None) -> int:
    """Return what to reserve for a job whose 202 had that charge, if the last one was `before`.

    A last answer may have charged more than its 202: then the next one may, too.
    """
    return charge if before is None else max(charge, before)


async def learn_price(
    transaction: Transaction,
    catalog: Catalog,
    job: Job,
    lane: str,
    charge: int,
    before: int | None,
    at: datetime,
) -> None:
    """Keep what a 202 charged, if it is more than `before`: a lower price counts from the last answer."""
    if before is None or charge > before:
        await _set_price(transaction, catalog, job, lane, charge, at)


async def learn_while_running(
    transaction: Transaction, catalog: Catalog, job: Job, lane: str, told: int | None, at: datetime
) -> None:
    """Keep what a later answer said of a running job whose 202 said nothing. 0 may mean "not yet"."""
    if job.charged is not None or not told:
        return
    await transaction.jobs.update(job.id, visible=True, charged=told)
    before, _ = await transaction.prices.last(lane, job.tool, job.variant)
    await transaction.ledger.correct(job.id, reservation(told, before), at)
    await learn_price(transaction, catalog, job, lane, told, before, at)
    await watch_budget(transaction, job.guild_id, at)


async def learn_at_end(
    transaction: Transaction,
    catalog: Catalog,
    job: Job,
    lane: str,
    told: int | None,
    at: datetime,
    *,
    completed: bool,
    last: tuple[int | None, datetime | None],
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
        await transaction.ledger.correct(job.id, told, at)
    if news:
        await _set_price(transaction, catalog, job, lane, told, at, surprising=surprising)
    return news or silent


async def _set_price(
    transaction: Transaction,
    catalog: Catalog,
    job: Job,
    lane: str,
    charge: int,
    at: datetime,
    *,
    surprising: bool = False,
) -> None:
    """Set the price with that key, and correct the reservations of other jobs that it concerns.

    `surprising`: the 202 had told less, so those of running jobs may have, too.
    """
    before = await transaction.prices.learn(lane, job.tool, job.variant, charge, at)
    # From here on, no job is accepted on the old price.
    await transaction.ledger.lock(*await transaction.prices.guilds_with(lane))
    if before is None or surprising:
        await _correct_sent(transaction, job, lane, charge, at, told_less=surprising)
    await _reprice(transaction, catalog, lane, await transaction.prices.unsent_with(lane, job.tool), at)


async def reprice_server(
    transaction: Transaction, catalog: Catalog, guild_id: int, lane: str, at: datetime
) -> None:
    """Correct the reservations of what a server has not sent yet, for the key of that lane."""
    await _reprice(transaction, catalog, lane, await transaction.prices.unsent_of(guild_id), at)


async def sendable_now(
    transaction: Transaction, catalog: Catalog, job: Job, lane: str, at: datetime
) -> Job | None:
    """Return a job that was accepted on an assumed price, as it is now, if the key of that lane may send it.

    If the price was learned since then, the job's reservation is corrected; it may end for want of room. If
    the price is unknown, one job of its kind is sent at a time: the next one when Studii has told what the
    first is charged.
    """
    await transaction.ledger.lock(job.guild_id)
    await _reprice(transaction, catalog, lane, [job], at)
    fresh = await transaction.jobs.get(job.id)
    if fresh is None or fresh.state not in UNSENT_STATES:
        return None
    if fresh.price_learned:
        return fresh
    name = price_name(catalog, job)
    asking = await transaction.prices.asking_with(lane, job.tool, at - SILENT_FOR)
    return fresh if all(price_name(catalog, one) != name for one in asking) else None


def price_name(catalog: Catalog, job: Job) -> str:
    """Return the name of the job's price. Jobs with the same name are charged alike."""
    tool = catalog.tools.get(job.tool)
    return f"{job.tool} {job.variant}" if tool is None else tool.price_name(job.inputs, job.variant)


async def _reprice(
    transaction: Transaction, catalog: Catalog, lane: str, jobs: Sequence[Job], at: datetime
) -> None:
    """Give unsent jobs, oldest first, the reservations that the key's prices ask for."""
    expected: dict[tuple[str, str], Estimate | None] = {}
    alike: dict[tuple[Estimate, bool], list[Job]] = {}
    prices: dict[str, int] = {}
    for job in jobs:
        kind = (price_name(catalog, job), job.variant)
        if kind not in expected:
            expected[kind] = await _expected_of(transaction, catalog, lane, job)
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
            await transaction.ledger.correct_all(ids, price.amount, at)
        await transaction.prices.mark(ids, learned=price.learned, visible=corrected)
    await _end_without_room(
        transaction, [job for job in jobs if prices.get(job.id, 0) > job.reserved], prices, at
    )
    for guild_id in sorted(
        {job.guild_id for (_, corrected), some in alike.items() if corrected for job in some}
    ):
        await watch_budget(transaction, guild_id, at)


async def _expected_of(transaction: Transaction, catalog: Catalog, lane: str, job: Job) -> Estimate | None:
    tool = catalog.tools.get(job.tool)
    if tool is not None:
        return await _cost_of_accepted(transaction, lane, tool, job.inputs, job.variant)
    charged, _ = await transaction.prices.last(lane, job.tool, job.variant)
    return None if charged is None else Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)


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


async def _correct_sent(
    transaction: Transaction, job: Job, lane: str, charge: int, at: datetime, *, told_less: bool
) -> None:
    """Raise the reservations of other jobs that Studii has, or may have, to what they will probably cost.

    `told_less`: also of those whose 202 told a lower charge.
    """
    sent = await transaction.prices.sent_with(lane, job.tool)
    changed = [
        one
        for one in sent
        if one.variant == job.variant
        and one.id != job.id
        and one.reserved < charge
        and (told_less or one.charged is None)
    ]
    if not changed:
        return
    ids = [one.id for one in changed]
    await transaction.ledger.correct_all(ids, charge, at)
    await transaction.prices.mark(ids, learned=True, visible=True)
    for guild_id in sorted({one.guild_id for one in changed}):
        await watch_budget(transaction, guild_id, at)
