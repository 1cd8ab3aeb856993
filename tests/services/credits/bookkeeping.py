"""All that happens to a server's books, in any order."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bot.credits.ledger import ReservationError
from bot.credits.limits import AllowanceScope, StartRate
from bot.credits.requests import REQUEST_LASTS, amount_for
from bot.domain.guilds import Period
from bot.errors import Refused
from tests.services.credits.accountant import ASSUMED, EVERYONE, ROLES, USUAL, PhotoScope, Stage
from tests.services.credits.bank import LANE, MEMBERS, OTHER_LANE
from tests.services.credits.books import Books

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago")
SUBJECTS: tuple[PhotoScope, ...] = (
    EVERYONE,
    *((AllowanceScope.ROLE, role) for role in sorted({role for roles in ROLES.values() for role in roles})),
    *((AllowanceScope.MEMBER, member) for member in MEMBERS),
)
some_job = st.integers(0, 40)
amounts = st.integers(0, 25)
charges = amounts | st.sampled_from([80, 400])  # ten times what is assumed
kinds = st.sampled_from(list(ASSUMED))
rates = st.none() | st.builds(StartRate, st.integers(1, 3), st.sampled_from([60, 7200, 86_400]))


class Bookkeeping(Books):
    """All that happens to a server's books."""

    @initialize(
        limit=st.integers(20, 60),
        allowance=st.integers(20, 60),
        at_once=st.none() | st.integers(1, 3),
        rate=st.none() | st.builds(StartRate, st.integers(1, 3), st.just(86_400)),
    )
    def open(self, limit: int, allowance: int, at_once: int | None, rate: StartRate | None) -> None:
        self.begin()
        self.opening = True
        self.set_budget(limit, Period.DAY, restart=False)
        self.set_allowance(EVERYONE, allowance)
        self.set_pace(at_once, rate)
        self.opening = False
        self.compare()

    @rule(user_id=st.sampled_from(MEMBERS), over=st.sampled_from([0, 1]))
    def accept_what_is_left(self, user_id: int, over: int) -> None:
        self.accept(user_id, max(0, self.paper.rest(self.bank.now, user_id) + over))

    @rule(user_id=st.sampled_from(MEMBERS), amount=amounts)
    def accept(self, user_id: int, amount: int) -> None:
        said = self.do(self.bank.accept(user_id, amount))
        self.paper.learn(USUAL, amount, self.bank.now)
        self.accepted(said, user_id, USUAL)

    @rule(user_id=st.sampled_from(MEMBERS), kind=kinds)
    def accept_some(self, user_id: int, kind: str) -> None:
        super().accept_some(user_id, kind)

    @rule(charge=st.integers(1, 25))
    def charge_more(self, charge: int) -> None:
        """Studii's price changes between a question and its answer."""
        self.do(self.bank.charged_with(LANE, USUAL, charge))
        self.paper.learn(USUAL, charge, self.bank.now)
        self.compare()

    @precondition(lambda self: bool(self.paper.questions))
    @rule(number=some_job)
    def confirm(self, number: int) -> None:
        super().confirm(number)

    @rule(above=st.sampled_from([0, 0, 5, 12]))
    def set_confirm(self, above: int) -> None:
        """From that price on its person is asked before a job starts; 0: no one is."""
        self.do(self.bank.set_confirm(above))
        self.paper.confirm = above or None
        self.compare()

    @rule(user_id=st.sampled_from(MEMBERS), kind=kinds, count=st.integers(2, 6))
    def accept_set(self, user_id: int, kind: str, count: int) -> None:
        super().accept_set(user_id, kind, count)

    @rule(kind=kinds, charge=charges)
    def charge_another_key(self, kind: str, charge: int) -> None:
        self.do(self.bank.charged_with(OTHER_LANE, kind, charge))
        self.paper.guesses[kind] = charge

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def send(self, number: int) -> None:
        super().send(number)

    @precondition(lambda self: any(one.stage is Stage.SENT for one in self.paper.accounts.values()))
    @rule(number=some_job, charge=st.none() | charges)
    def answer(self, number: int, charge: int | None) -> None:
        super().answer(number, charge)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, charge=st.none() | charges)
    def start(self, number: int, charge: int | None) -> None:
        self.send(number)
        _, account = self.pick(number)
        if account.stage is Stage.SENT:
            self.answer(number, charge)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, way=st.sampled_from(["done", "paid", "free"]), charge=st.none() | charges)
    def end(self, number: int, way: str, charge: int | None) -> None:
        super().end(number, way, charge)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def cancel(self, number: int) -> None:
        super().cancel(number)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job, charge=st.none() | amounts)
    def rule_on(self, number: int, charge: int | None) -> None:
        job_id, account = self.pick(number)
        can = account.stage is Stage.UNKNOWN
        self.do(self.bank.rule(job_id, charge), fails=None if can else Refused)
        if can:
            account.resolve(charge or 0)
        self.compare()

    @precondition(lambda self: any(one.stage is Stage.SENT for one in self.paper.accounts.values()))
    @rule(number=some_job)
    def cancel_while_it_is_sent(self, number: int) -> None:
        super().cancel_while_it_is_sent(number)

    @precondition(lambda self: any(one.stage is Stage.SENT for one in self.paper.accounts.values()))
    @rule(number=some_job)
    def not_taken(self, number: int) -> None:
        super().not_taken(number)

    @precondition(lambda self: bool(self.paper.accounts))
    @rule(number=some_job)
    def lose(self, number: int) -> None:
        super().lose(number)

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
        user_id=st.sampled_from(MEMBERS),
        price=st.integers(1, 60),
        answer=st.sampled_from([True, False, None]),
    )
    def ask_for_more(self, user_id: int, price: int, answer: bool | None) -> None:
        """An admin grants a request, declines it, or leaves it open; what is lacking is granted."""
        now, paper = self.bank.now, self.paper
        own = paper.left(now, user_id)
        short = (0 if own is None else price - own, price - (paper.left(now) or 0))
        asked = paper.requests.get(user_id)
        can = max(short) > 0 and (asked is None or asked <= now - REQUEST_LASTS)
        request = self.do(self.bank.ask_for_more(user_id, price), fails=None if can else Refused)
        if request is None:
            self.compare()
            return
        paper.requests[user_id] = now
        if answer is not None:
            self.do(self.bank.answer_request(request, grant=answer))
            self.do(self.bank.answer_request(request, grant=True), fails=Refused)
            del paper.requests[user_id]
        if answer:
            for whose, missing in ((user_id, short[0]), (None, short[1])):
                if missing > 0:
                    paper.grant(now, whose, amount_for(max(short)))
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
    def set_allowance(self, whose: PhotoScope, amount: int | None) -> None:
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
