"""The books as an accountant would keep them on paper: lists that are added up anew each time."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.model import Period


@dataclass
class Account:
    """One job."""

    user_id: int
    at: datetime
    reserved: int
    settled: int = 0
    resolved: bool = False
    unknown: bool = False


@dataclass
class Accountant:
    """What must be true."""

    limit: int = 100
    period: Period = Period.DAY
    since: datetime | None = None
    zone: str = "UTC"
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    grants: list[tuple[int | None, int, datetime]] = field(
        default_factory=list[tuple[int | None, int, datetime]]
    )
    allowances: dict[int | None, int] = field(default_factory=dict[int | None, int])

    def left(self, now: datetime, user_id: int | None = None) -> int | None:
        """Of the server, or of a member; None: no allowance."""
        if user_id is None:
            limit = self.limit
        else:
            own = self.allowances.get(user_id, self.allowances.get(None))
            if own is None:
                return None
            limit = own
        spent = sum(
            one.reserved + one.settled
            for one in self.accounts.values()
            if user_id in (None, one.user_id) and self._counts(one.at, now)
        )
        return (
            limit - spent + sum(a for who, a, at in self.grants if who == user_id and self._counts(at, now))
        )

    def has_room(self, now: datetime, user_id: int, amount: int) -> bool:
        return amount <= self.rest(now, user_id)

    def rest(self, now: datetime, user_id: int) -> int:
        """What the member may spend, by both limits."""
        rests = (self.left(now), self.left(now, user_id))
        return min(rest for rest in rests if rest is not None)

    def _counts(self, at: datetime, now: datetime) -> bool:
        if self.period is Period.TOTAL:
            return self.since is None or at >= self.since
        return self._page(at) == self._page(now)

    def _page(self, moment: datetime) -> tuple[int, ...]:
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        if self.period is Period.MONTH:
            return (day.year, day.month)
        if self.period is Period.WEEK:
            return tuple(day.isocalendar())[:2]
        return (day.year, day.month, day.day)
