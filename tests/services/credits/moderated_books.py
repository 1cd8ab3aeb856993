"""One server's books in which moderators decide on requests and results."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bot.credits.limits import StartRate
from bot.errors import Refused
from bot.features.moderation import Approver
from bot.jobs.models import APPROVAL_HOURS, JobState
from tests.services.credits.accountant import Account, Stage
from tests.services.credits.bank import MEMBERS
from tests.services.credits.bookkeeping import Bookkeeping, amounts, charges, some_job

undecided_job = st.integers(-9, -1) | st.integers(-9, -1) | some_job


def _some(stage: JobState | None = None) -> Any:
    """There are jobs, or some that wait for moderators in that state."""
    return precondition(
        lambda self: any(stage in (None, one.undecided) for one in self.paper.accounts.values())
    )


class ModeratedBooks(Bookkeeping):
    """All that happens to a server's books, with moderators."""

    @initialize(
        limit=st.integers(20, 60),
        allowance=st.integers(20, 60),
        at_once=st.none() | st.integers(1, 3),
        rate=st.none() | st.builds(StartRate, st.integers(1, 3), st.just(86_400)),
        waits=st.sampled_from(["nothing", "requests", "results", "results"]),
    )
    def open(
        self,
        limit: int,
        allowance: int,
        at_once: int | None,
        rate: StartRate | None,
        waits: str = "nothing",
    ) -> None:
        super().open(limit, allowance, at_once, rate)
        self.set_approval(requests=waits != "nothing", results=waits == "results")

    @rule(requests=st.sampled_from([True, True, True, False]), results=st.booleans())
    def set_approval(self, requests: bool, results: bool) -> None:
        """From now on requests wait for moderators, and their results as well."""
        self.do(self.bank.set_approval(requests=requests, results=results))
        self.paper.approves, self.paper.looks = requests, results
        self.compare()

    @_some()
    @rule(number=some_job)
    def take_in(self, number: int) -> None:
        job_id, account = self.pick(number)
        self.do(self.bank.take_in(job_id))
        if account.stage is Stage.ACCEPTED:
            account.taken_in(self.bank.now)
        self.compare()

    @precondition(lambda self: self.paper.approves)
    @rule(user_id=st.sampled_from(MEMBERS), amount=amounts)
    def ask(self, user_id: int, amount: int) -> None:
        """Somebody asks for a job, and moderators are shown it."""
        self.accept(user_id, amount)
        if self.paper.accounts:
            self.take_in(len(self.paper.accounts) - 1)

    @_some(JobState.PENDING)
    @rule(number=undecided_job, left=st.sampled_from([False, False, False, True]))
    def approve(self, number: int, left: bool = False) -> None:
        """A moderator approves what waits, and all of its set; `left`: its requester is gone."""
        self._approve(*self._pick_in(number, JobState.PENDING), left=left)

    def _approve(self, job_id: str, account: Account, *, left: bool) -> None:
        pending = self._pending(account)
        lowered = (self.paper.left(self.bank.now) or 0) < 0
        can = bool(pending) and (left or not lowered)
        self.do(self.bank.approve(job_id, account.user_id, left=left), fails=None if can else Refused)
        for one in pending if can else ():
            if left:
                one.resolve(0)
            else:
                one.undecided, one.wants_approval = None, False
        self.compare()

    @_some(JobState.PENDING)
    @rule(number=undecided_job)
    def approve_ones_own(self, number: int) -> None:
        job_id, account = self._pick_in(number, JobState.PENDING)
        by = Approver(account.user_id, frozenset(), manages=True, moderates=True)
        self.do(self.bank.approve(job_id, account.user_id, left=False, by=by), fails=Refused)
        self.compare()

    @_some(JobState.PENDING)
    @rule(number=undecided_job)
    def decline(self, number: int) -> None:
        job_id, account = self._pick_in(number, JobState.PENDING)
        pending = self._pending(account)
        self.do(self.bank.decline(job_id), fails=None if pending else Refused)
        for one in pending:
            one.resolve(0)
        self.compare()

    @_some(JobState.PENDING)
    @rule(number=undecided_job, charge=charges)
    def make(self, number: int, charge: int) -> None:
        """What is asked for is approved, and made."""
        job_id, account = self._pick_in(number, JobState.PENDING)
        self._approve(job_id, account, left=False)
        number = list(self.paper.accounts).index(job_id)
        self.start(number, charge)
        self.end(number, "done", charge)

    @_some(JobState.REVIEWING)
    @rule(number=undecided_job, way=st.sampled_from(["approved", "declined", "left"]))
    def look_at(self, number: int, way: str) -> None:
        """A moderator decides on a result, which was paid before and stays paid."""
        job_id, account = self._pick_in(number, JobState.REVIEWING)
        can = account.undecided is JobState.REVIEWING
        work = (
            self.bank.decline_result(job_id)
            if way == "declined"
            else self.bank.approve_result(job_id, left=way == "left")
        )
        self.do(work, fails=None if can else Refused)
        if can:
            account.undecided = None if way == "approved" else JobState.WITHHELD
        self.compare()

    @_some(JobState.WITHHELD)
    @rule(number=undecided_job)
    def release(self, number: int) -> None:
        """A moderator posts a result after all."""
        job_id, account = self._pick_in(number, JobState.WITHHELD)
        can = account.undecided in (JobState.REVIEWING, JobState.WITHHELD)
        self.do(self.bank.release_result(job_id), fails=None if can else Refused)
        if can:
            account.undecided = None
        self.compare()

    @rule(hours=st.sampled_from([0, APPROVAL_HOURS - 1, APPROVAL_HOURS]))
    def leave_undecided(self, hours: int) -> None:
        """Time passes, and the engine ends what nobody has decided on for a day."""
        self.do(self.bank.pass_time(timedelta(hours=hours)))
        self.do(self.bank.end_undecided())
        oldest = self.bank.now - timedelta(hours=APPROVAL_HOURS)
        for one in self.paper.accounts.values():
            if one.asked_at is None or one.asked_at > oldest:
                continue
            if one.undecided is JobState.PENDING:
                one.resolve(0)
            elif one.undecided is JobState.REVIEWING:
                one.undecided = JobState.WITHHELD
        self.compare()

    @rule(really=st.integers(0, 2))
    def revoke_key(self, really: int) -> None:
        """What Studii has not been asked for is cancelled, whether or not it waits for approval."""
        if really:  # now and then, else there is little that goes on
            return
        self.do(self.bank.revoke_key())
        for one in self.paper.accounts.values():
            if one.stage is Stage.ACCEPTED:
                one.resolve(0, Stage.CANCELLED)
        self.compare()

    def _pick_in(self, number: int, state: JobState) -> tuple[str, Account]:
        """A job; with a negative number one that waits for moderators in that state."""
        accounts = self.paper.accounts
        waiting = [one for one, account in accounts.items() if account.undecided is state]
        if not waiting or number >= 0:
            return self.pick(number)
        name = waiting[number % len(waiting)]
        return name, accounts[name]

    def _pending(self, account: Account) -> list[Account]:
        accounts = self.paper.accounts.values()
        together: Iterable[Account] = (
            [account] if account.set_id is None else [one for one in accounts if one.set_id == account.set_id]
        )
        return [one for one in together if one.undecided is JobState.PENDING]
