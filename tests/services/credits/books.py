"""One server's books, which are compared with an accountant's after each step."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from bot.errors import CreditsShort, Refused
from bot.jobs.actions import CancelNoted
from bot.jobs.confirm import ANSWERED_WITHIN, MAX_OPEN_QUESTIONS, ConfirmationNeeded
from bot.jobs.models import Job
from tests.services.credits.accountant import Account, Accountant, Question, Stage
from tests.services.credits.bank import MEMBERS, Answer, Bank

AUDITED = 5  # steps after which the bot's own check is asked, too: it takes as long as all the rest
T = TypeVar("T")


class Books(RuleBasedStateMachine):
    """One server's credits, in books that are emptied for each story."""

    runner: asyncio.Runner
    bank: Bank
    steps = 0
    opening = False  # compared when it is done

    @classmethod
    def words(cls) -> str:
        """What else there is to say at the end."""
        return ""

    def begin(self) -> None:
        self.paper = Accountant()
        self.runner.run(self.bank.empty())

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
        if self.opening:
            return
        thoroughly = self.steps % AUDITED == 0
        seen, now = self.runner.run(self.bank.look(thoroughly=thoroughly)), self.bank.now
        assert seen.wrong == []
        accounts = self.paper.accounts
        assert seen.jobs == {name: (one.reserved, one.settled) for name, one in accounts.items()}
        assert seen.lines == {name: one.reserved for name, one in accounts.items()}
        assert seen.server_left == self.paper.left(now)
        assert seen.member_left == {member: self.paper.left(now, member) for member in MEMBERS}
        assert seen.going == {member: self.paper.going(member) for member in MEMBERS}
        assert seen.undecided == {name: one.undecided for name, one in accounts.items() if one.undecided}

    def pick(self, number: int) -> tuple[str, Account]:
        names = list(self.paper.accounts)
        name = names[number % len(names)]
        return name, self.paper.accounts[name]

    def accept_some(self, user_id: int, kind: str) -> None:
        """Of a kind whose price may not have been seen with the server's key."""
        self.accepted(self.do(self.bank.accept_some(user_id, kind)), user_id, kind)

    def accepted(self, said: Answer | None, user_id: int, kind: str, agreed: int | None = None) -> None:
        now, paper = self.bank.now, self.paper
        amount, learned = paper.expected(kind)
        may = amount <= paper.rest(now, user_id) and paper.may_start(now, user_id)
        above = paper.confirm if agreed is None else agreed
        asks = above is not None and amount > above
        room = agreed is not None or paper.asked(now, user_id) < MAX_OPEN_QUESTIONS
        assert isinstance(said, CreditsShort) == (amount > paper.rest(now, user_id))
        assert isinstance(said, Job) == (may and not asks)
        assert isinstance(said, ConfirmationNeeded) == (may and asks and room)
        if isinstance(said, Job):
            role = paper.role_of(user_id)
            paper.accounts[said.id] = self._account(user_id, now, amount, kind, role, learned)
        elif isinstance(said, ConfirmationNeeded):
            assert said.question is not None
            assert said.question.price == amount
            asked = paper.questions.setdefault(
                said.question.id, Question(user_id, kind, amount, now + ANSWERED_WITHIN)
            )
            asked.price = amount
        self.compare()

    def _account(self, *of_it: Any) -> Account:
        account = Account(*of_it)
        account.wants_approval = self.paper.approves
        account.wants_look = self.paper.approves and self.paper.looks
        return account

    def confirm(self, number: int) -> None:
        """A question is answered; once, and in time."""
        questions = self.paper.questions
        name = list(questions)[number % len(questions)]
        asked, now = questions[name], self.bank.now
        said = self.do(self.bank.confirm(name))
        if asked.used or asked.until <= now:
            assert isinstance(said, Refused)
            self.compare()
            return
        if asked.count > 1:
            self.accepted_set(said, asked.user_id, asked.kind, asked.count, asked.price)
        else:
            assert not isinstance(said, list)
            self.accepted(said, asked.user_id, asked.kind, asked.price)
        asked.used = isinstance(said, Job | list)

    def accept_set(self, user_id: int, kind: str, count: int) -> None:
        """Several jobs at once: all of them, or none and nothing is reserved."""
        self.accepted_set(self.do(self.bank.accept_set(user_id, kind, count)), user_id, kind, count)

    def accepted_set(
        self, said: Answer | list[Job] | None, user_id: int, kind: str, count: int, agreed: int | None = None
    ) -> None:
        """Its person is asked about all of it at once."""
        now, paper = self.bank.now, self.paper
        amount, learned = paper.expected(kind)
        whole = amount * count
        may = whole <= paper.rest(now, user_id) and paper.may_start(now, user_id, count)
        above = paper.confirm if agreed is None else agreed
        asks = above is not None and whole > above
        room = agreed is not None or paper.asked(now, user_id) < MAX_OPEN_QUESTIONS
        assert isinstance(said, list) == (may and not asks)
        assert isinstance(said, ConfirmationNeeded) == (may and asks and room)
        if isinstance(said, list):
            role = paper.role_of(user_id)
            for job in said:
                account = self._account(user_id, now, amount, kind, role, learned)
                account.set_id = job.set_id
                paper.accounts[job.id] = account
            assert len(said) == count
        elif isinstance(said, ConfirmationNeeded):
            assert said.question is not None
            assert said.question.price == whole
            asked = paper.questions.setdefault(
                said.question.id, Question(user_id, kind, whole, now + ANSWERED_WITHIN, count=count)
            )
            asked.price = whole
        self.compare()

    def send(self, number: int) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.ACCEPTED:
            may = self.paper.may_send(account, self.bank.now)
            assert self.do(self.bank.send(job_id)) == may
            account.stage = Stage.SENT if may else account.stage
            self.compare()

    def answer(self, number: int, charge: int | None) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.do(self.bank.answer(job_id, charge))
            self.paper.answered(account, charge, self.bank.now)
            self.compare()

    def end(self, number: int, way: str, charge: int | None) -> None:
        job_id, account = self.pick(number)
        can = account.stage in ((Stage.ACCEPTED, Stage.SENT) if way == "free" else (Stage.RUNNING,))
        can = can and account.undecided is None
        assert self.do(self.bank.end(job_id, way, charge)) == can
        if can and way == "free":
            account.resolve(0)
        elif can:
            self.paper.ended(account, charge, self.bank.now, completed=way == "done")
        self.compare()

    def cancel(self, number: int) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.cancel_while_it_is_sent(number)
            return
        can = account.stage in (Stage.ACCEPTED, Stage.CANCELLED)
        self.do(self.bank.cancel(job_id, account.user_id), fails=None if can else Refused)
        if can:
            account.resolve(0, Stage.CANCELLED)
        self.compare()

    def cancel_while_it_is_sent(self, number: int) -> None:
        """It counts if Studii does not take the job."""
        job_id, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.do(self.bank.cancel(job_id, account.user_id), fails=CancelNoted)
            account.cancel_noted = True
            self.compare()

    def not_taken(self, number: int) -> None:
        job_id, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.do(self.bank.not_taken(job_id))
            if account.cancel_noted:
                account.resolve(0, Stage.CANCELLED)
            else:
                account.stage = Stage.ACCEPTED
            self.compare()

    def lose(self, number: int) -> None:
        self.send(number)
        job_id, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.do(self.bank.lose(job_id))
            account.stage = Stage.UNKNOWN
            self.compare()
