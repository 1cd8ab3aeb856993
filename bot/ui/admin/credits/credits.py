"""Show admins the server's budget, and a key that was just set."""

from bot.credits.budgets import BudgetState
from bot.features.wording import credit_words, discord_timestamp
from bot.languages import gettext as _, ngettext, sentences
from bot.servers.keys import StudiiKey
from bot.ui.account.credits import DEFAULT_HOLDS, budget_lines
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, Panel, boxed, lines, rule, small


def budget_panel(state: BudgetState, title: str) -> Panel:
    """Return what the server may spend, and how much of it is used."""
    return boxed(
        BAD if state.left <= 0 else NEUTRAL,
        f"### 💳 {title or _('Server budget')}\n**{state.limit_words}**",
        budget_lines(state),
        _over(state),
        _confirm_words(state.settings.confirm_above),
        small(_counts_from(state)),
        small(DEFAULT_HOLDS) if state.is_default else "",
    )


def key_panel(key: StudiiKey, budget: BudgetState) -> Panel:
    """Return that the key works, the plan and budget that it has, and what to do next."""
    plan = _(
        "{plan}, up to {limit} requests a minute",
        plan=key.plan.value.capitalize(),
        limit=key.plan.requests_per_minute,
    )
    return boxed(
        GOOD,
        f"### 🔑 {_('The key works')}\n`{key.masked}` · {plan}",
        lines(
            _("Budget: **{limit}**; {left}.", limit=budget.limit_words, left=budget.left_words),
            small(_("This is the default. Change it with `/studii budget`.")) if budget.is_default else "",
        ),
        rule(),
        _("**Next:** members can type `/` and pick a tool. `/credits` shows the credits left."),
    )


def _confirm_words(above: int | None) -> str:
    if above is None:
        return small(_("`confirm` is off: jobs start without a question at any price."))
    return _(
        "Members are asked before a job that costs more than **{credits}**.", credits=credit_words(above)
    )


def _over(state: BudgetState) -> str:
    if not state.grants_over:
        return ""
    return "⚠️ " + ngettext(
        "The {count} credit granted for the previous period no longer counts. To give it again, use "
        "`/studii grant`.",
        "The {count} credits granted for the previous period no longer count. To give them again, use "
        "`/studii grant`.",
        state.grants_over,
    )


def _counts_from(state: BudgetState) -> str:
    if state.window.end is None:
        start = state.window.start
        counted = (
            _("The total counts all jobs.")
            if start is None
            else _("The total counts jobs started since {time}.", time=discord_timestamp(start, "f"))
        )
        zone = _("The server's time zone is {zone}.", zone=state.settings.timezone)
        return sentences(counted, _("`restart:True` starts it again from zero."), zone)
    return _("Days, weeks and months start in the time zone {zone}.", zone=state.settings.timezone)
