"""The state of a server's budget, and the sentences about it."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain import Budget, GuildSettings, Period, Usage, Window
from bot.domain.periods import period_name, window
from bot.domain.prices import Estimate, left
from bot.errors import CreditsShort, Refused
from bot.languages import lazy
from bot.services.wording import PERIOD_WORDS, credit_words, credits_message, discord_timestamp
from bot.storage import Transaction

MAX_BUDGET = 1_000_000  # credits
CHANGE_BUDGET = "An admin can change the budget with `/studii budget`."


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
        """`100 credits a day`, `500 credits in total`."""
        budget = self.settings.budget
        return f"{credit_words(budget.limit)} {PERIOD_WORDS[budget.period].each}"

    @property
    def left_words(self) -> str:
        """`3 of 100 credits left today`, `0 of 100 credits left today`."""
        return rest_words(self.left, self.whole, self.settings.budget.period)

    @property
    def for_words(self) -> str:
        """The period of a grant: `for today`, `for the one-off total`."""
        return PERIOD_WORDS[self.settings.budget.period].this

    @property
    def renewal_words(self) -> str:
        """`The budget renews in 3 hours.` as Discord counts it for each reader, or that it never does."""
        if self.window.end is None:
            return "The budget is a one-off total and doesn't renew."
        return f"The budget renews {discord_timestamp(self.window.end)}."


async def budget_state(transaction: Transaction, guild_id: int, now: datetime) -> BudgetState:
    """Return the state of the server's budget at `now`, read in `transaction`."""
    settings = await transaction.guilds.get(guild_id)
    period, name = budget_period(settings, now)
    usage = await transaction.ledger.usage(guild_id, period)
    grants = await transaction.ledger.granted(guild_id, name)
    return state_of_budget(settings, period, usage, grants)


def budget_period(settings: GuildSettings, now: datetime) -> tuple[Window, str]:
    """Return the period of the server's budget around `now`, and its unique name."""
    period = window(settings.budget, settings.timezone, now)
    return period, period_name(settings.budget, settings.timezone, period)


def state_of_budget(settings: GuildSettings, period: Window, usage: Usage, grants: int) -> BudgetState:
    """Return the state of a budget of which so much is used, and to which so much was granted."""
    return BudgetState(settings, period, usage, left(settings.budget, usage, grants), grants)


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


def ensure_room(state: BudgetState, price: Estimate) -> None:
    """Raise `Refused`, with the cost, what is left and who can change it, if the budget has no room."""
    if state.left >= price.amount:
        return
    again = when_again(
        state, price, "budget", limit=state.settings.budget.limit, could_be=state.left + state.usage.reserved
    )
    cost = short_price_words(price)
    raise CreditsShort(
        f"Not enough credits: this costs {cost}, and the server has {state.left_words}. {again} "
        f"{CHANGE_BUDGET}"
    )


def when_again(budget: BudgetState, price: Estimate, what: str, *, limit: int, could_be: int) -> str:
    """Return when there will be room in the server's budget, or in a member's `limit` for its period.

    `what` is `budget` or `allowance`, whichever has the `limit`.

    `could_be` is what would be left if all running jobs were free.
    """
    if budget.window.end is not None and price.amount <= limit:
        return budget.renewal_words
    if price.amount <= could_be:
        return "Credits may free up when running jobs finish."
    if price.amount <= limit:
        return "It's a one-off total and doesn't renew."
    kind = PERIOD_WORDS[budget.settings.budget.period].kind
    return f"The {kind} {what} of {credit_words(limit)} is below the price."


def rest_words(rest: int, whole: int, period: Period) -> str:
    """Say what is left, as `3 of 100 credits left today`. At least 0, also if more than that was used."""
    return PERIOD_WORDS[period].left.format(rest=max(0, rest), whole=credit_words(whole))


def price_words(price: Estimate) -> str:
    """Say a price, as `8 credits (from past charges)` or `about 8 credits`."""
    words = short_price_words(price)
    return f"{words} (from past charges)" if price.learned else words


def short_price_words(price: Estimate) -> str:
    """Say a price, as `8 credits` or `about 8 credits`."""
    return credit_words(price.amount) if price.learned else f"about {credit_words(price.amount)}"
