"""The books as an accountant would keep them on paper: lists that are added up anew each time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from zoneinfo import ZoneInfo

from bot.credits.limits import AllowanceScope, StartRate
from bot.domain.guilds import Period
from bot.jobs.models import JobState

ROLES = {3: (70,), 4: (70, 71)}  # of each member
ASSUMED = {"image standard": 8, "image high": 8, "video standard": 40}  # credits, by kind of job
USUAL = "image standard"
PhotoScope = tuple[AllowanceScope, int]
EVERYONE: PhotoScope = (AllowanceScope.MEMBERS, 0)
Page = tuple[object, ...]  # of the books: one for each period


class Stage(Enum):
    """As much of a job's state as its money depends on."""

    ACCEPTED = auto()
    SENT = auto()
    RUNNING = auto()
    UNKNOWN = auto()
    CANCELLED = auto()
    ENDED = auto()

    @property
    def resolved(self) -> bool:
        return self in (Stage.CANCELLED, Stage.ENDED)


@dataclass
class Account:
    """One job."""

    user_id: int
    at: datetime
    reserved: int
    kind: str = USUAL
    role: int | None = None  # from which its member's allowance came
    learned: bool = True  # its reservation is what the key was charged before
    settled: int = 0
    charged: int | None = None  # what Studii told when it took it
    sent_at: datetime | None = None
    stage: Stage = Stage.ACCEPTED
    cancel_noted: bool = False
    set_id: str | None = None
    wants_approval: bool = False  # of its request
    wants_look: bool = False  # its result is to be approved as well
    undecided: JobState | None = None  # in which it waits for moderators, or is not seen because of them
    asked_at: datetime | None = None  # when they were asked
    estimate: int = 0  # what was reserved at first

    def __post_init__(self) -> None:
        self.estimate = self.reserved

    @property
    def risen(self) -> bool:
        """Whether it waits with a higher price than the one at which it was accepted."""
        return self.stage is Stage.ACCEPTED and self.reserved > self.estimate

    def asks(self, now: datetime) -> bool:
        """Whether others wait to learn what this one costs."""
        if self.stage is Stage.SENT:
            return True
        silent = self.stage is Stage.RUNNING and self.charged is None
        return silent and self.sent_at is not None and self.sent_at > now - timedelta(minutes=10)

    def resolve(self, charge: int, stage: Stage = Stage.ENDED) -> None:
        self.reserved, self.settled, self.stage, self.undecided = 0, charge, stage, None

    def taken_in(self, now: datetime) -> None:
        """It could be sent, unless moderators have to be asked."""
        if self.wants_approval and self.undecided is None:
            self.undecided, self.asked_at = JobState.PENDING, now


@dataclass
class Question:
    """A member is asked whether a job, or a set of so many, is to start at that price."""

    user_id: int
    kind: str
    price: int
    until: datetime
    used: bool = False
    count: int = 1  # of jobs


@dataclass
class Accountant:
    """What must be true."""

    limit: int = 100
    period: Period = Period.DAY
    since: datetime | None = None
    zone: str = "UTC"
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    grants: list[tuple[int | None, int, Page]] = field(default_factory=list[tuple[int | None, int, Page]])
    allowances: dict[PhotoScope, int] = field(default_factory=dict[PhotoScope, int])
    questions: dict[str, Question] = field(default_factory=dict[str, "Question"])
    confirm: int | None = None
    requests: dict[int, datetime] = field(default_factory=dict[int, datetime])  # open ones, by member
    approves: bool = False  # requests wait for moderators
    looks: bool = False  # and results
    at_once: int | None = None
    rate: StartRate | None = None
    prices: dict[str, int] = field(default_factory=dict[str, int])  # what the server's key was charged last
    since_prices: dict[str, datetime] = field(default_factory=dict[str, datetime])  # since when it was that
    guesses: dict[str, int] = field(default_factory=dict[str, int])  # what any key was

    def expected(self, kind: str) -> tuple[int, bool]:
        """What a job will cost, and whether that is known; it is never less than 1."""
        if kind in self.prices:
            return max(1, self.prices[kind]), True
        return max(1, ASSUMED[kind], self.guesses.get(kind, 0)), False

    def learn(self, kind: str, charge: int, now: datetime) -> None:
        if self.prices.get(kind) != charge:
            self.since_prices[kind] = now
        self.prices[kind] = self.guesses[kind] = charge

    def may_send(self, account: Account, now: datetime) -> bool:
        """Whether a job may be sent; it gets the price that is known by now, and may end for that."""
        account.taken_in(now)
        if account.undecided:
            return False
        if not account.learned:
            self._reprice([account])
        if account.risen and self._exceeded(account, now):
            account.resolve(0)
            return False
        if account.learned:
            return True
        same = (one for one in self.accounts.values() if one.kind == account.kind)
        return account.learned or not any(one.asks(now) for one in same)

    def answered(self, account: Account, charge: int | None, now: datetime) -> None:
        """Studii takes a job, and may say what it charges."""
        account.stage, account.sent_at, account.charged = Stage.RUNNING, now, charge
        if charge is None:
            return
        before = self.prices.get(account.kind)
        account.reserved = max(charge, before or 0)
        if before is None or charge > before:
            self._set_price(account, charge, now, surprising=False)

    def ended(self, account: Account, told: int | None, now: datetime, *, completed: bool) -> bool:
        """Studii's last answer. Whether it set the price."""
        before, silent = self.prices.get(account.kind), account.charged is None
        cost = account.reserved if account.charged is None else account.charged
        news, surprising = False, silent
        if told is None:
            news = completed and silent and before is None
        else:
            cost = told
            surprising = account.charged is None or told > account.charged
            since = self.since_prices.get(account.kind)
            newer = since is None or (account.sent_at is not None and account.sent_at >= since)
            if not completed:
                news = surprising and told > (account.reserved if before is None else before)
            elif before is None or told > before:
                news = surprising or newer
            else:
                news = newer and told < before
        account.reserved = max(account.reserved, cost)
        if news:
            self._set_price(account, cost, now, surprising=surprising)
        account.resolve(cost)
        if completed and account.wants_look and self.looks:
            account.undecided, account.asked_at = JobState.REVIEWING, now
        return news

    def _set_price(self, account: Account, charge: int, now: datetime, *, surprising: bool) -> None:
        first = account.kind not in self.prices
        self.learn(account.kind, charge, now)
        for one in self.accounts.values():
            sent = one.stage in (Stage.UNKNOWN, Stage.RUNNING)
            less = one.charged is None if first and not surprising else surprising
            if one is not account and one.kind == account.kind and sent and less:
                one.reserved = max(one.reserved, charge)
        self._reprice([one for one in self.accounts.values() if one.stage is Stage.ACCEPTED])

    def _reprice(self, waiting: list[Account]) -> None:
        for one in waiting:
            amount, one.learned = self.expected(one.kind)
            # What other keys were charged changes nothing for what was accepted.
            one.reserved = amount if one.learned else max(ASSUMED[one.kind], one.reserved)

    def _exceeded(self, one: Account, now: datetime) -> bool:
        """Whether the limits of the period in which a job was accepted have less than nothing left.

        Later ones that wait with a higher price than before give way to it.
        """
        moment = now if self.period is Period.TOTAL else one.at
        if not self._counts(one.at, moment):
            return False
        accounts = list(self.accounts.values())
        place = next(number for number, other in enumerate(accounts) if other is one)
        counted = [*accounts[: place + 1], *(other for other in accounts[place + 1 :] if not other.risen)]
        if self.limit + self.granted(moment, None) < self._spent(moment, None, counted):
            return True
        own = self._allowance_by(one.user_id, () if one.role is None else (one.role,))
        spent = self._spent(moment, one.user_id, counted)
        return own is not None and own + self.granted(moment, one.user_id) < spent

    def role_of(self, user_id: int) -> int | None:
        """The role from which the member's allowance comes."""
        if (AllowanceScope.MEMBER, user_id) in self.allowances:
            return None
        limits = {role: self.allowances.get((AllowanceScope.ROLE, role)) for role in ROLES[user_id]}
        known = [(limit, role) for role, limit in limits.items() if limit is not None]
        return max(known)[1] if known else None

    def set_budget(self, limit: int | None, period: Period | None, now: datetime, *, restart: bool) -> None:
        chosen = period or self.period
        if restart or chosen is not self.period or self.since is None:
            self.since = now
        self.limit, self.period = self.limit if limit is None else limit, chosen

    def grant(self, now: datetime, user_id: int | None, amount: int) -> None:
        """It is written on the page that is open now, and stays there."""
        self.grants.append((user_id, amount, self._page(now)))

    def granted(self, now: datetime, user_id: int | None) -> int:
        """To the server (None) or a member, for the present period."""
        page = self._page(now)
        return sum(amount for who, amount, where in self.grants if who == user_id and where == page)

    def left(self, now: datetime, user_id: int | None = None) -> int | None:
        """Of the server, or of a member; None: no allowance."""
        limit = self.limit if user_id is None else self._allowance(user_id)
        if limit is None:
            return None
        return limit + self.granted(now, user_id) - self._spent(now, user_id)

    def _spent(self, now: datetime, user_id: int | None, counted: list[Account] | None = None) -> int:
        return sum(
            one.reserved + one.settled
            for one in (self.accounts.values() if counted is None else counted)
            if user_id in (None, one.user_id) and self._counts(one.at, now)
        )

    def rest(self, now: datetime, user_id: int) -> int:
        """What the member may spend, by both limits."""
        rests = (self.left(now), self.left(now, user_id))
        return min(rest for rest in rests if rest is not None)

    def going(self, user_id: int) -> int:
        """Jobs of the member that go on."""
        mine = (one.stage for one in self.accounts.values() if one.user_id == user_id)
        return sum(stage in (Stage.ACCEPTED, Stage.SENT, Stage.RUNNING) for stage in mine)

    def asked(self, now: datetime, user_id: int) -> int:
        """Questions that the member can still answer."""
        mine = (one for one in self.questions.values() if one.user_id == user_id)
        return sum(not one.used and one.until > now for one in mine)

    def may_start(self, now: datetime, user_id: int, count: int = 1) -> bool:
        """By what does not count credits."""
        if self.at_once is not None and self.going(user_id) + count > self.at_once:
            return False
        if self.rate is None:
            return True
        since = now - timedelta(seconds=self.rate.seconds)
        mine = (one.at for one in self.accounts.values() if one.user_id == user_id)
        return sum(since < at <= now for at in mine) + count <= self.rate.starts

    def _allowance(self, user_id: int) -> int | None:
        return self._allowance_by(user_id, ROLES[user_id])

    def _allowance_by(self, user_id: int, roles: tuple[int, ...]) -> int | None:
        own = self.allowances.get((AllowanceScope.MEMBER, user_id))
        if own is not None:
            return own
        of_roles = [self.allowances.get((AllowanceScope.ROLE, role)) for role in roles]
        highest = max((one for one in of_roles if one is not None), default=None)
        return self.allowances.get(EVERYONE) if highest is None else highest

    def _counts(self, at: datetime, now: datetime) -> bool:
        if self.period is Period.TOTAL:
            return self.since is None or now < self.since or at >= self.since
        return self._page(at) == self._page(now)

    def _page(self, moment: datetime) -> Page:
        if self.period is Period.TOTAL:
            return ("total", self.since)
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        if self.period is Period.MONTH:
            return (day.year, day.month)
        if self.period is Period.WEEK:
            return ("week", *tuple(day.isocalendar())[:2])
        return (day.year, day.month, day.day)
