"""By how much a budget can be exceeded when Studii charges other than was reserved (docs/credits.md)."""

from collections.abc import Mapping
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bot.domain.guilds import Period
from tests.services.credits.accountant import ASSUMED, Stage
from tests.services.credits.bank import MEMBERS
from tests.services.credits.bookkeeping import kinds, some_job
from tests.services.credits.books import Books

factors = st.sampled_from([0.1, 1, 10])


class Overruns(Books):
    """A budget that nobody changes, and charges from a tenth to ten times of what was reserved.

    The bound is worked out from what Studii says alone, before the books are looked at.
    """

    most: ClassVar[int] = 0  # credits over the budget
    bound: ClassVar[int] = 0  # at that moment

    @classmethod
    def words(cls) -> str:
        return f" A budget was exceeded by {Overruns.most:,} at most; the bound then was {Overruns.bound:,}."

    @initialize(limit=st.integers(10, 200), prices=st.fixed_dictionaries(dict.fromkeys(ASSUMED, factors)))
    def open(self, limit: int, prices: Mapping[str, float]) -> None:
        self.begin()
        self.do(self.bank.set_budget(limit, Period.DAY, restart=False))
        self.paper.set_budget(limit, Period.DAY, self.bank.now, restart=False)
        self.asks = {kind: int(ASSUMED[kind] * factor) for kind, factor in prices.items()}
        self.allowed = 0

    @rule(user_id=st.sampled_from(MEMBERS), kind=kinds, times=st.integers(1, 6))
    def accept_several(self, user_id: int, kind: str, times: int) -> None:
        for _ in range(times):
            self.accept_some(user_id, kind)

    @rule(kind=kinds, factor=factors)
    def change_a_price(self, kind: str, factor: float) -> None:
        self.asks[kind] = int(ASSUMED[kind] * factor)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def send_one(self, number: int) -> None:
        self.send(number)
        self.look()

    @precondition(lambda self: any(one.stage is Stage.SENT for one in self.paper.accounts.values()))
    @rule(number=some_job, silent=st.booleans())
    def answer_one(self, number: int, silent: bool = False) -> None:
        _, account = self.pick(number)
        if account.stage is not Stage.SENT:
            return
        if silent:
            self.answer(number, None)
            self.look()
            return
        charge, before = self.asks[account.kind], self.paper.prices.get(account.kind)
        same = [one.stage for one in self.paper.accounts.values() if one.kind == account.kind]
        sent, lost = same.count(Stage.SENT), same.count(Stage.UNKNOWN)
        if before is None:
            assert sent == 1
            self.allowed += (1 + lost) * max(0, charge - ASSUMED[account.kind])
        else:
            self.allowed += sent * max(0, charge - max(1, before))
        self.answer(number, charge)
        self.look()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def lose_one(self, number: int) -> None:
        self.lose(number)
        self.look()

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def cancel_one(self, number: int) -> None:
        self.cancel(number)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, way=st.sampled_from(["done", "paid", "free"]), factor=factors)
    def end_one(self, number: int, way: str, factor: float) -> None:
        _, account = self.pick(number)
        charge = int((account.charged or ASSUMED[account.kind]) * factor)
        if way != "free" and account.stage is Stage.RUNNING:
            # What Studii has, or may have, at that price: each may be charged as much.
            has = (Stage.SENT, Stage.RUNNING, Stage.UNKNOWN)
            same = [one for one in self.paper.accounts.values() if one.kind == account.kind]
            raised = [one for one in same if one.stage in has]
            self.allowed += sum(max(0, charge - one.reserved) for one in raised)
        self.end(number, way, charge)
        self.look()

    def look(self) -> None:
        """The budget is not exceeded by more than may be, by what is paid and what may be sent.

        A job that waits, and whose price has risen, ends when its turn comes without room.
        """
        waiting = sum(one.reserved for one in self.paper.accounts.values() if one.risen)
        over = -(self.paper.left(self.bank.now) or 0) - waiting
        assert over <= self.allowed
        if over > Overruns.most:
            Overruns.most, Overruns.bound = over, self.allowed
