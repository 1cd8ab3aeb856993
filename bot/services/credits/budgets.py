"""The state of a server's budget, and the sentences about it."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain import Budget, Period, Usage, Window
from bot.domain.periods import budget_period, period_name
from bot.domain.prices import Estimate
from bot.errors import CreditsShort, Refused
from bot.languages import Message, lazy, ngettext, nlazy, paragraph
from bot.servers import settings as server_settings
from bot.servers.settings import GuildSettings
from bot.services.wording import (
    budget_below_price,
    credits_message,
    each_period_words,
    granted_for,
    renewal_message,
    rest_message,
)
from bot.storage import Transaction

MAX_BUDGET = 1_000_000  # credits
CHANGE_BUDGET = lazy("An admin can change the budget with `/studii budget`.")


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The credits that a server may spend and has spent. `left` may be negative after a limit was lowered."""

    settings: GuildSettings
    window: Window
    usage: Usage
    left: int
    grants: int  # credits that admins added for this period; part of what is left
    grants_over: int = 0  # credits granted for the period before, which a change of it has just ended

    @property
    def whole(self) -> int:
        """Return the credits that may be spent in the period: the limit and the grants."""
        return self.settings.budget.limit + self.grants

    @property
    def period_name(self) -> str:
        """Return the unique name of the period, under which grants for it are stored."""
        return period_name(self.settings.budget, self.settings.timezone, self.window)

    @property
    def is_default(self) -> bool:
        """Return whether the default budget applies, because none was set."""
        return self.settings.budget.since is None

    @property
    def limit_words(self) -> str:
        """Return `100 credits a day`, `500 credits in total`."""
        return each_period_words(self.settings.budget.limit, self.settings.budget.period)

    @property
    def left_words(self) -> str:
        """Return `3 of 100 credits left today`, `0 of 100 credits left today`."""
        return str(self.left_message)

    @property
    def left_message(self) -> Message:
        """Return what `left_words` says, to be worded when it is shown."""
        return rest_message(self.left, self.whole, self.settings.budget.period)

    @property
    def for_words(self) -> str:
        """Return the period of a grant, as it follows `granted`: `for today`, `for the one-off total`."""
        return str(granted_for(self.settings.budget.period))

    @property
    def renewal_words(self) -> str:
        """Return `The budget renews in 3 hours.`, as Discord counts it for each, or that it never does."""
        return str(renewal_message(self.window.end))


async def budget_state(transaction: Transaction, guild_id: int, now: datetime) -> BudgetState:
    """Return the state of the server's budget at `now`, read in `transaction`."""
    settings = await transaction.run(server_settings.of, guild_id)
    period, name = budget_period(settings.budget, settings.timezone, now)
    usage = await transaction.budget_sums.usage(guild_id, period)
    grants = await transaction.budget_sums.grants(guild_id, name)
    return state_of_budget(settings, period, usage, grants.get(None, 0))


def state_of_budget(settings: GuildSettings, period: Window, usage: Usage, grants: int) -> BudgetState:
    """Return the state of a budget, with what was used of it and granted on top."""
    return BudgetState(settings, period, usage, usage.left_of(settings.budget.limit + grants), grants)


def new_budget(limit: int, period: Period, now: datetime, *, since: datetime | None = None) -> Budget:
    """Return a budget that was set at `now`. A one-off total counts from there, or from `since`.

    Raises `Refused` for an invalid limit.
    """
    if not 0 <= limit <= MAX_BUDGET:
        most = credits_message(MAX_BUDGET)
        raise Refused(
            lazy("The budget must be a whole number from 0 to {most}. Nothing was changed.", most=most)
        )
    return Budget(limit, period, since=since or now)


def ensure_credits_left(state: BudgetState, price: Estimate) -> None:
    """Raise `Refused`, with the cost, what is left and who can change it, if that is too little."""
    if state.left >= price.amount:
        return
    budget = state.settings.budget
    again = when_again(state, price, limit=budget.limit, could_be=state.left + state.usage.reserved)
    short = lazy(
        # Translators: {left} is such as "3 of 100 credits left today".
        "Not enough credits: this costs {price}, and the server has {left}.",
        price=short_price_message(price),
        left=state.left_message,
    )
    raise CreditsShort(
        paragraph(short, again or budget_below_price(budget.limit, budget.period), CHANGE_BUDGET)
    )


def when_again(budget: BudgetState, price: Estimate, *, limit: int, could_be: int) -> Message | None:
    """Return when there will be room in the server's budget, or in a member's `limit` for its period, or
    None if the `limit` is below the price.

    `could_be` is what would be left if all running jobs were free.
    """
    if budget.window.end is not None and price.amount <= limit:
        return renewal_message(budget.window.end)
    if price.amount <= could_be:
        return lazy("Credits may free up when running jobs finish.")
    return lazy("It's a one-off total and doesn't renew.") if price.amount <= limit else None


def price_words(price: Estimate) -> str:
    """Say a price, as `8 credits (from past charges)` or `about 8 credits`."""
    if price.learned:
        return ngettext("{count} credit (last price)", "{count} credits (last price)", price.amount)
    return short_price_words(price)


def short_price_words(price: Estimate) -> str:
    """Say a price, as `8 credits` or `about 8 credits`."""
    return str(short_price_message(price))


def short_price_message(price: Estimate) -> Message:
    """Say a price, like `short_price_words`, to be worded when it is shown."""
    if price.learned:
        return credits_message(price.amount)
    return nlazy("about {count} credit", "about {count} credits", price.amount)
