"""The state of a server's budget, and the sentences about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain import Budget, GuildSettings, Period, Usage, Window
from bot.domain.periods import period_name, window
from bot.domain.prices import Estimate, left
from bot.errors import CreditsShort, Refused
from bot.services.wording import credit_words, discord_timestamp
from bot.storage import Transaction

MAX_BUDGET = 1_000_000  # credits
CHANGE_IT = "an admin can change the budget with `/studii budget`"

_EACH: Mapping[Period, str] = {Period.DAY: "a day", Period.WEEK: "a week", Period.MONTH: "a month"}
_THIS: Mapping[Period, str] = {
    Period.DAY: " for today",
    Period.WEEK: " for this week",
    Period.MONTH: " for this month",
    Period.TOTAL: "",
}


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What a server may spend and has spent, in credits. `left` may be negative after a limit was lowered."""

    settings: GuildSettings
    window: Window
    usage: Usage
    left: int
    grants: int = 0  # credits that admins added for this period; part of what is left
    grants_over: int = 0  # credits granted for the period before, which a change of it has just ended

    @property
    def whole(self) -> int:
        """The credits that may be spent in the period: the limit and the grants."""
        return self.settings.budget.limit + self.grants

    @property
    def period_name(self) -> str:
        """The unique name of the period, under which grants for it are stored."""
        return period_name(self.settings.budget, self.settings.timezone, self.window)

    @property
    def is_default(self) -> bool:
        """Whether the default budget applies, because none was set."""
        return self.settings.budget.since is None

    @property
    def limit_words(self) -> str:
        """`100 credits a day`, `500 credits in all`."""
        budget = self.settings.budget
        return f"{credit_words(budget.limit)} {_EACH.get(budget.period, 'in all')}"

    @property
    def left_words(self) -> str:
        """`3 of 100 credits left for today`, `nothing left of 100 credits for today`."""
        return rest_words(self.left, self.whole, self.settings.budget.period)

    @property
    def for_words(self) -> str:
        """What is granted now is granted so: `for today`, `for this one-off total`."""
        return _THIS[self.settings.budget.period].strip() or "for this one-off total"

    @property
    def renewal_words(self) -> str:
        """`It renews in 3 hours` as Discord counts it for each reader, or that it never does."""
        if self.window.end is None:
            return "It is a one-off total and does not renew"
        return f"It renews {discord_timestamp(self.window.end)}"


async def budget_state(transaction: Transaction, guild_id: int, now: datetime) -> BudgetState:
    """Return the state of the server's budget at `now`, read in `transaction`."""
    settings = await transaction.guilds.get(guild_id)
    period = window(settings.budget, settings.timezone, now)
    usage = await transaction.ledger.usage(guild_id, period)
    name = period_name(settings.budget, settings.timezone, period)
    grants = await transaction.ledger.granted(guild_id, name)
    return BudgetState(settings, period, usage, left(settings.budget, usage, grants), grants)


def new_budget(limit: int, period: Period, now: datetime, *, since: datetime | None = None) -> Budget:
    """Return a budget that was set at `now`. A one-off total counts from there, or from `since`.

    Raises `Refused` for an invalid limit.
    """
    if not 0 <= limit <= MAX_BUDGET:
        raise Refused(f"A budget is a whole number from 0 to {MAX_BUDGET:,} credits. Nothing was changed.")
    return Budget(limit, period, since=since or now)


def ensure_room(state: BudgetState, price: Estimate) -> None:
    """Raise `Refused`, with the cost, what is left and who can change it, if the budget has no room."""
    if state.left >= price.amount:
        return
    again = when_again(
        state, price, limit=state.settings.budget.limit, could_be=state.left + state.usage.reserved
    )
    raise CreditsShort(refusal(price, f"the server's budget has {state.left_words}", again, CHANGE_IT))


def refusal(price: Estimate, room: str, again: str, who: str) -> str:
    """The sentence of every limit: what the job would cost, what is left, when there is more, who rules."""
    return f"This would cost {price_words(price)}, and {room}. {again}; {who}."


def when_again(budget: BudgetState, price: Estimate, *, limit: int, could_be: int) -> str:
    """Return when there will be room in the server's budget, or in a member's `limit` for its period.

    `could_be` is what would be left if all running jobs were free.
    """
    if budget.window.end is not None and price.amount <= limit:
        return budget.renewal_words
    if price.amount <= could_be:
        return "More may come back only from what is set aside for jobs that are going"
    period = _EACH.get(budget.settings.budget.period, "in all, not renewed")
    return f"Waiting will not help: it is {credit_words(limit)} {period}"


def rest_words(rest: int, whole: int, period: Period) -> str:
    """`3 of 100 credits left for today`, `nothing left of 100 credits for today`."""
    start = (
        f"{rest:,} of {credit_words(whole)} left" if rest > 0 else f"nothing left of {credit_words(whole)}"
    )
    return start + _THIS[period]


def price_words(price: Estimate) -> str:
    """`8 credits (from past charges)`, `about 8 credits (assumed)`."""
    if price.learned:
        return f"{credit_words(price.amount)} (from past charges)"
    return f"about {credit_words(price.amount)} (assumed)"
