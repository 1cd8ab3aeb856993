"""Servers' budgets: their periods in the server's time zone, what is left, and alerts about that."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.orm import Session

from bot import posts
from bot.credits import ledger
from bot.errors import Refused
from bot.languages import Message, discord_timestamp, lazy, ngettext, nlazy, or_list, plazy
from bot.servers import settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import GuildSettings, Period

MAX_BUDGET = 1_000_000  # credits
WARNING_PERCENT = 80
DEFAULT_HOLDS = lazy(
    "No budget is set yet, so the default applies. An admin can set one with `/studii budget`."
)
# The period of a grant, as it follows `granted`.
GRANTED_FOR: Mapping[Period, Message] = {
    Period.DAY: plazy("after “granted”", "for today"),
    Period.WEEK: plazy("after “granted”", "for this week"),
    Period.MONTH: plazy("after “granted”", "for this month"),
    Period.TOTAL: plazy("after “granted”", "for the one-off total"),
}

_EACH: Mapping[Period, Callable[[int], str]] = {
    Period.DAY: lambda n: ngettext("{count} credit a day", "{count} credits a day", n),
    Period.WEEK: lambda n: ngettext("{count} credit a week", "{count} credits a week", n),
    Period.MONTH: lambda n: ngettext("{count} credit a month", "{count} credits a month", n),
    Period.TOTAL: lambda n: ngettext("{count} credit in total", "{count} credits in total", n),
}
_REST: Mapping[Period, Callable[[int], Message]] = {
    Period.DAY: lambda n: nlazy(
        "{rest} of {count} credit left today", "{rest} of {count} credits left today", n
    ),
    Period.WEEK: lambda n: nlazy(
        "{rest} of {count} credit left this week", "{rest} of {count} credits left this week", n
    ),
    Period.MONTH: lambda n: nlazy(
        "{rest} of {count} credit left this month", "{rest} of {count} credits left this month", n
    ),
    Period.TOTAL: lambda n: nlazy("{rest} of {count} credit left", "{rest} of {count} credits left", n),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """Credits that a job will probably cost. `learned` means from charges with the same key, else assumed."""

    amount: int
    learned: bool


def price_of_all(prices: Collection[Estimate]) -> Estimate:
    """Return what jobs of these prices will probably cost together."""
    return Estimate(sum(one.amount for one in prices), learned=all(one.learned for one in prices))


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The credits that a server may spend and has spent in the period of its budget."""

    settings: GuildSettings
    window: ledger.Window
    usage: ledger.Usage
    grants: int = 0  # credits that admins added for this period; part of what is left
    grants_over: int = 0  # credits granted for the period before, which a change of it has just ended
    period_name: str = ""  # unique; grants for the period are stored under it

    @property
    def whole(self) -> int:
        """Return the credits that may be spent in the period: the limit and the grants."""
        return self.settings.budget_limit + self.grants

    @property
    def left(self) -> int:
        """Return what is left, negative after a limit was lowered or a charge exceeded its estimate."""
        return self.whole - self.usage.spent

    @property
    def is_default(self) -> bool:
        """Return whether the default budget applies, because none was set."""
        return self.settings.budget_since is None

    @property
    def limit_words(self) -> str:
        """Return `100 credits a day`, `500 credits in total`."""
        return each_period_words(self.settings.budget_limit, self.settings.budget_period)

    @property
    def left_words(self) -> Message:
        """Return `3 of 100 credits left today`, `0 of 100 credits left today`."""
        return rest_message(self.left, self.whole, self.settings.budget_period)

    @property
    def for_words(self) -> Message:
        """Return the period of a grant, as it follows `granted`: `for today`, `for the one-off total`."""
        return GRANTED_FOR[self.settings.budget_period]

    @property
    def renewal_words(self) -> Message:
        """Return `The budget renews in 3 hours.`, as Discord counts it for each, or that it never does."""
        return renewal_message(self.window.end)


def state(session: Session, guild_id: int, at: datetime) -> BudgetState:
    """Return the state of the server's budget at that time."""
    return read(session, [settings.of(session, guild_id)], at)[guild_id][0]


def read(
    session: Session, servers: Sequence[GuildSettings], at: datetime, members: Sequence[int] = ()
) -> dict[int, tuple[BudgetState, Mapping[int | None, ledger.Usage], Mapping[int | None, int]]]:
    """Return the state of each server's budget, and what each of these members uses and was granted there.

    Servers whose budgets have the same period are read together.
    """
    same: dict[tuple[ledger.Window, str], list[GuildSettings]] = {}
    for one in servers:
        same.setdefault(budget_period(one, at), []).append(one)
    found: dict[int, tuple[BudgetState, Mapping[int | None, ledger.Usage], Mapping[int | None, int]]] = {}
    for (window, name), some in same.items():
        ids = [one.guild_id for one in some]
        used, granted = ledger.used(session, ids, window, members), ledger.grants(session, ids, name)
        for one in some:
            parts, given = used[one.guild_id], granted[one.guild_id]
            whole = ledger.Usage(
                sum(part.settled for part in parts.values()), sum(part.reserved for part in parts.values())
            )
            found[one.guild_id] = (
                BudgetState(one, window, whole, given.get(None, 0), period_name=name),
                parts,
                given,
            )
    return found


def set_budget(
    session: Session,
    guild_id: int,
    limit: int | None,
    period: Period | None,
    timezone: str | None = None,
    *,
    at: datetime,
    restart: bool = False,
) -> BudgetState:
    """Set the server's budget. It takes effect immediately. Values that are None stay unchanged.

    A one-off total counts from the moment it replaces another period, and again only by `restart`. Grants for
    the period before don't count in another one. Raises `Refused`, and changes nothing, for an unknown time
    zone, or a restart of a budget that renews.
    """
    if timezone is not None:
        time_zone(timezone)
    ledger.lock(session, guild_id)
    before = state(session, guild_id, at)
    old = before.settings
    chosen = period or old.budget_period
    if restart and chosen is not Period.TOTAL:
        raise Refused(
            lazy(
                "`restart` is only for a one-off total. A daily, weekly or monthly budget renews "
                "automatically. Nothing was changed."
            )
        )
    if limit is not None or period is not None or restart:
        goes_on = chosen is old.budget_period and not restart
        settings.change(
            session,
            guild_id,
            budget_limit=old.budget_limit if limit is None else limit,
            budget_period=chosen,
            budget_since=(old.budget_since if goes_on else None) or at,
        )
    if timezone is not None:
        settings.change(session, guild_id, timezone=timezone)
    watch_budget(session, guild_id, at)
    now = state(session, guild_id, at)
    if now.period_name == before.period_name:
        return now
    return replace(
        now, grants_over=sum(ledger.grants(session, [guild_id], before.period_name)[guild_id].values())
    )


Alert = tuple[NoticeKind, str, Mapping[str, str | int | None]]
"""The kind, key and details of a notice that is sent once in a period."""


def budget_alert(budget: BudgetState, *, least: int | None = None) -> Alert | None:
    """Return the alert that is due: most of the budget is used, or all of it.

    `least`, the price of the cheapest job, is given when a job was refused. A rest that is too small for any
    job has a notice of its own.
    """
    limit, spent, period = budget.whole, budget.usage.spent, budget.settings.budget_period
    if limit <= 0 or spent * 100 < limit * WARNING_PERCENT:
        return None  # a budget of 0 can't be used up
    start, end = budget.window.start, budget.window.end
    key = f"{period.value} {'ever' if start is None else start.isoformat(timespec='seconds')}"
    stuck = least is not None and spent < limit < spent + least
    kind = NoticeKind.BUDGET_100 if stuck or spent >= limit else NoticeKind.BUDGET_80
    details = {
        "spent": spent,
        "limit": limit,
        "period": period.value,
        "renews": None if end is None else int(end.timestamp()),
        "least": least if stuck else None,
    }
    return kind, f"{key} rest" if stuck else key, details


def add_alert(session: Session, guild_id: int, alert: Alert, at: datetime) -> None:
    """Add the notice, unless it was added in this period.

    A budget that was used up at once, and of which something came back, is no news any more.
    """
    kind, key, details = alert
    if kind is not NoticeKind.BUDGET_80 or not posts.known(
        session, guild_id, NoticeKind.BUDGET_100, key, f"{key} rest"
    ):
        posts.want(session, guild_id, kind, key, at=at, details=details)


def watch_budget(session: Session, guild_id: int, at: datetime) -> None:
    """Alert the admins as the budget runs out, in the transaction that charged or limited its credits."""
    if alert := budget_alert(state(session, guild_id, at)):
        add_alert(session, guild_id, alert, at)


def time_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name. Raises `Refused` if there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: "Europe" is a folder of the database
        raise Refused(_unknown_zone(name)) from None


def _unknown_zone(name: str) -> Message:
    """Return that there is no such zone, suggesting the zone of that place, or zones with similar names."""
    places = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones()) if "/" in zone}
    wanted = name[:64].strip().rpartition("/")[2].lower().replace(" ", "_")
    close = get_close_matches(wanted, places, n=3, cutoff=0.7)
    if not close:
        return lazy(
            "“{name}” isn't a time zone. Write it like Europe/Berlin or America/New_York. "
            "Nothing was changed.",
            name=name[:50],
        )
    found = [places[wanted]] if wanted in places else [places[one] for one in close]
    return lazy(
        # Translators: {zones} is such as "Europe/Berlin" or "Europe/Berlin or America/New_York".
        "“{name}” isn't a time zone. Did you mean {zones}? Nothing was changed.",
        name=name[:50],
        zones=or_list(found),
    )


def budget_period(server: GuildSettings, now: datetime) -> tuple[ledger.Window, str]:
    """Return the budget's period around `now`, and its unique name, as `month 2026-03-01`.

    That is a day, a week from Monday, a month, or all since it was set. Consecutive windows have no gap and
    no overlap, also when the zone changes its clocks. Grants are stored under the name, so they stay with
    their period when the server changes its period or zone.
    """
    period, since = server.budget_period, server.budget_since
    # Untranslated: the names are stored.
    if period is Period.TOTAL:
        # Set while the clock was ahead: jobs that start before `since` count as well.
        start = None if since is not None and now < since else since
        return ledger.Window(start, None), f"total {since.isoformat()}" if since else "total"
    zone = time_zone(server.timezone)
    today = now.astimezone(zone).date()
    first = today.replace(day=1) if period is Period.MONTH else today
    if period is Period.WEEK:
        first = today - timedelta(days=today.weekday())
    start, end = beginning(first, zone), beginning(_next(period, first), zone)
    if now >= end:
        # The clocks went back over midnight: the date is yesterday's again, but the new period has begun.
        first = _next(period, first)
        start, end = end, beginning(_next(period, first), zone)
    return ledger.Window(start, end), f"{period.value} {start.astimezone(zone).date()}"


def _next(period: Period, first: date) -> date:
    if period is Period.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if period is Period.WEEK else 1)


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """Return the time at which the day begins there."""
    # Fold 0: the first of a midnight that occurs twice; the time of the jump if midnight is skipped.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def price_words(price: Estimate) -> str:
    """Say a price, as `8 credits (last price)` or `about 8 credits`."""
    if price.learned:
        return ngettext("{count} credit (last price)", "{count} credits (last price)", price.amount)
    return str(short_price(price))


def short_price(price: Estimate) -> Message:
    """Say a price, as `8 credits` or `about 8 credits`."""
    if price.learned:
        return credits_message(price.amount)
    return nlazy("about {count} credit", "about {count} credits", price.amount)


def credit_words(amount: int) -> str:
    """Say a number of credits, as `1 credit` or `1,200 credits`."""
    return ngettext("{count} credit", "{count} credits", amount)


def credits_message(amount: int) -> Message:
    """Say a number of credits, like `credit_words`, to be worded when it is shown."""
    return nlazy("{count} credit", "{count} credits", amount)


def each_period_words(amount: int, period: Period) -> str:
    """Say the credits of each period, as `100 credits a day` or `500 credits in total`."""
    return _EACH[period](amount)


def rest_message(rest: int, whole: int, period: Period) -> Message:
    """Say what is left, as `3 of 100 credits left today`. At least 0, also if more than that was used."""
    return _REST[period](whole).using(rest=max(0, rest))


def renewal_message(end: datetime | None) -> Message:
    """Return that the budget renews at `end`, as Discord counts it for each reader, or that it never does."""
    if end is None:
        return lazy("The budget is a one-off total and doesn't renew.")
    # Translators: {when} is shown as "in 3 hours".
    return lazy("The budget renews {when}.", when=discord_timestamp(end))
