"""What members see of credits: what is left of the server's budget and of their own limits, and prices."""

from collections.abc import Sequence

from bot.domain import Usage
from bot.services import (
    BudgetState,
    MemberCredits,
    MemberState,
    ToolPrice,
    credit_words,
    discord_timestamp,
    price_words,
)
from bot.ui.jobs.wording import ToolNames, job_line
from bot.ui.kit.layout import BAD, NEUTRAL, Panel, box, lines, rule, small

BAR = 12  # characters
MAX_SHOWN_PRICES = 15
DEFAULT_HOLDS = "No budget is set yet, so the default applies. An admin can set one with `/studii budget`."


def credits_panel(
    member: MemberCredits, limits: MemberState, prices: Sequence[ToolPrice], names: ToolNames
) -> Panel:
    """Return what is left, what the member has used, what each tool costs, and the member's latest jobs."""
    used = f"**You**: {_used(member.usage)}"
    return Panel(
        box(
            BAD if member.budget.left <= 0 else NEUTRAL,
            "### 💳 Server credits",
            lines(
                budget_lines(member.budget),
                used,
                *own_limits(limits),
                small(DEFAULT_HOLDS) if member.budget.is_default else "",
            ),
            rule(),
            lines("**Prices**", *_price_lines(prices)),
            rule(),
            lines("**Your latest jobs**", *(job_line(job, names) for job in member.recent))
            if member.recent
            else "You haven't made anything here yet. Type `/` and pick a tool.",
        ),
    )


def bar(rest: int, whole: int) -> str:
    """Return a bar of characters that shows how much is left, as the number beside it does."""
    share = 0.0 if whole <= 0 else min(1.0, max(0.0, rest / whole))
    # A small rest never looks like none, and a limit that was touched never looks whole.
    filled = round(share * BAR)
    if 0 < share < 1:
        filled = min(BAR - 1, max(1, filled))
    return "▰" * filled + "▱" * (BAR - filled)


def budget_lines(state: BudgetState) -> str:
    """Return what is used and left of the server's budget, and when it renews."""
    return lines(
        f"{bar(state.left, state.whole)} **{state.left_words}**",
        f"{_used(state.usage)}. {state.renewal_words}",
        f"The total includes {credit_words(state.grants)} granted {state.for_words}." if state.grants else "",
    )


def own_limits(limits: MemberState) -> list[str]:
    """Return the limits that the member has besides the server's budget, a line each."""
    said: list[str] = []
    if limits.whole is not None and limits.left is not None:
        drawn = bar(limits.left, limits.whole)
        granted = f", {limits.grants:,} of it granted" if limits.grants else ""
        said.append(
            f"{drawn} **Your allowance**: {limits.left_words}{granted}. It renews with the server's budget."
        )
    if limits.at_once is not None:
        said.append(f"Running jobs: {limits.going:,} of {limits.at_once:,}.")
    if limits.next_start is not None:
        said.append(f"You can start your next job {discord_timestamp(limits.next_start)}.")
    return said


def _used(usage: Usage) -> str:
    spent = credit_words(usage.settled)
    if not usage.reserved:
        return f"{spent} spent"
    return f"{spent} spent, {usage.reserved:,} reserved for running jobs"


def _price_lines(prices: Sequence[ToolPrice]) -> list[str]:
    shown = [f"{one.tool.emoji} {one.tool.title}: {_price(one)}" for one in prices[:MAX_SHOWN_PRICES]]
    if len(prices) > MAX_SHOWN_PRICES:
        shown.append(f"and {len(prices) - MAX_SHOWN_PRICES} more")
    return shown


def _price(one: ToolPrice) -> str:
    words = price_words(one.price)
    return words if one.most <= one.price.amount else f"{words}, up to {one.most:,} depending on your choices"
