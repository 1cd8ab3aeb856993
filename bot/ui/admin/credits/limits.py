"""The panels of `/studii grant`."""

from collections.abc import Mapping

from bot.credits.budgets import BudgetState
from bot.credits.limits import AllowanceScope, GrantState, MemberState
from bot.features.wording import credit_words, discord_timestamp
from bot.languages import Message, gettext as _, lazy, ngettext, number, sentences
from bot.ui.account.credits import DEFAULT_HOLDS
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, fitting, lines, more_words, named_value, small

MAX_LISTED_ALLOWANCES, MAX_LISTED_CHARACTERS = 15, 2000
_CREDITS_FROM: Mapping[AllowanceScope, Message] = {
    AllowanceScope.MEMBER: lazy("their own allowance: {credits}"),
    AllowanceScope.ROLE: lazy("the highest of their roles' allowances: {credits}"),
    AllowanceScope.MEMBERS: lazy("everyone's allowance: {credits}"),
}


def member_panel(user_id: int, state: MemberState, *, granted_now: int, here: bool) -> Panel:
    """Return what one member may do now.

    `granted_now` is what was just granted, or taken back if it is negative. `here`: they are in the server.
    """
    return boxed(
        NEUTRAL,
        f"### 👤 {_('Limits of {member}', member=f'<@{user_id}>')}",
        "" if here else _("This member isn't in the server. If they come back, these limits apply."),
        _given(granted_now, state.budget),
        lines(_allowance_words(state), _idle_grants(state), _running(state), _rate(state)),
        lines(
            # Translators: {left} is such as "3 of 100 credits left today".
            _("Server: {left}.", left=state.budget.left_words),
            small(DEFAULT_HOLDS) if state.budget.is_default else "",
        ),
    )


def _idle_grants(state: MemberState) -> str:
    if state.allowance is not None or not state.use.grants:
        return ""
    return ngettext(
        # Translators: {period} is such as "for today".
        "{count} credit granted {period} will count once this member has an allowance.",
        "{count} credits granted {period} will count once this member has an allowance.",
        state.use.grants,
        period=state.budget.for_words,
    )


def _running(state: MemberState) -> str:
    going, most = state.use.going, state.limits.at_once
    if most is None:
        return _("Running jobs: {running}", running=going)
    return _("Running jobs: {running} of {limit}", running=going, limit=most)


def _rate(state: MemberState) -> str:
    if state.limits.rate is None:
        return ""
    rate = state.limits.rate.words
    if state.next_start is None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        return _("Start rate: {rate}", rate=rate)
    # Translators: {rate} is such as "5 jobs in 10 minutes"; {when} is shown as "in 3 hours".
    return _("Start rate: {rate}; next start {when}", rate=rate, when=discord_timestamp(state.next_start))


def _allowance_words(state: MemberState) -> str:
    if state.allowance is None:
        return _("No allowance. Only the server's budget applies.")
    source = _CREDITS_FROM[state.allowance.whose].using(credits=credit_words(state.allowance.credits))
    if state.use.grants:
        said = _(
            # Translators: {left}: "3 of 100 credits left today"; {source}: "everyone's allowance: 90
            # credits"; {period}: "for today".
            "**{left}** ({source}, {granted} granted {period}).",
            left=state.left_words,
            source=source,
            granted=f"+{number(state.use.grants)}",
            period=state.budget.for_words,
        )
    else:
        # Translators: {left}: "3 of 100 credits left today"; {source}: "everyone's allowance: 90 credits".
        said = _("**{left}** ({source}).", left=state.left_words, source=source)
    return sentences(said, state.budget.renewal_words)


def grant_panel(state: GrantState, *, granted_now: int) -> Panel:
    """Return what is granted for this period. `granted_now` is as in `member_panel`."""
    budget = state.budget
    return boxed(
        NEUTRAL,
        # Translators: {period} is such as "for today".
        f"### 🎁 {_('Granted {period}', period=budget.for_words)}",
        _given(granted_now, budget),
        _server_grants(budget),
        _listed(_("Members (on top of their allowance)"), "<@{}>", state.members),
        small(
            _(
                "A grant counts until the total is restarted or the budget's period is changed. A "
                "member's grant can't exceed the server's budget."
            )
            if budget.window.end is None
            else _(
                "A grant counts until the period ends or is changed. A member's grant can't exceed the "
                "server's budget."
            )
        ),
        small(DEFAULT_HOLDS) if budget.is_default else "",
    )


def _server_grants(budget: BudgetState) -> str:
    if budget.grants:
        said = _(
            # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
            "Server: **{credits}** on top of {limit}; {left}.",
            credits=credit_words(budget.grants),
            limit=budget.limit_words,
            left=budget.left_words,
        )
    else:
        # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
        said = _(
            "Server: nothing on top of {limit}; {left}.", limit=budget.limit_words, left=budget.left_words
        )
    return sentences(said, budget.renewal_words)


def _given(amount: int, budget: BudgetState) -> str:
    if not amount:
        return ""
    if amount < 0:
        return ngettext(
            # Translators: {period} is such as "for today".
            "Took back {count} credit granted {period}.",
            "Took back {count} credits granted {period}.",
            -amount,
            period=budget.for_words,
        )
    return ngettext(
        # Translators: {period} is such as "for today".
        "Granted {count} credit {period}.",
        "Granted {count} credits {period}.",
        amount,
        period=budget.for_words,
    )


def _listed(title: str, form: str, amounts: Mapping[int, int]) -> str:
    """Return whose credits are how many."""
    if not amounts:
        return ""
    shown = [named_value(form.format(one), credit_words(amount)) for one, amount in amounts.items()]
    return lines(f"**{title}**", *fitting(shown, MAX_LISTED_CHARACTERS, more_words, MAX_LISTED_ALLOWANCES))
