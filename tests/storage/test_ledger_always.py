"""Whatever happens in whatever order, the ledger adds up."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.model import Usage
from bot.storage import ReservationError, Storage, migrate
from tests.storage.jobs_of import NOW, TODAY, a_job, accept_within

LIMIT = 30
MEMBERS = (3, 4)
T = TypeVar("T")


@dataclass
class Account:
    """A job as an accountant would keep it."""

    user_id: int
    reserved: int
    settled: int = 0
    resolved: bool = False


class Bookkeeping(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, Account] = {}
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        file = Path(self.folder.name) / "studii.db"
        shutil.copy(TEMPLATE, file)
        self.storage = self.run(self.stack.enter_async_context(Storage.open(f"sqlite+aiosqlite:///{file}")))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    @rule(user_id=st.sampled_from(MEMBERS), estimate=st.integers(0, 20))
    def accept(self, user_id: int, estimate: int) -> None:
        job = a_job(user_id=user_id, estimate=estimate)

        async def work() -> bool:
            async with self.storage.write() as transaction:
                return await accept_within(transaction, job, LIMIT)

        spent = sum(account.reserved + account.settled for account in self.accounts.values())
        accepted = self.run(work())
        assert accepted == (spent + estimate <= LIMIT)
        if accepted:
            self.accounts[job.id] = Account(user_id, estimate)

    @precondition(lambda self: bool(self.accounts))
    @rule(data=st.data(), way=st.sampled_from(["correct", "settle", "release"]), charge=st.integers(0, 25))
    def move(self, data: st.DataObject, way: str, charge: int) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.accounts)))
        account = self.accounts[job_id]

        async def work() -> None:
            async with self.storage.write() as transaction:
                if way == "correct":
                    await transaction.ledger.correct(job_id, charge, NOW)
                elif way == "settle":
                    await transaction.ledger.settle(job_id, charge, NOW)
                else:
                    await transaction.ledger.release(job_id, NOW)

        if account.resolved:
            with pytest.raises(ReservationError):
                self.run(work())
            return
        self.run(work())
        account.resolved = way != "correct"
        account.reserved = charge if way == "correct" else 0
        account.settled = charge if way == "settle" else 0

    @precondition(lambda self: bool(self.accounts))
    @rule(data=st.data())
    def fail_after_settling(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.accounts)))

        async def work() -> None:
            async with self.storage.write() as transaction:
                await transaction.ledger.settle(job_id, 7, NOW)
                raise LookupError

        with pytest.raises((LookupError, ReservationError)):
            self.run(work())

    @invariant()
    def adds_up(self) -> None:
        async def work() -> tuple[list[str], list[Usage]]:
            async with self.storage.read() as transaction:
                ledger = transaction.ledger
                usages = [await ledger.usage(1, TODAY, member) for member in (*MEMBERS, None)]
                return await ledger.discrepancies(), usages

        expected = [
            Usage(sum(one.settled for one in accounts), sum(one.reserved for one in accounts))
            for accounts in (
                *([one for one in self.accounts.values() if one.user_id == member] for member in MEMBERS),
                list(self.accounts.values()),
            )
        ]
        assert self.run(work()) == ([], expected)


TEMPLATE = Path()


def test_the_ledger_adds_up_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = tmp_path / "template.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{template}"))
    monkeypatch.setattr(f"{__name__}.TEMPLATE", template)
    case = Bookkeeping.TestCase
    case.settings = settings(
        max_examples=10, stateful_step_count=20, deadline=None, derandomize=True, database=None
    )
    case("runTest").runTest()
