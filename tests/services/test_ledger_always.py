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

from bot.errors import CreditsShort, Refused, StudiiBotError
from bot.model import Job, Period
from bot.policy import AllowanceOf, StartRate
from bot.storage import ReservationError, migrate
from tests.services.accountant import EVERYONE, ROLES, Account, Accountant, Stage, Whose
from tests.services.bank import MEMBERS, Bank
from tests.services.crooks import CROOKS, SUBTLE
from tests.support.database import sqlite_in_one_thread

STEPS = int(os.environ.get("FUZZ_STEPS", "300"))
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago")
AUDITED = 5  # steps after which the bot's own audit is asked, too: it takes as long as all the rest
FUZZING = STEPS > 1000
WRONG = (AssertionError, StudiiBotError, DBAPIError, pytest.fail.Exception)
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, the database's syncs cost nothing
SUBJECTS: tuple[Whose, ...] = (
    EVERYONE,
    *((AllowanceOf.ROLE, role) for role in sorted({role for roles in ROLES.values() for role in roles})),
    *((AllowanceOf.MEMBER, member) for member in MEMBERS),
)
T = TypeVar("T")

some_job = st.integers(0, 40)
amounts = st.integers(0, 25)
rates = st.none() | st.builds(StartRate, st.integers(1, 3), st.sampled_from([60, 7200, 86_400]))


class Bookkeeping(RuleBasedStateMachine):
    """One server's credits, in books that are emptied for each story."""

    runner: asyncio.Runner
    bank: Bank
    steps = 0

    @initialize(
        limit=st.integers(20, 60),
        allowance=st.integers(20, 60),
        at_once=st.none() | st.integers(1, 3),
        rate=st.none() | st.builds(StartRate, st.integers(1, 3), st.just(86_400)),
    )
    def open(self, limit: int, allowance: int, at_once: int | None, rate: StartRate | None) -> None:
        self.paper = Accountant()
        self.runner.run(self.bank.empty())
        self.set_budget(limit, Period.DAY, restart=False)
        self.set_allowance(EVERYONE, allowance)
        self.set_pace(at_once, rate)

    def teardown(self) -> None:
        """At the end of a story; also of one that ended because something was found out."""
        if self.steps:
            assert self.runner.run(self.bank.look(thoroughly=True)).wrong == []

    def do(self, work: Coroutine[Any, Any, T], *, fails: type[Exception] | None = None) -> T | None:
        """A step; it must fail like that, or not at all."""
        type(self).steps += 1
        return self.runner.run(self._do(work, fails))

    async def _do(self, work: Coroutine[Any, Any, T], fails: type[Exception] | None) -> T | None:
        if fails is None:
            return await work
        with pytest.raises(fails):
            await work
        return None

    def compare(self) -> None:
        """The bot's books with the accountant's."""
        thoroughly = self.steps % AUDITED == 0
        seen, now = self.runner.run(self.bank.look(thoroughly=thoroughly)), self.bank.now
        assert seen.wrong == []
        accounts = self.paper.accounts
        assert seen.jobs == {name: (one.reserved, one.settled) for name, one in accounts.items()}
        assert seen.lines == {name: one.reserved for name, one in accounts.items()}
        assert seen.server_left == self.paper.left(now)
        assert seen.member_left == {member: self.paper.left(now, member) for member in MEMBERS}
        assert seen.going == {member: self.paper.going(member) for member in MEMBERS}

    def pick(self, number: int) -> tuple[str, Account]:
        names = list(self.paper.accounts)
        name = names[number % len(names)]
        return name, self.paper.accounts[name]

    @rule(user_id=st.sampled_from(MEMBERS), over=st.sampled_from([0, 1]))
    def accept_what_is_left(self, user_id: int, over: int) -> None:
        self.accept(user_id, max(0, self.paper.rest(self.bank.now, user_id) + over))

    @rule(user_id=st.sampled_from(MEMBERS), amount=amounts)
    def accept(self, user_id: int, amount: int) -> None:
        rest = self.paper.rest(self.bank.now, user_id)
        may = self.paper.may_start(self.bank.now, user_id)
        said = self.do(self.bank.accept(user_id, amount))
        assert isinstance(said, CreditsShort) == (amount > rest)
        assert isinstance(said, Job) == (amount <= rest and may)
        if isinstance(said, Job):
            self.paper.accounts[said.id] = Account(user_id, self.bank.now, amount)
        self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, charge=st.none() | amounts)
    def start(self, number: int, charge: int | None) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.ACCEPTED:
            self.do(self.bank.start(job_id, charge))
            account.stage = Stage.RUNNING
            account.reserved = account.reserved if charge is None else charge
            self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, way=st.sampled_from(["done", "paid", "free"]), charge=amounts)
    def end(self, number: int, way: str, charge: int) -> None:
        job_id, account = self.pick(number)
        can = account.stage is (Stage.ACCEPTED if way == "free" else Stage.RUNNING)
        assert self.do(self.bank.end(job_id, way, charge)) == can
        if can:
            account.resolve({"done": account.reserved, "paid": charge, "free": 0}[way])
        self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def cancel(self, number: int) -> None:
        job_id, account = self.pick(number)
        can = account.stage in (Stage.ACCEPTED, Stage.CANCELLED)
        self.do(self.bank.cancel(job_id, account.user_id), fails=None if can else Refused)
        if can:
            account.resolve(0, Stage.CANCELLED)
        self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, charge=st.none() | amounts)
    def rule_on(self, number: int, charge: int | None) -> None:
        job_id, account = self.pick(number)
        can = account.stage is Stage.UNKNOWN
        self.do(self.bank.rule(job_id, charge), fails=None if can else Refused)
        if can:
            account.resolve(charge or 0)
        self.compare()

    @precondition(lambda self: any(one.stage is Stage.ACCEPTED for one in self.paper.accounts.values()))
    @rule(number=some_job)
    def lose(self, number: int) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.ACCEPTED:
            self.do(self.bank.lose(job_id))
            account.stage = Stage.UNKNOWN
            self.compare()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, way=st.sampled_from(["settle", "correct", "release"]))
    def do_wrong(self, number: int, way: str) -> None:
        """What is resolved is resolved again; what is open is settled in a transaction that fails."""
        job_id, account = self.pick(number)
        if account.stage.resolved:
            self.do(self.bank.resolve_again(job_id, way), fails=ReservationError)
        else:
            self.do(self.bank.fail_half_way(job_id), fails=LookupError)
        self.compare()

    @rule(user_id=st.none() | st.sampled_from(MEMBERS), amount=st.integers(-20, 40))
    def grant(self, user_id: int | None, amount: int) -> None:
        can = amount != 0 and self.paper.granted(self.bank.now, user_id) + amount >= 0
        self.do(self.bank.grant(user_id, amount), fails=None if can else Refused)
        if can:
            self.paper.grant(self.bank.now, user_id, amount)
        self.compare()

    @rule(
        limit=st.none() | st.integers(0, 60),
        period=st.none() | st.sampled_from(list(Period)),
        restart=st.booleans(),
    )
    def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        can = not restart or (period or self.paper.period) is Period.TOTAL
        work = self.bank.set_budget(limit, period, restart=restart)
        self.do(work, fails=None if can else Refused)
        if can and (restart, limit, period) != (False, None, None):
            self.paper.set_budget(limit, period, self.bank.now, restart=restart)
        self.compare()

    @rule(zone=st.sampled_from(ZONES))
    def set_zone(self, zone: str) -> None:
        self.do(self.bank.set_zone(zone))
        self.paper.zone = zone
        self.compare()

    @rule(whose=st.sampled_from(SUBJECTS), amount=st.none() | st.integers(0, 70))
    def set_allowance(self, whose: Whose, amount: int | None) -> None:
        self.do(self.bank.set_allowance(*whose, amount))
        self.paper.allowances.pop(whose, None)
        if amount is not None:
            self.paper.allowances[whose] = amount
        self.compare()

    @rule(number=st.none() | st.integers(1, 4), rate=rates)
    def set_pace(self, number: int | None, rate: StartRate | None) -> None:
        self.do(self.bank.set_at_once(number))
        self.do(self.bank.set_rate(rate))
        self.paper.at_once, self.paper.rate = number, rate
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
        accounts = self.paper.accounts
        open_ones = [name for name, one in accounts.items() if one.stage is Stage.ACCEPTED]
        if open_ones:
            number = list(accounts).index(open_ones[-1])
            self.start(number, charge)
            self.end(number, "paid", charge)
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


def play(
    books: str, bank_type: type[Bank], examples: int, *, chance: bool = False
) -> tuple[int, BaseException | None]:
    """Steps that were taken with books of that type, and what was found out; `chance`: others each time."""
    found: BaseException | None = None
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
        except WRONG as error:
            found = error
        finally:
            runner.run(bank.close())
    return machine.steps, found


def test_the_ledger_is_an_accountants_whatever_happens(books: str) -> None:
    steps, began = 0, time.monotonic()
    while steps < STEPS:
        more, wrong = play(books, Bank, min(200, 1 + (STEPS - steps) // 30), chance=FUZZING)
        steps += more
        if FUZZING or wrong:
            say(f"{steps:,} steps in {time.monotonic() - began:,.0f} s")
        if wrong is not None:
            raise wrong
    say(f"{steps:,} steps, and every sum was right after each.")


@pytest.mark.parametrize(
    "crook",
    [crook for crook in CROOKS if FUZZING or crook not in SUBTLE],
    ids=lambda crook: crook.__name__,
)
def test_crooked_books_are_found_out(books: str, crook: type[Bank]) -> None:
    steps, wrong = play(books, crook, 300)
    assert wrong is not None, f"{steps:,} steps, and nobody noticed"
    say(f"{crook.__name__} was found out within {steps:,} steps.")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - shown by `make fuzz`
