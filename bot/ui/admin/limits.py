"""The panels of `/studii allowance` and `/studii grant`."""

from collections.abc import Collection, Mapping, Sequence

from bot.domain.limits import AllowanceScope, MemberLimits
from bot.services import (
    PERIOD_WORDS,
    BudgetState,
    GrantState,
    LimitChanges,
    MemberState,
    credit_words,
    discord_timestamp,
    job_words,
    rate_words,
)
from bot.ui.jobs.credits import DEFAULT_HOLDS
from bot.ui.kit.layout import NEUTRAL, Panel, box, changed_words, lines, small

MAX_LISTED_ALLOWANCES = 15
_FROM = {
    AllowanceScope.MEMBER: "their own allowance",
    AllowanceScope.ROLE: "the highest of their roles' allowances",
    AllowanceScope.MEMBERS: "everyone's allowance",
}
_WHOSE_ALLOWANCE = {
    AllowanceScope.MEMBER: "The allowance of <@{id}>",
    AllowanceScope.ROLE: "The allowance of <@&{id}>",
    AllowanceScope.MEMBERS: "Everyone's allowance",
}


def allowance_panel(
    limits: MemberLimits,
    budget: BudgetState,
    roles_there: Collection[int] | None = None,
    role_id: int | None = None,
    changed: Sequence[str] = (),
) -> Panel:
    """Return all limits of the server's members, below what was just `changed`.

    `roles_there` has the server's roles, if known; the allowance of a deleted role applies to nobody.
    `role_id` is the role that was asked about.
    """
    each = PERIOD_WORDS[budget.settings.budget.period].each
    default = (
        "none; only the server's budget limits members"
        if limits.default is None
        else f"{credit_words(limits.default)} {each}"
    )
    at_once = "no limit" if limits.at_once is None else f"{limits.at_once:,}"
    often = "no limit" if limits.rate is None else f"{rate_words(limits.rate)}"
    roles = {
        role: amount for role, amount in limits.roles.items() if roles_there is None or role in roles_there
    }
    return Panel(
        box(
            NEUTRAL,
            "### 👥 Member limits",
            changed_words(changed),
            lines(
                f"Everyone's allowance: **{default}**",
                f"Simultaneous jobs: **{at_once}**",
                f"Start rate: **{often}**",
            ),
            "" if role_id is None or role_id in roles else f"<@&{role_id}> has no allowance of its own.",
            _listed("Roles (the highest applies)", "<@&{}>", roles, each),
            _listed("Members with their own allowance", "<@{}>", limits.own, each),
            small("Allowances renew with the server's budget and can't exceed it."),
            small(DEFAULT_HOLDS) if budget.is_default else "",
        )
    )


def limit_changes(changes: LimitChanges, budget: BudgetState) -> list[str]:
    """Return a sentence for each limit that was just changed."""
    said: list[str] = []
    if "allowance" in changes:
        whose, subject, amount = changes["allowance"]
        who = _WHOSE_ALLOWANCE[whose].format(id=subject)
        each = PERIOD_WORDS[budget.settings.budget.period].each
        said.append(
            f"{who} was removed." if amount is None else f"{who} is now {credit_words(amount)} {each}."
        )
    if "at_once" in changes:
        at_once = changes["at_once"]
        said.append(
            "Members can now have any number of jobs running."
            if at_once is None
            else f"Members can now have {job_words(at_once)} running at once."
        )
    if "rate" in changes:
        rate = changes["rate"]
        said.append(
            "Members can now start jobs as often as they like."
            if rate is None
            else f"Members can now start {rate_words(rate)}."
        )
    return said


def member_panel(
    user_id: int,
    state: MemberState,
    *,
    granted_now: int = 0,
    here: bool = True,
    changed: Sequence[str] = (),
) -> Panel:
    """Return what one member may do now, below what was just `changed`.

    `granted_now` is what was just granted, or taken back if it is negative. `here`: they are in the server.
    """
    idle = (
        f"{credit_words(state.grants)} granted {state.budget.for_words} will count once this "
        "member has an allowance."
        if state.allowance is None and state.grants
        else ""
    )
    often = "" if state.rate is None else f"Start rate: {rate_words(state.rate)}"
    if often and state.next_start is not None:
        often += f"; next start {discord_timestamp(state.next_start)}"
    running = f"Running jobs: {state.going:,}"
    if state.at_once is not None:
        running = f"Running jobs: {state.going:,} of {state.at_once:,}"
    return Panel(
        box(
            NEUTRAL,
            f"### 👤 Limits of <@{user_id}>",
            "" if here else "This member isn't in the server. If they come back, these limits apply.",
            _given(granted_now, state.budget),
            changed_words(changed),
            lines(_allowance_words(state), idle, running, often),
            lines(
                f"Server: {state.budget.left_words}.",
                small(DEFAULT_HOLDS) if state.budget.is_default else "",
            ),
        )
    )


def _allowance_words(state: MemberState) -> str:
    if state.allowance is None:
        return "No allowance. Only the server's budget applies."
    granted = f", {state.grants:+,} granted {state.budget.for_words}" if state.grants else ""
    return (
        f"**{state.left_words}** ({_FROM[state.allowance.whose]}: "
        f"{credit_words(state.allowance.credits)}{granted}). {state.budget.renewal_words}"
    )


def grant_panel(state: GrantState, *, granted_now: int = 0) -> Panel:
    """Return what is granted for this period. `granted_now` is as in `member_panel`."""
    budget = state.budget
    server = f"**{credit_words(budget.grants)}**" if budget.grants else "nothing"
    ends = (
        "A grant counts until the total is restarted or the budget's period is changed."
        if budget.window.end is None
        else "A grant counts until the period ends or is changed."
    )
    return Panel(
        box(
            NEUTRAL,
            f"### 🎁 Granted {budget.for_words}",
            _given(granted_now, budget),
            lines(
                f"Server: {server} on top of {budget.limit_words}; {budget.left_words}. "
                f"{budget.renewal_words}",
            ),
            _listed("Members (on top of their allowance)", "<@{}>", state.members, ""),
            small(f"{ends} A member's grant can't exceed the server's budget."),
            small(DEFAULT_HOLDS) if budget.is_default else "",
        )
    )


def _given(amount: int, budget: BudgetState) -> str:
    if not amount:
        return ""
    if amount < 0:
        return f"Took back {credit_words(-amount)} granted {budget.for_words}."
    return f"Granted {credit_words(amount)} {budget.for_words}."


def _listed(title: str, form: str, amounts: Mapping[int, int], each: str) -> str:
    if not amounts:
        return ""
    shown = [
        f"{form.format(one)}: {credit_words(amounts[one])} {each}".rstrip()
        for one in list(amounts)[:MAX_LISTED_ALLOWANCES]
    ]
    if len(amounts) > MAX_LISTED_ALLOWANCES:
        shown.append(f"and {len(amounts) - MAX_LISTED_ALLOWANCES} more")
    return lines(f"**{title}**", *shown)
