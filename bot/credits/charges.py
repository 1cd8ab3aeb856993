"""The changes by Studii's charges: of the prices with a server's key, and of its jobs' reservations.

While the price of some tool and price-changing inputs has not been seen with a key, jobs are accepted on the
assumed cost, and one of them is sent. Its 202 sets the price: the reservations of the others are corrected.
If the 202 says nothing of the charge, the others wait until a later answer does, or the job ends, for ten
minutes at most. The last answer of a job has the last word: it can raise the price, and it alone can lower
it.

The claim before POST /jobs asks `sendable`, which is also where a job ends whose price has risen and whose
limits have no room for it any more. A key is named by its lane, whose lock the caller holds where it learns.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.credits import ledger
from bot.credits.budgets import budget_period, watch_budget
from bot.credits.limits import allowance, of_server
from bot.credits.prices import ANY_KEY, MIN_ESTIMATE_CREDITS, Estimate, Price, PriceTable, charges_of
from bot.db import put
from bot.domain.guilds import Period
from bot.jobs.models import UNSENT_STATES, Job, JobState, jobs
from bot.jobs.queries import readable
from bot.reasons import Reason, ReasonCode
from bot.servers import settings
from bot.servers.keys import StudiiKey

# How long jobs wait for one whose 202 did not say the charge. Videos take some minutes.
SILENT_FOR = timedelta(minutes=10)


def price_name(catalog: Catalog, job: Job) -> str:
    """Return the name of the job's price. Jobs with the same name are charged alike."""
    tool = catalog.tools.get(job.tool)
    return f"{job.tool} {job.variant}" if tool is None else tool.price_name(job.inputs, job.variant)


def learn(session: Session, lane: str, tool: str, variant: str, charge: int, at: datetime) -> int | None:
    """Record a charge. Return the key's charge before it, or None if there was none."""
    asked = select(Price.lane, Price.charge).filter_by(tool=tool, variant=variant)
    before = dict(session.execute(asked.where(Price.lane.in_([lane, ANY_KEY]))).all())
    for name in (lane, ANY_KEY):
        if before.get(name) != charge:
            put(session, Price, {"lane": name, "tool": tool, "variant": variant}, charge=charge, at=at)
    return before.get(lane)


def taken(session: Session, catalog: Catalog, lane: str, job: Job, charge: int, at: datetime) -> None:
    """Keep what a 202 charged: the job's reservation, and the price if it is higher."""
    before, _ = _last(session, lane, job)
    if charge == before == job.reserved:
        return
    # A last answer may have charged more than its 202: then the next one may, too.
    wanted, reserved = max(charge, before or 0), job.reserved
    ledger.correct(session, [job], wanted, at)
    if before is None or charge > before:
        _set(session, catalog, lane, job, charge, at)
    if wanted > reserved:
        watch_budget(session, job.guild_id, at)


def told_at_end(
    session: Session,
    catalog: Catalog,
    lane: str,
    job: Job,
    told: int | None,
    at: datetime,
    *,
    completed: bool,
) -> bool:
    """Keep what a job's last answer charged; the job is as it was before that answer.

    A failed job may have been refunded, so its charge proves only that the price is not lower. If neither
    answer of a completed job tells a charge, Studii does not tell it, and what was reserved counts. Return
    whether other reservations may have changed, or other jobs waited for this answer.
    """
    silent = job.charged is None
    before, since = _last(session, lane, job)
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
        ledger.correct(session, [job], told, at)
    if news:
        _set(session, catalog, lane, job, told, at, surprising=surprising)
    return news or silent


def reprice_server(session: Session, catalog: Catalog, lane: str, guild_id: int, at: datetime) -> None:
    """Correct the reservations of what a server has not sent yet, after it got a key."""
    _reprice(session, catalog, lane, _locked(session, UNSENT_STATES, jobs.c.guild_id == guild_id), at)


def sendable(session: Session, catalog: Catalog, lane: str, job: Job, at: datetime) -> Job | Reason | None:
    """Return an accepted job, as it is now, if the key may send it.

    A job that was accepted on an assumed price gets the one that was learned since then. If its price has
    risen and a limit has no room for it any more, return the reason, with which it has to end. If its price
    is unknown, one job of its kind is sent at a time, until Studii has told what it charges: return None
    while it has to wait for another.
    """
    ledger.lock(session, job.guild_id)
    if not job.price_learned:
        job = _locked(session, UNSENT_STATES, jobs.c.id == job.id)[0]
        _reprice(session, catalog, lane, [job], at)
    if job.reserved > job.estimate and (limit := _exceeded(session, job, at)) is not None:
        return Reason(limit, {"price": job.reserved, "reserved": job.estimate})
    if job.price_learned:
        return job
    silent = jobs.c.charged.is_(None) & jobs.c.output_url.is_(None) & (jobs.c.submitted_at > at - SILENT_FOR)
    asks = (jobs.c.state == JobState.SUBMITTING) | silent
    asking = _locked(session, (JobState.SUBMITTING, JobState.RUNNING), asks, *_sent_with(lane, job.tool))
    name = price_name(catalog, job)
    return None if any(price_name(catalog, one) == name for one in asking) else job


def _set(
    session: Session,
    catalog: Catalog,
    lane: str,
    job: Job,
    charge: int,
    at: datetime,
    *,
    surprising: bool = False,
) -> None:
    """Set the price, and correct the reservations of other jobs that it concerns.

    `surprising`: the 202 had told less, so those of running jobs may have, too.
    """
    before = learn(session, lane, job.tool, job.variant, charge, at)
    current = (settings.GuildSettings.guild_id == StudiiKey.guild_id) & (
        settings.GuildSettings.key_id == StudiiKey.id
    )
    servers = select(StudiiKey.guild_id).join(settings.GuildSettings, current).where(StudiiKey.lane == lane)
    # From here on, no job is accepted on the old price.
    ledger.lock(session, *session.scalars(servers))
    if before is None or surprising:
        sent = _locked(
            session,
            (JobState.UNKNOWN, JobState.RUNNING),
            jobs.c.output_url.is_(None),
            jobs.c.variant == job.variant,
            jobs.c.id != job.id,
            jobs.c.reserved < charge,
            *_sent_with(lane, job.tool),
        )
        raised = [one for one in sent if surprising or one.charged is None]
        _correct(session, raised, Estimate(charge, learned=True), at)
    unsent = _locked(session, UNSENT_STATES, jobs.c.tool == job.tool, jobs.c.guild_id.in_(servers))
    _reprice(session, catalog, lane, unsent, at)


def _reprice(session: Session, catalog: Catalog, lane: str, unsent: Sequence[Job], at: datetime) -> None:
    """Give unsent jobs the reservations that the prices ask for."""
    prices = charges_of(session, [lane])[lane]
    alike: dict[Estimate, list[Job]] = {}
    for job in unsent:
        price = _expected(prices, catalog, job)
        if price is not None and not price.learned:
            price = Estimate(max(price.amount, job.reserved), learned=False)  # it lowers no reservation
        if price is not None and price != Estimate(job.reserved, bool(job.price_learned)):
            alike.setdefault(price, []).append(job)
    for price, some in alike.items():
        _correct(session, some, price, at)


def _correct(session: Session, some: Collection[Job], price: Estimate, at: datetime) -> None:
    """Correct the reservations of these jobs in one step, which their progress shows."""
    different = [job for job in some if job.reserved != price.amount]
    ledger.correct(session, different, price.amount, at)
    for job in different:
        job.version += 1
    for job in some:
        job.price_learned = price.learned
    for guild_id in sorted({job.guild_id for job in different}):
        watch_budget(session, guild_id, at)


def _expected(prices: PriceTable, catalog: Catalog, job: Job) -> Estimate | None:
    """Return what an accepted job will probably be charged, or None if nothing tells it.

    What other keys were charged for inputs in the catalogue changes nothing any more.
    """
    tool, charged = catalog.tools.get(job.tool), prices.own.get((job.tool, job.variant))
    if tool is not None:
        return PriceTable(prices.own).expected(tool, job.inputs, job.variant)
    return None if charged is None else Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)


def _exceeded(session: Session, job: Job, at: datetime) -> ReasonCode | None:
    """Return the limit that has no room for a job whose price has risen, if there is one.

    Of the others whose prices have risen and that wait as well, those that were accepted before count.
    """
    server = settings.of(session, job.guild_id)
    # A job counts in the period in which it was accepted; an older one counts in no one-off total.
    total = server.budget.period is Period.TOTAL
    period, name = budget_period(server, at if total else job.created_at)
    if total and period.start is not None and job.created_at < period.start:
        return None
    mine = select(jobs.c.number).where(jobs.c.id == job.id).scalar_subquery()
    before = (
        jobs.c.state.not_in(UNSENT_STATES) | (jobs.c.reserved <= jobs.c.estimate) | (jobs.c.number <= mine)
    )
    spent = select(func.coalesce(func.sum(jobs.c.settled + jobs.c.reserved), 0))
    spent = spent.where(jobs.c.guild_id == job.guild_id, *period.holds(jobs.c.created_at), before)
    granted = ledger.grants(session, [job.guild_id], name)[job.guild_id]
    if server.budget.limit + granted.get(None, 0) < session.execute(spent).scalar_one():
        return ReasonCode.NO_ROOM_IN_BUDGET
    # The member's roles are not known here, but that which gave them their allowance is.
    roles = () if job.allowance_role is None else (job.allowance_role,)
    theirs = allowance(of_server(session, job.guild_id), job.user_id, roles)
    if theirs is None:
        return None
    own = session.execute(spent.where(jobs.c.user_id == job.user_id)).scalar_one()
    return ReasonCode.NO_ROOM_IN_ALLOWANCE if theirs.credits + granted.get(job.user_id, 0) < own else None


def _last(session: Session, lane: str, job: Job) -> tuple[int | None, datetime | None]:
    """Return the last charge for the job's price with that key, and when it was first charged."""
    found = session.get(Price, (lane, job.tool, job.variant))
    return (None, None) if found is None else (found.charge, found.at)


def _sent_with(lane: str, tool: str) -> Iterable[ColumnElement[bool]]:
    with_key = jobs.c.key_id.in_(select(StudiiKey.id).where(StudiiKey.lane == lane))
    return (jobs.c.tool == tool, with_key)


def _locked(session: Session, states: Collection[JobState], *which: ColumnElement[bool]) -> list[Job]:
    """Return these jobs, oldest first, which are locked until the transaction ends.

    Those whose row can't be read are left out, as by the engine, which tells of them.
    """
    found = select(Job).where(Job.state.in_(states), *which).order_by(Job.number).with_for_update()
    return readable(session, found.execution_options(populate_existing=True))
