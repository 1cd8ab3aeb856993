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
MOST_PRICES = 15
DEFAULT_HOLDS = "No budget is set yet, so the default holds. An admin can set one with `/studii budget`."


def credits_panel(
    member: MemberCredits, limits: MemberState, prices: Sequence[ToolPrice], names: ToolNames
) -> Panel:
    """Return what is left, what the member has used, what each tool costs, and the member's latest jobs."""
    used = f"**You**: {_used(member.usage)}"
    return Panel(
        box(
            BAD if member.budget.left <= 0 else NEUTRAL,
            "### 💳 Credits of this server",
            lines(
                budget_lines(member.budget),
                used,
                *own_limits(limits),
                small(DEFAULT_HOLDS) if member.budget.is_default else "",
            ),
            rule(),
            lines("**What the tools cost**", *_price_lines(prices)),
            rule(),
            lines("**Your latest jobs**", *(job_line(job, names) for job in member.recent))
            if member.recent
            else "You have not made anything here yet. Type `/` and pick one of the tools.",
        ),
    )


def bar(used: int, limit: int) -> str:
    """Return a bar of characters that shows how much of the limit is used."""
    share = 1.0 if limit <= 0 else min(1.0, max(0.0, used / limit))
    # A small amount never looks like none, and a nearly used limit never looks used up.
    filled = round(share * BAR)
    if 0 < share < 1:
        filled = min(BAR - 1, max(1, filled))
    return "▰" * filled + "▱" * (BAR - filled)


def budget_lines(state: BudgetState) -> str:
    """Return what is used and left of the server's budget, and when it renews."""
    words = state.left_words
    return lines(
        f"{bar(state.usage.spent, state.whole)} **{words[0].upper()}{words[1:]}**",
        f"{_used(state.usage)}. {state.renewal_words}.",
        f"{credit_words(state.grants)} of that {'was' if state.grants == 1 else 'were'} granted "
        f"{state.for_words}."
        if state.grants
        else "",
    )


def own_limits(limits: MemberState) -> list[str]:
    """Return the limits that the member has besides the server's budget, a line each."""
    said: list[str] = []
    if limits.whole is not None:
        drawn = bar(limits.usage.spent, limits.whole)
        granted = f", {limits.grants:,} of that granted" if limits.grants else ""
        said.append(
            f"{drawn} **Your allowance**: {limits.left_words}{granted}; it renews with the server's budget."
        )
    if limits.at_once is not None:
        said.append(f"Jobs going: {limits.going:,} of {limits.at_once:,} at once.")
    if limits.next_start is not None:
        said.append(f"You may start your next job {discord_timestamp(limits.next_start)}.")
    return said


def _used(usage: Usage) -> str:
    spent = f"{credit_words(usage.settled)} spent"
    return f"{spent}, {usage.reserved:,} set aside for jobs that are going" if usage.reserved else spent


def _price_lines(prices: Sequence[ToolPrice]) -> list[str]:
    shown = [f"{one.tool.emoji} {one.tool.title}: {_price(one)}" for one in prices[:MOST_PRICES]]
    if len(prices) > MOST_PRICES:
        shown.append(f"and {len(prices) - MOST_PRICES} more")
    return shown


def _price(one: ToolPrice) -> str:
    words = price_words(one.price)
    return words if one.most <= one.price.amount else f"{words}, up to {one.most:,} by what you choose"
