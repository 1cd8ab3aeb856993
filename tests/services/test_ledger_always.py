"""Whatever happens in whatever order, the books are those of an accountant; crooked ones are found out.

`FUZZ_STEPS` says how many steps are taken; some hundred otherwise.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Coroutine, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy.exc import DBAPIError

from bot.model import Period
from bot.storage import ReservationError, migrate
from tests.services.accountant import Account, Accountant
from tests.services.bank import MEMBERS, Bank
from tests.services.crooks import CROOKS, SUBTLE
from tests.support.database import sqlite_in_one_thread

STEPS = int(os.environ.get("FUZZ_STEPS", "300"))
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago")
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, the database's syncs cost nothing
T = TypeVar("T")

some_job = st.integers(0, 40)
amounts = st.integers(0, 25)


class Bookkeeping(RuleBasedStateMachine):
    """One server's credits, in books that are emptied for each story."""

    runner: asyncio.Runner
    bank: Bank
    steps = 0

    @initialize(limit=st.integers(20, 60), allowance=st.integers(10, 40))
    def open(self, limit: int, allowance: int) -> None:
        self.paper = Accountant()
        self.runner.run(self.bank.empty())
        self.set_budget(limit, Period.DAY)
        self.set_allowance(None, allowance)

    def do(self, work: Coroutine[Any, Any, T], *, fails: type[Exception] | None = None) -> T | None:
        """Do it, and compare the books afterwards."""
        type(self).steps += 1
        return self.runner.run(self._do(work, fails))

    async def _do(self, work: Coroutine[Any, Any, T], fails: type[Exception] | None) -> T | None:
        done: T | None = None
        if fails is None:
            done = await work
        else:
            with pytest.raises(fails):
                await work
        return done

    def compare(self) -> None:
        seen, now = self.runner.run(self.bank.look()), self.bank.now
        assert seen.discrepancies == []
        accounts = self.paper.accounts
        assert seen.jobs == {name: (one.reserved, one.settled) for name, one in accounts.items()}
        assert seen.lines == {name: one.reserved for name, one in accounts.items()}
        assert seen.server_left == self.paper.left(now)
        assert seen.member_left == {member: self.paper.left(now, member) for member in MEMBERS}

    def pick(self, number: int) -> tuple[str, Account]:
        names = list(self.paper.accounts)
        name = names[number % len(names)]
        return name, self.paper.accounts[name]

    @rule(user_id=st.sampled_from(MEMBERS), amount=amounts | st.sampled_from(["all of it", "one too many"]))
    def accept(self, user_id: int, amount: int | str) -> None:
        if isinstance(amount, str):
            rest = self.paper.rest(self.bank.now, user_id)
            amount = max(0, rest + (amount == "one too many"))
        room = self.paper.has_room(self.bank.now, user_id, amount)
        job_id = self.do(self.bank.accept(user_id, amount))
        assert (job_id is not None) == room
        if job_id is not None:
            self.paper.accounts[job_id] = Account(user_id, self.bank.now, amount)
        self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, way=st.sampled_from(["correct", "settle", "release"]), charge=amounts)
    def move(self, number: int, way: str, charge: int) -> None:
        job_id, account = self.pick(number)
        work = {
            "correct": lambda: self.bank.correct(job_id, charge),
            "settle": lambda: self.bank.settle(job_id, charge),
            "release": lambda: self.bank.release(job_id),
        }[way]()
        was_resolved = account.resolved
        self.do(work, fails=ReservationError if was_resolved else None)
        if not was_resolved:
            account.resolved = way != "correct"
            account.reserved = charge if way == "correct" else 0
            account.settled = charge if way == "settle" else 0
        self.compare()

    @precondition(lambda self: any(not one.resolved for one in self.paper.accounts.values()))
    @rule(number=some_job, charge=st.none() | amounts)
    def lose_and_rule(self, number: int, charge: int | None) -> None:
        job_id, account = self.pick(number)
        if account.resolved:
            return
        if not account.unknown:
            self.do(self.bank.lose(job_id))
            account.unknown = True
        else:
            self.do(self.bank.rule(job_id, charge))
            account.resolved, account.reserved, account.settled = True, 0, charge or 0
        self.compare()

    @precondition(lambda self: any(not one.resolved for one in self.paper.accounts.values()))
    @rule(number=some_job)
    def fail_half_way(self, number: int) -> None:
        job_id, account = self.pick(number)
        self.do(self.bank.fail_half_way(job_id), fails=ReservationError if account.resolved else LookupError)
        self.compare()

    @rule(user_id=st.none() | st.sampled_from(MEMBERS), amount=st.integers(-20, 40))
    def grant(self, user_id: int | None, amount: int) -> None:
        self.do(self.bank.grant(user_id, amount))
        self.paper.grants.append((user_id, amount, self.bank.now))
        self.compare()

    @rule(limit=st.integers(0, 120), period=st.none() | st.sampled_from(list(Period)))
    def set_budget(self, limit: int, period: Period | None) -> None:
        if period is not None or self.paper.since is None:
            self.paper.since = self.bank.now
        self.paper.limit, self.paper.period = limit, period or self.paper.period
        self.do(self.bank.set_budget(limit, self.paper.period, self.paper.since))
        self.compare()

    @rule(zone=st.sampled_from(ZONES))
    def set_zone(self, zone: str) -> None:
        self.do(self.bank.set_zone(zone))
        self.paper.zone = zone
        self.compare()

    @rule(user_id=st.none() | st.sampled_from(MEMBERS), amount=st.none() | st.integers(0, 40))
    def set_allowance(self, user_id: int | None, amount: int | None) -> None:
        self.do(self.bank.set_allowance(user_id, amount))
        self.paper.allowances.pop(user_id, None)
        if amount is not None:
            self.paper.allowances[user_id] = amount
        self.compare()

    @rule(hours=st.one_of(st.integers(1, 30), st.integers(-50, 1000)))
    def pass_time(self, hours: int) -> None:
        self.do(self.bank.pass_time(timedelta(hours=hours)))
        self.compare()

    @rule(end=st.booleans(), seconds=st.sampled_from([-1, 0, 1800]))
    def go_to_the_edge_of_the_period(self, end: bool, seconds: int) -> None:
        edge = self.runner.run(self.bank.edge(end=end))
        if edge is not None:
            self.do(self.bank.pass_time(edge + timedelta(seconds=seconds) - self.bank.now))
            self.compare()

    @rule(user_id=st.sampled_from(MEMBERS), amount=amounts, charge=st.integers(1, 25))
    def work_over_the_edge(self, user_id: int, amount: int, charge: int) -> None:
        """A job is paid when another period has begun, in which the next one is accepted at once."""
        self.accept(user_id, amount)
        self.go_to_the_edge_of_the_period(end=True, seconds=0)
        open_ones = [name for name, one in self.paper.accounts.items() if not one.resolved]
        if open_ones:
            self.move(list(self.paper.accounts).index(open_ones[-1]), "settle", charge)
        self.accept(user_id, charge)

    @rule(really=st.integers(0, 5))
    def restart(self, really: int) -> None:
        if not really:  # now and then: to open the books takes as long as fifty other steps
            self.do(self.bank.restart())
            self.compare()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a database with all tables."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        url = f"sqlite+aiosqlite:///{folder}/studii.db"
        asyncio.run(migrate(url))
        yield url


@pytest.fixture(autouse=True)
def _in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_in_one_thread(monkeypatch)


def play(books: str, bank_type: type[Bank], examples: int, *, chance: bool = False) -> int:
    """Steps that were taken with books of that type; `chance`: others each time."""
    with asyncio.Runner() as runner:
        bank = bank_type(books)
        runner.run(bank.open())
        machine = type("Bookkeeping", (Bookkeeping,), {"bank": bank, "runner": runner, "steps": 0})
        case: Any = machine.TestCase
        case.settings = settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=not chance,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            report_multiple_bugs=False,
        )
        try:
            case("runTest").runTest()
        finally:
            runner.run(bank.close())
    return machine.steps


def test_the_ledger_is_an_accountants_whatever_happens(books: str) -> None:
    steps, began = 0, time.monotonic()
    while steps < STEPS:
        steps += play(books, Bank, min(200, 1 + (STEPS - steps) // 30), chance=STEPS > 1000)
        if STEPS > 1000:
            print(f"{steps:,} steps in {time.monotonic() - began:,.0f} s", flush=True)  # noqa: T201
    print(f"{steps:,} steps, and every sum was right after each.")  # noqa: T201


@pytest.mark.parametrize(
    "crook",
    [crook for crook in CROOKS if STEPS > 1000 or crook not in SUBTLE],
    ids=lambda crook: crook.__name__,
)
def test_crooked_books_are_found_out(books: str, crook: type[Bank]) -> None:
    with pytest.raises((AssertionError, ReservationError, DBAPIError, pytest.fail.Exception)):
        play(books, crook, 300)
