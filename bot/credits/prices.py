"""The probable costs of jobs: those charged before with the server's key, else assumed ones.

While the price of some tool and price-changing inputs has not been seen with a key, jobs are accepted on the
assumed cost, and one of them is sent. Its 202 sets the price: the reservations of the others are corrected.
If the 202 says nothing of the charge, the others wait until a later answer does, or the job ends, for ten
minutes at most. The last answer of a job has the last word: it can raise the price, and it alone can lower
it.

The claim before POST /jobs asks `sendable`, which is also where a job ends whose price has risen and whose
limits have no room for it any more. A key is named by its lane, whose lock the caller holds where it learns.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, product

from sqlalchemy import ColumnElement, Integer, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, put
from bot.catalog import Catalog, Tool
from bot.credits import budgets, ledger, limits
from bot.credits.budgets import Estimate
from bot.jobs.models import UNSENT_STATES, Job, JobState, jobs
from bot.jobs.queries import readable
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings, Period

ANY_KEY = ""  # as a lane: the last charge with any key
MIN_ESTIMATE_CREDITS = 1  # an estimate of 0 would pass every budget


class Price(Base):
    """The last charge of a tool with some price-changing inputs, with a key or (`ANY_KEY`) any."""

    __tablename__ = "prices"

    lane: Mapped[str] = mapped_column(primary_key=True, repr=False)
    tool: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True, repr=False)
    charge: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]  # when it was first charged


@dataclass(frozen=True, slots=True)
class ToolPrice:
    """The probable cost of a tool when nothing is chosen, and the known costs with other choices in the place
    of its defaults, the cheapest first."""

    tool: Tool
    price: Estimate
    others: tuple[tuple[Mapping[str, str], Estimate], ...]


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The probable costs of jobs. `own` and `any` are the last charges with one key, and with any, by tool
    and variant."""

    own: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    any: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def expected(self, tool: Tool, inputs: Mapping[str, str], variant: str | None = None) -> Estimate:
        """Return the credits to reserve for a job with these inputs, at least 1.

        An accepted job has its `variant`. What other keys were charged may differ, so it can raise the
        catalogue's figure and never lower it. Inputs outside the catalogue may cost anything: for them the
        highest of all figures counts, with the dearest charge seen, so that they can't slip past a budget.
        """
        known = tool.in_catalogue(inputs)
        name = (tool.slug, tool.variant(inputs) if variant is None else variant)
        charged = self.own.get(name)
        if charged is not None and known:
            return Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)
        guess = self.any.get(name) if known else self._dearest(tool.slug, tool.mode(inputs))
        figures = [tool.assumed(inputs), charged or 0, guess or 0]
        return Estimate(max(MIN_ESTIMATE_CREDITS, *figures), learned=charged is not None)

    def _dearest(self, tool: str, mode: str | None) -> int | None:
        """Return the highest charge of the tool; `mode` limits them to one mode, such as `mode=video`."""
        return max(
            (
                charge
                for some in (self.own, self.any)
                for (slug, variant), charge in some.items()
                if slug == tool and (mode is None or f" {mode} " in f" {variant} ")
            ),
            default=None,
        )

    def of(self, tool: Tool, values: Mapping[str, str | None]) -> Estimate:
        """Return the price of a job with these values, and the tool's defaults for the others."""
        given = {name: value for name, value in values.items() if value}
        defaults = {one.name: one.default for one in tool.inputs if one.default is not None}
        return self.expected(tool, {**defaults, **given})

    def least(self, tool: Tool) -> Estimate:
        """Return the lowest price of the tool, with any choices.

        Inputs outside the catalogue cost no less: the dearest charge counts for them.
        """
        return min((self.of(tool, one) for one in ({}, *_choices(tool))), key=lambda one: one.amount)

    def least_of_all(self, catalog: Catalog) -> int:
        """Return the lowest price of any tool. If less is left, it can't be spent."""
        return min(self.least(tool).amount for tool in catalog.tools.values())

    def listed(self, tool: Tool) -> ToolPrice:
        """Return the tool's probable cost, and those of other choices that are known."""
        price = self.of(tool, {})
        others = [(choices, self.of(tool, choices)) for choices in _choices(tool)]
        # What is assumed is the same for all choices but the mode.
        modes = set[str]() if isinstance(tool.assumed_cost, int) else {tool.output_from}
        known = [
            (choices, other)
            for choices, other in others
            if other.amount != price.amount and (other.learned or set(choices) == modes)
        ]
        return ToolPrice(tool, price, tuple(sorted(known, key=lambda one: one[1].amount)))


def charges_of(session: Session, lanes: Collection[str]) -> dict[str, PriceTable]:
    """Return the prices with each of these keys."""
    found: dict[str, dict[tuple[str, str], int]] = {lane: {} for lane in (*lanes, ANY_KEY)}
    for one in session.execute(
        select(Price.lane, Price.tool, Price.variant, Price.charge).where(Price.lane.in_(list(found)))
    ):
        found[one.lane][one.tool, one.variant] = one.charge
    return {lane: PriceTable(found[lane], found[ANY_KEY]) for lane in lanes}


def price_table(session: Session, guild_id: int) -> PriceTable:
    """Return what jobs will probably cost with the server's key."""
    key = keys.current(session, guild_id)
    mine = "none" if key is None else key.lane
    return charges_of(session, [mine])[mine]


def _choices(tool: Tool) -> Iterator[dict[str, str]]:
    """Return what the catalogue suggests besides the defaults, where it changes the price."""
    priced = [one for one in tool.inputs if one.price]
    values = [dict.fromkeys((one.default, *one.suggestions)) for one in priced]
    for chosen in islice(product(*values), 1, 256):  # an operator's own tools may have very many
        yield {
            one.name: value
            for one, value in zip(priced, chosen, strict=True)
            if value is not None and value != one.default
        }


def price_name(catalog: Catalog, job: Job) -> str:
    """Return the name of the job's price. Jobs with the same name are charged alike."""
    tool = catalog.tools.get(job.tool)
    return f"{job.tool} {job.variant}" if tool is None else tool.price_name(job.inputs, job.variant)


def learn(session: Session, lane: str, tool: str, variant: str, charge: int, at: datetime) -> int | None:
    """Record a charge. Return the key's charge before it, or None if there was none."""
    before = dict(
        session.execute(
            select(Price.lane, Price.charge)
            .filter_by(tool=tool, variant=variant)
            .where(Price.lane.in_([lane, ANY_KEY]))
        ).all()
    )
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
        budgets.watch_budget(session, job.guild_id, at)


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
    # Jobs don't wait longer than that for one whose 202 did not say the charge. Videos take some minutes.
    lately = jobs.c.submitted_at > at - timedelta(minutes=10)
    silent = jobs.c.charged.is_(None) & jobs.c.output_url.is_(None) & lately
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
    current = (GuildSettings.guild_id == StudiiKey.guild_id) & (GuildSettings.key_id == StudiiKey.id)
    servers = select(StudiiKey.guild_id).join(GuildSettings, current).where(StudiiKey.lane == lane)
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
        budgets.watch_budget(session, guild_id, at)


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
    total = server.budget_period is Period.TOTAL
    period, name = budgets.budget_period(server, at if total else job.created_at)
    if total and period.start is not None and job.created_at < period.start:
        return None
    mine = select(jobs.c.number).where(jobs.c.id == job.id).scalar_subquery()
    before = (
        jobs.c.state.not_in(UNSENT_STATES) | (jobs.c.reserved <= jobs.c.estimate) | (jobs.c.number <= mine)
    )
    spent = select(func.coalesce(func.sum(jobs.c.settled + jobs.c.reserved), 0)).where(
        jobs.c.guild_id == job.guild_id, *period.holds(jobs.c.created_at), before
    )
    granted = ledger.grants(session, [job.guild_id], name)[job.guild_id]
    if server.budget_limit + granted.get(None, 0) < session.execute(spent).scalar_one():
        return ReasonCode.NO_ROOM_IN_BUDGET
    # The member's roles are not known here, but that which gave them their allowance is.
    roles = () if job.allowance_role is None else (job.allowance_role,)
    theirs = limits.allowance(limits.of_server(session, job.guild_id), job.user_id, roles)
    if theirs is None:
        return None
    own = session.execute(spent.where(jobs.c.user_id == job.user_id)).scalar_one()
    return ReasonCode.NO_ROOM_IN_ALLOWANCE if theirs.credits + granted.get(job.user_id, 0) < own else None


def _last(session: Session, lane: str, job: Job) -> tuple[int | None, datetime | None]:
    """Return the last charge for the job's price with that key, and when it was first charged."""
    found = session.get(Price, (lane, job.tool, job.variant))
    return (None, None) if found is None else (found.charge, found.at)


def _sent_with(lane: str, tool: str) -> Iterable[ColumnElement[bool]]:
    return jobs.c.tool == tool, jobs.c.key_id.in_(select(StudiiKey.id).where(StudiiKey.lane == lane))


def _locked(session: Session, states: Collection[JobState], *which: ColumnElement[bool]) -> list[Job]:
    """Return these jobs, oldest first, which are locked until the transaction ends.

    Those whose row can't be read are left out, as by the engine, which tells of them.
    """
    return readable(
        session,
        select(Job)
        .where(Job.state.in_(states), *which)
        .order_by(Job.number)
        .with_for_update()
        .execution_options(populate_existing=True),
    )
