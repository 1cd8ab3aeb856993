"""Whatever happens in whatever order, the books are those of an accountant who adds up lists.

`FUZZ_STEPS` says how many steps are taken; some hundred otherwise. `make fuzz` takes many, by chance.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings as how, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from bot.base import Base
from bot.catalog import Catalog
from bot.credits import budgets, ledger, limits, prices, requests
from bot.credits.ledger import EntryKind, Line
from bot.credits.limits import AllowanceScope
from bot.credits.requests import RequestState, amount_for
from bot.db import Database
from bot.errors import CreditsShort, Refused
from bot.jobs import actions, queries, submission, transitions
from bot.jobs.accept import Acceptor
from bot.jobs.models import FailureCode, Job, JobRequest, JobState, MemberContext
from bot.jobs.submission import Claim
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings
from bot.servers.keys import Plan
from bot.servers.settings import Period
from bot.studii import CreatedJob, JobReport
from tests.support.clock import FakeClock
from tests.support.database import database, sqlite_in_place

T = TypeVar("T")
STEPS = int(os.environ.get("FUZZ_STEPS", "90"))
GUILD, LANE, OTHER_LANE = 1, "lane", "another lane"
POOR, RICH = 3, 4
ROLES = {POOR: (70,), RICH: (70, 71)}
EVERYONE = (AllowanceScope.MEMBERS, 0)
SUBJECTS = (
    EVERYONE,
    (AllowanceScope.ROLE, 70),
    (AllowanceScope.ROLE, 71),
    (AllowanceScope.MEMBER, POOR),
)
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati")
ASSUMED = {"image standard": 8, "image high": 8, "video standard": 40}  # credits
USUAL, HIGH, VIDEO = ASSUMED
BEGIN = datetime(2027, 3, 12, 9, tzinfo=UTC)
CATALOG = Catalog.load()
STUDIO = CATALOG.get("studio")
WAITING, SENT, RUNNING, UNKNOWN = JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.UNKNOWN


def inputs_of(kind: str) -> dict[str, str]:
    mode, quality = kind.split()
    return {"source": "text", "prompt": "a house", "mode": mode, "quality": quality}


def _empty(session: Session, table: Table) -> None:
    session.execute(delete(table))


@dataclass
class Account:
    """One job, as much of it as its money depends on."""

    user_id: int
    kind: str
    at: datetime
    estimate: int
    learned: bool
    role: int | None
    reserved: int
    settled: int = 0
    charged: int | None = None
    sent_at: datetime | None = None
    stage: JobState = WAITING

    @property
    def risen(self) -> bool:
        """Whether it waits with a higher price than the one at which it was accepted."""
        return self.stage is WAITING and self.reserved > self.estimate

    def asks(self, now: datetime) -> bool:
        """Whether others wait to learn what this one costs."""
        silent = self.stage is RUNNING and self.charged is None and self.sent_at is not None
        return self.stage is SENT or (silent and (self.sent_at or now) > now - timedelta(minutes=10))

    def resolve(self, charge: int, stage: JobState = JobState.FAILED) -> None:
        self.reserved, self.settled, self.stage = 0, charge, stage


@dataclass
class Paper:
    """What must be true: lists that are added up anew each time."""

    limit: int = 100
    period: Period = Period.DAY
    since: datetime | None = None
    zone: str = "UTC"
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    grants: list[tuple[int | None, int, object]] = field(default_factory=list[tuple[int | None, int, object]])
    allowances: dict[tuple[AllowanceScope, int], int] = field(
        default_factory=dict[tuple[AllowanceScope, int], int]
    )
    prices: dict[str, int] = field(default_factory=dict[str, int])  # what the server's key was charged last
    since_prices: dict[str, datetime] = field(default_factory=dict[str, datetime])
    guesses: dict[str, int] = field(default_factory=dict[str, int])  # what any key was

    def expected(self, kind: str) -> tuple[int, bool]:
        if kind in self.prices:
            return max(1, self.prices[kind]), True
        return max(1, ASSUMED[kind], self.guesses.get(kind, 0)), False

    def learn(self, kind: str, charge: int, now: datetime) -> None:
        if self.prices.get(kind) != charge:
            self.since_prices[kind] = now
        self.prices[kind] = self.guesses[kind] = charge

    def may_send(self, one: Account, now: datetime) -> bool:
        """Whether it may be sent; it gets the price that is known by now, and may end for that."""
        if not one.learned:
            self._reprice([one])
        if one.risen and self._exceeded(one, now):
            one.resolve(0)
            return False
        others = (other for other in self.accounts.values() if other.kind == one.kind)
        return one.learned or not any(other.asks(now) for other in others)

    def answered(self, one: Account, charge: int | None, now: datetime) -> None:
        one.stage, one.sent_at, one.charged = RUNNING, now, charge
        if charge is None:
            return
        before = self.prices.get(one.kind)
        one.reserved = max(charge, before or 0)
        if before is None or charge > before:
            self._set_price(one, charge, now, surprising=False)

    def ended(self, one: Account, told: int | None, *, completed: bool, now: datetime) -> None:
        """Studii's last answer."""
        before, silent = self.prices.get(one.kind), one.charged is None
        cost = told if told is not None else one.reserved if one.charged is None else one.charged
        if told is None:
            news, surprising = completed and silent and before is None, silent
        else:
            surprising = one.charged is None or told > one.charged
            since = self.since_prices.get(one.kind)
            newer = since is None or (one.sent_at is not None and one.sent_at >= since)
            if not completed:
                news = surprising and told > (one.reserved if before is None else before)
            elif before is None or told > before:
                news = surprising or newer
            else:
                news = newer and told < before
        one.reserved = max(one.reserved, cost)
        if news:
            self._set_price(one, cost, now, surprising=surprising)
        one.resolve(cost)

    def _set_price(self, one: Account, charge: int, now: datetime, *, surprising: bool) -> None:
        first = one.kind not in self.prices
        self.learn(one.kind, charge, now)
        for other in self.accounts.values():
            less = other.charged is None if first and not surprising else surprising
            if other is not one and other.kind == one.kind and other.stage in (UNKNOWN, RUNNING) and less:
                other.reserved = max(other.reserved, charge)
        self._reprice([other for other in self.accounts.values() if other.stage is WAITING])

    def _reprice(self, waiting: list[Account]) -> None:
        for one in waiting:
            amount, one.learned = self.expected(one.kind)
            # What other keys were charged changes nothing for what was accepted.
            one.reserved = amount if one.learned else max(ASSUMED[one.kind], one.reserved)

    def _exceeded(self, one: Account, now: datetime) -> bool:
        """Whether limits have less than nothing left in the period in which it was accepted.

        Later ones that wait with a higher price than before give way to it.
        """
        moment = now if self.period is Period.TOTAL else one.at
        if not self._counts(one.at, moment):
            return False
        accounts = list(self.accounts.values())
        place = next(number for number, other in enumerate(accounts) if other is one)
        counted = [*accounts[: place + 1], *(other for other in accounts[place + 1 :] if not other.risen)]
        own = self._allowance(one.user_id, () if one.role is None else (one.role,))
        return self.limit + self.granted(moment, None) < self._spent(moment, None, counted) or (
            own is not None
            and own + self.granted(moment, one.user_id) < self._spent(moment, one.user_id, counted)
        )

    def role_of(self, user_id: int) -> int | None:
        """The role from which the member's allowance comes."""
        known = [
            (self.allowances[AllowanceScope.ROLE, role], role)
            for role in ROLES[user_id]
            if (AllowanceScope.ROLE, role) in self.allowances
        ]
        return max(known)[1] if known and (AllowanceScope.MEMBER, user_id) not in self.allowances else None

    def granted(self, now: datetime, user_id: int | None) -> int:
        page = self.page(now)
        return sum(amount for who, amount, where in self.grants if (who, where) == (user_id, page))

    def left(self, now: datetime, user_id: int | None = None) -> int | None:
        """Of the server, or of a member; None: no allowance."""
        limit = self.limit if user_id is None else self._allowance(user_id, ROLES[user_id])
        return None if limit is None else limit + self.granted(now, user_id) - self._spent(now, user_id)

    def rest(self, now: datetime, user_id: int) -> int:
        """What the member may spend, by both limits."""
        return min(rest for rest in (self.left(now), self.left(now, user_id)) if rest is not None)

    def _spent(self, now: datetime, user_id: int | None, counted: list[Account] | None = None) -> int:
        return sum(
            one.reserved + one.settled
            for one in (self.accounts.values() if counted is None else counted)
            if user_id in (None, one.user_id) and self._counts(one.at, now)
        )

    def _allowance(self, user_id: int, roles: tuple[int, ...]) -> int | None:
        own = self.allowances.get((AllowanceScope.MEMBER, user_id))
        of_roles = [
            self.allowances[AllowanceScope.ROLE, one]
            for one in roles
            if (AllowanceScope.ROLE, one) in self.allowances
        ]
        return own if own is not None else max(of_roles, default=self.allowances.get(EVERYONE))

    def _counts(self, at: datetime, now: datetime) -> bool:
        if self.period is Period.TOTAL:
            return self.since is None or now < self.since or at >= self.since
        return self.page(at) == self.page(now)

    def page(self, moment: datetime) -> object:
        if self.period is Period.TOTAL:
            return ("total", self.since)
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        if self.period is Period.WEEK:
            return ("week", *tuple(day.isocalendar())[:2])
        return (day.year, day.month) if self.period is Period.MONTH else day


class Bank:
    """The bot's books, in a database that is emptied for each story."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock = db, FakeClock(BEGIN)
        self.acceptor = Acceptor(db, CATALOG, self.clock, max_source_bytes=1000)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator["Bank"]:
        async with Database.open(url) as db:
            key = await db.write(keys.add, GUILD, LANE, "abcd", Plan.PRO, b"", BEGIN)
            await db.write(settings.change, GUILD, key_id=key.id)
            yield cls(db)

    async def empty(self) -> None:
        self.clock.set(BEGIN)
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in {"guilds", "studii_keys"}:
                await self.db.write(_empty, table)
        bare = update(Base.metadata.tables["guilds"]).values(
            timezone=None, budget_limit=None, budget_period=None, budget_since=None
        )
        await self.db.write(lambda session: session.execute(bare))

    async def accept(self, user_id: int, kind: str) -> Job | Refused:
        context = MemberContext(roles=frozenset(ROLES[user_id]))
        request = JobRequest(GUILD, 2, user_id, "studio", inputs_of(kind), context=context)
        try:
            return (await self.acceptor.accept_all([request]))[0]
        except Refused as refused:
            return refused

    async def charged_with(self, lane: str, kind: str, charge: int) -> None:
        """A key was charged so much, of which what waits did not learn."""
        variant = STUDIO.variant(inputs_of(kind))
        await self.db.write(prices.learn, lane, "studio", variant, charge, self.now)

    async def send(self, job_id: str) -> bool:
        claimed = await self.db.write(submission.claim, CATALOG, job_id, LANE, SENT, self.now, None)
        return isinstance(claimed, Claim)

    async def answer(self, job_id: str, charge: int | None) -> None:
        job, key = await self.db.read(queries.get, job_id), await self.db.read(keys.current, GUILD)
        assert job is not None
        assert key is not None
        claim, told = Claim(job, key, was_held=False), CreatedJob(job_id, credits_charged=charge)
        # The claim has a row, which is handed over as it was claimed.
        await self.db.write(lambda session: submission.record_taken(session, CATALOG, claim, told, self.now))

    async def end(self, job_id: str, way: str, charge: int | None) -> bool:
        """Whether the job ended so: done, or failed, as the last answer said; or before Studii took it."""
        why = Reason(ReasonCode.STUDII_FAILED)
        if way == "free":
            before = (JobState.RECEIVED, WAITING, SENT)
            unpaid = (job_id, before, FailureCode.PHOTO, why, self.now)
            return await self.db.write(transitions.fail_unpaid, *unpaid) is not None
        report = JobReport(job_id, "completed", "https://x.example/1.png", credits_charged=charge)

        def answered(session: Session) -> bool:
            job = queries.find(session, job_id, RUNNING)
            if job is None:
                return False
            if way == "paid":
                failed = (CATALOG, LANE, job, FailureCode.STUDII, why, self.now)
                submission.fail_running(session, *failed, told=charge)
                return True
            submission.record_output(session, CATALOG, LANE, job, report, self.now)
            return transitions.succeed(session, job_id, "file", "image", self.now) is not None

        return await self.db.write(answered)

    async def ask_for_more(self, user_id: int, price: int) -> str:
        asked = (GUILD, user_id, ROLES[user_id], 2, "studio", price, self.now)
        return (await self.db.write(requests.ask, *asked)).id


class Books(RuleBasedStateMachine):
    """One server's books, which are compared with an accountant's after each step."""

    bank: ClassVar[Bank]
    runner: ClassVar[asyncio.Runner]

    def begin(self) -> None:
        self.paper = Paper()
        self.do(self.bank.empty())

    def do(self, work: Awaitable[T], *, fails: type[Exception] | None = None) -> T | None:
        """A step; it must fail like that, or not at all."""

        async def done() -> T | None:
            if fails is None:
                return await work
            with pytest.raises(fails):
                await work
            return None

        return self.runner.run(done())

    def write(
        self, function: Callable[..., T], *given: Any, fails: type[Exception] | None = None, **more: Any
    ) -> T | None:
        return self.do(self.bank.db.write(function, *given, **more), fails=fails)

    def compare(self) -> None:
        now, accounts, db = self.bank.now, self.paper.accounts, self.bank.db
        jobs = self.do(db.read(queries.in_states, list(JobState))) or []
        assert {job.id: (job.reserved, job.settled) for job in jobs} == {
            name: (one.reserved, one.settled) for name, one in accounts.items()
        }
        open_lines = dict.fromkeys(accounts, 0)
        lines = select(Line.job_id, Line.kind, Line.amount)
        for name, kind, amount in self.do(db.read(lambda session: session.execute(lines).all())) or []:
            if name is not None:
                open_lines[name] += amount if kind in (EntryKind.RESERVE, EntryKind.CORRECT) else -amount
        assert open_lines == {name: one.reserved for name, one in accounts.items()}
        for member in ROLES:
            state = self.do(db.read(limits.of_member, GUILD, member, ROLES[member], now))
            assert state is not None
            assert (state.budget.left, state.left) == (self.paper.left(now), self.paper.left(now, member))

    def teardown(self) -> None:
        assert self.do(self.bank.db.read(ledger.differing)) == []

    def pick(self, number: int, *stages: JobState) -> tuple[str, Account] | None:
        """One of the jobs in these states, or of all."""
        some = [one for one in self.paper.accounts.items() if not stages or one[1].stage in stages]
        return some[number % len(some)] if some else None

    def accept_some(self, user_id: int, kind: str) -> None:
        now, paper = self.bank.now, self.paper
        amount, learned = paper.expected(kind)
        said = self.do(self.bank.accept(user_id, kind))
        assert isinstance(said, CreditsShort if amount > paper.rest(now, user_id) else Job)
        if isinstance(said, Job):
            role = paper.role_of(user_id)
            paper.accounts[said.id] = Account(user_id, kind, now, amount, learned, role, amount)
        self.compare()

    def send(self, number: int) -> None:
        if (picked := self.pick(number, WAITING)) is not None:
            name, one = picked
            may = self.paper.may_send(one, self.bank.now)
            assert self.do(self.bank.send(name)) == may
            one.stage = SENT if may else one.stage
            self.compare()

    def answer(self, number: int, charge: int | None) -> None:
        if (picked := self.pick(number, SENT)) is not None:
            self.do(self.bank.answer(picked[0], charge))
            self.paper.answered(picked[1], charge, self.bank.now)
            self.compare()

    def end(self, number: int, way: str, charge: int | None) -> None:
        if (picked := self.pick(number)) is not None:
            name, one = picked
            can = one.stage in ((WAITING, SENT) if way == "free" else (RUNNING,))
            assert self.do(self.bank.end(name, way, charge)) == can
            if can and way == "free":
                one.resolve(0)
            elif can:
                self.paper.ended(one, charge, completed=way == "done", now=self.bank.now)
            self.compare()

    def cancel(self, number: int) -> None:
        if (picked := self.pick(number)) is not None:
            name, one = picked
            can = one.stage in (WAITING, SENT, JobState.CANCELLED)
            cancelled = (name, GUILD, one.user_id, self.bank.now)
            self.write(actions.cancel, *cancelled, fails=None if can else Refused)
            if one.stage is WAITING:
                one.resolve(0, JobState.CANCELLED)
            self.compare()

    def lose(self, number: int) -> None:
        """Nobody knows whether Studii took it."""
        if (picked := self.pick(number, SENT)) is not None:
            self.write(submission.make_unknown, picked[0], self.bank.now)
            picked[1].stage = UNKNOWN
            self.compare()


numbers = st.integers(0, 40)
amounts = st.integers(0, 25)
charged = st.none() | amounts | st.sampled_from([80, 400])  # ten times what is assumed
members, kinds = st.sampled_from(list(ROLES)), st.sampled_from(list(ASSUMED))
ways = st.sampled_from(["done", "paid", "free"])


def has(*stages: JobState) -> Callable[[Any], bool]:
    return lambda books: books.pick(0, *stages) is not None


class Bookkeeping(Books):
    """All that happens to a server's books, in any order."""

    @initialize(limit=st.integers(20, 60), allowance=st.integers(20, 60))
    def open(self, limit: int = 60, allowance: int = 60) -> None:
        self.begin()
        self.set_budget(limit, Period.DAY)
        self.set_allowance(EVERYONE, allowance)

    @rule(user_id=members, over=st.sampled_from([0, 1]))
    def accept_what_is_left(self, user_id: int, over: int) -> None:
        self.accept(user_id, max(0, self.paper.rest(self.bank.now, user_id) + over))

    @rule(user_id=members, amount=amounts)
    def accept(self, user_id: int, amount: int) -> None:
        self.do(self.bank.charged_with(LANE, USUAL, amount))
        self.paper.learn(USUAL, amount, self.bank.now)
        self.accept_some(user_id, USUAL)

    @rule(user_id=members, kind=kinds)
    def accept_kind(self, user_id: int, kind: str) -> None:
        self.accept_some(user_id, kind)

    @precondition(has(WAITING))
    @rule(number=numbers)
    def send_one(self, number: int) -> None:
        self.send(number)

    @precondition(has(SENT))
    @rule(number=numbers, charge=charged)
    def answer_one(self, number: int, charge: int | None) -> None:
        self.answer(number, charge)

    @precondition(has())
    @rule(number=numbers, way=ways, charge=charged)
    def end_one(self, number: int, way: str, charge: int | None) -> None:
        self.end(number, way, charge)

    @precondition(has())
    @rule(number=numbers)
    def cancel_one(self, number: int) -> None:
        self.cancel(number)

    @precondition(has(SENT))
    @rule(number=numbers)
    def lose_one(self, number: int) -> None:
        self.lose(number)

    @rule(kind=kinds, charge=amounts)
    def charge_another_key(self, kind: str, charge: int) -> None:
        self.do(self.bank.charged_with(OTHER_LANE, kind, charge))
        self.paper.guesses[kind] = charge

    @precondition(has(WAITING))
    @rule(number=numbers, charge=charged)
    def start(self, number: int, charge: int | None) -> None:
        self.send(number)
        self.answer(number, charge)

    @precondition(has())
    @rule(number=numbers, charge=st.none() | amounts)
    def rule_on(self, number: int, charge: int | None) -> None:
        name, one = self.pick(number) or ("", None)
        assert one is not None
        can = one.stage is UNKNOWN
        self.write(actions.rule, GUILD, name, charge, self.bank.now, fails=None if can else Refused)
        if can:
            one.resolve(charge or 0)
        self.compare()

    @rule(user_id=st.none() | members, amount=st.integers(-20, 40))
    def grant(self, user_id: int | None, amount: int) -> None:
        now = self.bank.now
        can = amount != 0 and self.paper.granted(now, user_id) + amount >= 0
        self.write(limits.grant, GUILD, user_id, amount, now, fails=None if can else Refused)
        if can:
            self.paper.grants.append((user_id, amount, self.paper.page(now)))
        self.compare()

    @rule(user_id=members, price=st.integers(1, 60), grant=st.booleans())
    def ask_for_more(self, user_id: int, price: int, grant: bool) -> None:
        """What is lacking is granted, once."""
        now, paper = self.bank.now, self.paper
        own = paper.left(now, user_id)
        short = {user_id: 0 if own is None else price - own, None: price - (paper.left(now) or 0)}
        can = max(short.values()) > 0
        asked = self.do(self.bank.ask_for_more(user_id, price), fails=None if can else Refused)
        if asked is not None:
            state = RequestState.GRANTED if grant else RequestState.DECLINED
            self.write(requests.answer, asked, state, 99, now)
            self.write(requests.answer, asked, RequestState.GRANTED, 99, now, fails=Refused)
            amount = amount_for(max(short.values()))
            paper.grants += [
                (who, amount, paper.page(now)) for who, lacks in short.items() if grant and lacks > 0
            ]
        self.compare()

    @rule(
        limit=st.none() | st.integers(0, 60),
        period=st.none() | st.sampled_from(list(Period)),
        restart=st.booleans(),
    )
    def set_budget(self, limit: int | None, period: Period | None, restart: bool = False) -> None:
        now, paper, chosen = self.bank.now, self.paper, period or self.paper.period
        can = not restart or chosen is Period.TOTAL
        given, fails = (GUILD, limit, period), None if can else Refused
        self.write(budgets.set_budget, *given, at=now, restart=restart, fails=fails)
        if can and (restart, limit, period) != (False, None, None):
            if restart or chosen is not paper.period or paper.since is None:
                paper.since = now
            paper.limit, paper.period = paper.limit if limit is None else limit, chosen
        self.compare()

    @rule(zone=st.sampled_from(ZONES))
    def set_zone(self, zone: str) -> None:
        self.write(budgets.set_budget, GUILD, None, None, zone, at=self.bank.now)
        self.paper.zone = zone
        self.compare()

    @rule(whose=st.sampled_from(SUBJECTS), amount=st.none() | st.integers(0, 70))
    def set_allowance(self, whose: tuple[AllowanceScope, int], amount: int | None) -> None:
        self.write(limits.set_allowance, GUILD, *whose, amount)
        self.paper.allowances.pop(whose, None)
        if amount is not None:
            self.paper.allowances[whose] = amount
        self.compare()

    @rule(hours=st.one_of(st.integers(1, 30), st.integers(-50, 1000)))
    def pass_time(self, hours: int) -> None:
        self.bank.clock.set(self.bank.now + timedelta(hours=hours))
        self.compare()

    @rule(seconds=st.sampled_from([-1, 0, 1800]))
    def go_to_the_end_of_the_period(self, seconds: int) -> None:
        state = self.do(self.bank.db.read(budgets.state, GUILD, self.bank.now))
        assert state is not None
        if (end := state.window.end) is not None:
            self.bank.clock.set(end + timedelta(seconds=seconds))
            self.compare()


factors = st.sampled_from([0.1, 1, 10])


class Overruns(Books):
    """A budget that nobody changes, and charges from a tenth to ten times of what was reserved.

    The bound is worked out from what Studii says alone, before the books are looked at (docs/credits.md).
    """

    @initialize(limit=st.integers(10, 200), prices=st.fixed_dictionaries(dict.fromkeys(ASSUMED, factors)))
    def open(self, limit: int, prices: Mapping[str, float]) -> None:
        self.begin()
        self.write(budgets.set_budget, GUILD, limit, Period.DAY, at=self.bank.now)
        self.paper.limit, self.allowed = limit, 0
        self.asks = {kind: int(ASSUMED[kind] * factor) for kind, factor in prices.items()}

    @rule(user_id=members, kind=kinds, times=st.integers(1, 6))
    def accept_several(self, user_id: int, kind: str, times: int) -> None:
        for _ in range(times):
            self.accept_some(user_id, kind)

    @rule(kind=kinds, factor=factors)
    def change_a_price(self, kind: str, factor: float) -> None:
        self.asks[kind] = int(ASSUMED[kind] * factor)

    @precondition(has(WAITING))
    @rule(number=numbers)
    def send_one(self, number: int) -> None:
        self.send(number)

    @precondition(has(SENT))
    @rule(number=numbers)
    def lose_one(self, number: int) -> None:
        self.lose(number)

    @precondition(has(SENT))
    @rule(number=numbers, silent=st.booleans())
    def answer_one(self, number: int, silent: bool = False) -> None:
        _, one = self.pick(number, SENT) or ("", None)
        assert one is not None
        charge, before = self.asks[one.kind], self.paper.prices.get(one.kind)
        same = [other.stage for other in self.paper.accounts.values() if other.kind == one.kind]
        if not silent and before is None:
            assert same.count(SENT) == 1
            self.allowed += (1 + same.count(UNKNOWN)) * max(0, charge - ASSUMED[one.kind])
        elif not silent:
            self.allowed += same.count(SENT) * max(0, charge - max(1, before or 0))
        self.answer(number, None if silent else charge)

    @precondition(has())
    @rule(number=numbers, way=ways, factor=factors)
    def end_one(self, number: int, way: str, factor: float) -> None:
        _, one = self.pick(number) or ("", None)
        assert one is not None
        charge = int((one.charged or ASSUMED[one.kind]) * factor)
        if way != "free" and one.stage is RUNNING:
            # What Studii has, or may have, at that price: each may be charged as much.
            same = (other for other in self.paper.accounts.values() if other.kind == one.kind)
            at_studii = [other for other in same if other.stage in (SENT, RUNNING, UNKNOWN)]
            self.allowed += sum(max(0, charge - other.reserved) for other in at_studii)
        self.end(number, way, charge)

    def compare(self) -> None:
        """A job that waits, and whose price has risen, ends when its turn comes without room."""
        super().compare()
        waiting = sum(one.reserved for one in self.paper.accounts.values() if one.risen)
        assert -(self.paper.left(self.bank.now) or 0) - waiting <= self.allowed


@pytest.fixture
def open_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    sqlite_in_place(monkeypatch)
    with asyncio.Runner() as runner:
        opened = Bank.open(runner.run(database(tmp_path)))
        Books.bank, Books.runner = runner.run(opened.__aenter__()), runner
        yield
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.promise
@pytest.mark.usefixtures("open_bank")
@pytest.mark.parametrize("game", [Bookkeeping, Overruns], ids=lambda game: game.__name__)
def test_the_ledger_is_an_accountants_whatever_happens(game: type[Books]) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        game,
        settings=how(
            max_examples=max(1, STEPS // 30),
            stateful_step_count=30,
            derandomize=STEPS <= 1000,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


# Where books were wrong, or may be: chance takes thousands of steps to come there.


def a_price_is_asked_for(books: Bookkeeping) -> None:
    for member, kind in ((POOR, HIGH), (POOR, HIGH), (POOR, HIGH), (RICH, VIDEO)):
        books.accept_some(member, kind)
    books.send(0)
    books.send(0)  # the next of its kind waits
    books.answer(0, 20)
    books.start(0, 20)
    books.accept_some(RICH, HIGH)


def studii_is_silent_about_a_charge(books: Bookkeeping) -> None:
    for _ in range(3):
        books.accept_some(POOR, HIGH)
    books.start(0, None)
    books.send(0)  # it waits
    books.pass_time(1)
    books.start(0, None)
    books.end(0, "done", 25)
    books.accept_some(RICH, HIGH)


def last_answers_have_the_last_word(books: Bookkeeping) -> None:
    books.set_budget(80, None)
    for _ in range(4):
        books.accept_some(POOR, HIGH)
    books.start(0, 8)
    books.start(0, 8)
    books.end(0, "done", 30)
    books.accept_some(RICH, HIGH)
    books.start(0, 8)
    books.end(2, "done", 9)
    books.accept_some(RICH, HIGH)


def a_first_answer_is_lost(books: Bookkeeping) -> None:
    for _ in range(5):
        books.accept_some(POOR, HIGH)
    books.send(0)
    books.lose(0)
    books.end(1, "free", 0)
    books.start(0, 30)
    books.send(1)  # the last one has no room any more
    books.send(0)


def a_price_exceeds_an_allowance(books: Bookkeeping) -> None:
    books.set_allowance(EVERYONE, 16)
    books.set_allowance((AllowanceScope.ROLE, 71), 40)
    for member in (POOR, RICH, POOR, RICH):
        books.accept_some(member, HIGH)
    books.start(0, 15)
    for _ in range(3):
        books.send(0)


def other_keys_have_other_prices(books: Bookkeeping) -> None:
    for charge in (0, 2, 30):
        books.charge_another_key(HIGH, charge)
        books.accept_some(POOR, HIGH)
    books.send(0)
    books.send(0)
    books.answer(0, 0)
    books.accept_some(POOR, HIGH)
    books.set_budget(0, None)
    books.accept_some(POOR, HIGH)


def a_price_rises_for_what_waits_since_yesterday(books: Bookkeeping) -> None:
    for _ in range(3):
        books.accept(POOR, 20)
    books.pass_time(24)
    books.accept(RICH, 10)
    books.start(3, 25)
    for _ in range(3):
        books.send(0)
    books.accept_what_is_left(RICH, 0)


def a_zone_moves_the_day_and_a_total_is_begun_anew(books: Bookkeeping) -> None:
    books.set_zone("Pacific/Kiritimati")
    books.go_to_the_end_of_the_period(-1)
    books.accept(POOR, 5)
    books.go_to_the_end_of_the_period(0)
    books.grant(POOR, 5)
    books.accept(POOR, 6)
    books.set_budget(50, Period.TOTAL)
    books.accept(POOR, 10)
    books.pass_time(30)
    books.set_budget(55, None)
    books.set_budget(None, None, restart=True)


@pytest.mark.promise
@pytest.mark.usefixtures("open_bank")
@pytest.mark.parametrize(
    "story",
    [
        a_price_is_asked_for,
        studii_is_silent_about_a_charge,
        last_answers_have_the_last_word,
        a_first_answer_is_lost,
        a_price_exceeds_an_allowance,
        other_keys_have_other_prices,
        a_price_rises_for_what_waits_since_yesterday,
        a_zone_moves_the_day_and_a_total_is_begun_anew,
    ],
    ids=lambda story: story.__name__,
)
def test_the_books_are_right_where_they_have_been_wrong(story: Callable[[Bookkeeping], None]) -> None:
    books = Bookkeeping()
    books.open()
    story(books)
    books.teardown()


@pytest.mark.promise
@pytest.mark.usefixtures("open_bank")
def test_a_budget_can_be_exceeded_by_nearly_as_much_as_docs_say() -> None:
    """So the bound says something: one video at ten times its assumed cost, on a budget for one."""
    books = Overruns()
    books.open(41, dict.fromkeys(ASSUMED, 10))
    books.accept_several(POOR, VIDEO, 6)
    books.send_one(0)
    books.answer_one(0)
    assert books.paper.left(books.bank.now) == 41 - 400
    assert books.allowed == 400 - 40
