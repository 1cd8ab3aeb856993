"""What admins see of credits: the server's budget, and a key that was just set."""

from bot.domain import StudiiKey
from bot.services import BudgetState, credit_words, discord_timestamp
from bot.ui.jobs.credits import DEFAULT_HOLDS, budget_lines
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, Panel, box, lines, rule, small


def budget_panel(state: BudgetState, title: str = "Server budget") -> Panel:
    """Return what the server may spend, and how much of it is used."""
    return Panel(
        box(
            BAD if state.left <= 0 else NEUTRAL,
            f"### 💳 {title}\n**{state.limit_words}**",
            budget_lines(state),
            _over(state),
            _confirm_words(state.settings.confirm_above),
            small(_counts_from(state)),
            small(DEFAULT_HOLDS) if state.is_default else "",
        ),
    )


def key_panel(key: StudiiKey, budget: BudgetState) -> Panel:
    """Return that the key works, the plan and budget that it has, and what to do next."""
    plan = f"{key.plan.value.capitalize()}, up to {key.plan.requests_per_minute} requests a minute"
    return Panel(
        box(
            GOOD,
            f"### 🔑 The key works\n`{key.masked}` · {plan}",
            lines(
                f"Budget: **{budget.limit_words}**; {budget.left_words}.",
                small("This is the default. Change it with `/studii budget`.") if budget.is_default else "",
            ),
            rule(),
            "**Next:** members can type `/` and pick a tool. `/credits` shows what is left.",
        ),
    )


def _confirm_words(above: int | None) -> str:
    if above is None:
        return small("`confirm` is off: jobs start without a question at any price.")
    return f"Members are asked before a job that costs more than **{credit_words(above)}**."


def _over(state: BudgetState) -> str:
    if not state.grants_over:
        return ""
    return (
        f"⚠️ The {credit_words(state.grants_over)} granted for the previous period no longer "
        "count. To give them again, use `/studii grant`."
    )


def _counts_from(state: BudgetState) -> str:
    if state.window.end is None:
        start = state.window.start
        counted = (
            "The total counts all jobs."
            if start is None
            else f"The total counts jobs started since {discord_timestamp(start, 'f')}."
        )
        return (
            f"{counted} `restart:True` starts it again from zero. The server's time zone is "
            f"{state.settings.timezone}."
        )
    return f"Days, weeks and months start in the time zone {state.settings.timezone}."
