"""What people see of money: the server's budget, and their own part in it."""

from collections.abc import Mapping, Sequence

from bot.domain import Job, JobState, StudiiKey, Usage
from bot.services import (
    BudgetState,
    MemberCredits,
    MemberState,
    ToolPrice,
    credit_words,
    discord_timestamp,
    price_words,
)
from bot.ui.jobs.wording import ToolNames, message_link
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, Panel, box, lines, rule, small

BAR = 12  # characters
MOST_PRICES = 15
DEFAULT_HOLDS = "No budget is set yet, so the default holds. An admin can set one with `/studii budget`."

_STATES: Mapping[JobState, str] = {
    JobState.RECEIVED: "getting ready",
    JobState.WAITING: "in line",
    JobState.UPLOADING: "being sent",
    JobState.SUBMITTING: "being sent",
    JobState.RUNNING: "being made",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "did not work out",
    JobState.CANCELLED: "cancelled",
    JobState.UNKNOWN: "may be lost",
}


def budget_panel(state: BudgetState, title: str = "Budget of this server") -> Panel:
    """What the server may spend, and what of it is used."""
    return Panel(
        box(
            BAD if state.left <= 0 else NEUTRAL,
            f"### 💳 {title}\n**{state.limit_words}**",
            _budget_lines(state),
            _over(state),
            small(_counts_from(state)),
            small(DEFAULT_HOLDS) if state.is_default else "",
        ),
    )


def _over(state: BudgetState) -> str:
    if not state.grants_over:
        return ""
    return (
        f"⚠️ What was granted for the period before ({credit_words(state.grants_over)}) does not count any "
        "more. Give it again with `/studii grant`, if it should."
    )


def _counts_from(state: BudgetState) -> str:
    if state.window.end is None:
        start = state.window.start
        since = "ever" if start is None else f"since {discord_timestamp(start, 'f')}"
        return (
            f"It counts what was started {since}; `restart:True` counts anew from now on. The server's time "
            f"zone is {state.settings.timezone}."
        )
    return f"Days, weeks and months begin in the time zone {state.settings.timezone}."


def key_panel(key: StudiiKey, budget: BudgetState) -> Panel:
    """That the key works, what it was set with, and what to do next."""
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
            "Next: members can type `/` and pick one of Studii's tools. `/credits` shows what is left.",
        ),
    )


def credits_panel(
    member: MemberCredits, limits: MemberState, prices: Sequence[ToolPrice], names: ToolNames
) -> Panel:
    """What is left, what one has used, what each tool costs, and one's latest jobs."""
    used = f"**You**: {_used(member.usage)}"
    return Panel(
        box(
            BAD if member.budget.left <= 0 else NEUTRAL,
            "### 💳 Credits of this server",
            lines(
                _budget_lines(member.budget),
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
    """How much of the limit is used, drawn in one line."""
    share = 1.0 if limit <= 0 else min(1.0, max(0.0, used / limit))
    # Something used never looks like nothing, something left never like nothing left.
    filled = round(share * BAR)
    if 0 < share < 1:
        filled = min(BAR - 1, max(1, filled))
    return "▰" * filled + "▱" * (BAR - filled)


def _budget_lines(state: BudgetState) -> str:
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
    """What holds for the member besides the server's budget."""
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


def job_line(job: Job, names: ToolNames, *, linked: bool = True) -> str:
    """A job in one line: what, where it stands, what it costs, when."""
    message = job.result_message_id or job.card_message_id
    title = names.title(job)
    what = f"[{title}]({message_link(job, message)})" if linked and message is not None else title
    cost = "not charged" if job.terminal and not job.settled else credit_words(job.settled or job.reserved)
    when = discord_timestamp(job.created_at)
    return f"{names.emoji(job)} {what} · {_STATES[job.state]} · {cost} · {when}"
