"""The panels of `/studii allowance` and `/studii grant`."""

from collections.abc import Collection, Mapping, Sequence

from bot.credits.budgets import BudgetState
from bot.credits.limits import AllowanceScope, GrantState, LimitChanges, MemberLimits, MemberState
from bot.domain.guilds import Period
from bot.features.wording import credit_words, discord_timestamp, each_period_words
from bot.languages import Message, gettext as _, lazy, ngettext, number, pgettext, sentences
from bot.ui.account.credits import DEFAULT_HOLDS
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, changed_words, lines, small
from bot.ui.kit.text import more_words, named_value

MAX_LISTED_ALLOWANCES = 15
_CREDITS_FROM: Mapping[AllowanceScope, Message] = {
    AllowanceScope.MEMBER: lazy("their own allowance: {credits}"),
    AllowanceScope.ROLE: lazy("the highest of their roles' allowances: {credits}"),
    AllowanceScope.MEMBERS: lazy("everyone's allowance: {credits}"),
}


def allowance_panel(
    limits: MemberLimits,
    budget: BudgetState,
    there: Collection[int] | None,
    role_id: int | None,
    changed: Sequence[str],
) -> Panel:
    """Return all limits of the server's members, below what was just `changed`.

    `there` has the server's roles among others, if known; the allowance of a deleted role applies to nobody.
    `role_id` is the role that was asked about.
    """
    period = budget.settings.budget.period
    roles = {role: amount for role, amount in limits.roles.items() if there is None or role in there}
    return boxed(
        NEUTRAL,
        f"### 👥 {_('Member limits')}",
        changed_words(changed),
        _everyones(limits, period),
        ""
        if role_id is None or role_id in roles
        else _("{role} has no allowance of its own.", role=f"<@&{role_id}>"),
        _listed(_("Roles (the highest applies)"), "<@&{}>", roles, period),
        _listed(_("Members with their own allowance"), "<@{}>", limits.own, period),
        small(_("Allowances renew with the server's budget and can't exceed it.")),
        small(DEFAULT_HOLDS) if budget.is_default else "",
    )


def _everyones(limits: MemberLimits, period: Period) -> str:
    """Return the limits of everyone, a line each."""
    default = (
        _("none; only the server's budget limits members")
        if limits.default is None
        else each_period_words(limits.default, period)
    )
    unlimited = pgettext("no limit to a number", "no limit")
    at_once = unlimited if limits.at_once is None else number(limits.at_once)
    often = unlimited if limits.rate is None else str(limits.rate.words)
    return lines(
        # Translators: {allowance} is such as "20 credits a day".
        _("Everyone's allowance: **{allowance}**", allowance=default),
        # Translators: {limit} is a number, or "no limit".
        _("Simultaneous jobs: **{limit}**", limit=at_once),
        # Translators: {rate} is such as "5 jobs in 10 minutes", or "no limit".
        _("Start rate: **{rate}**", rate=often),
    )


def limit_changes(changes: LimitChanges, budget: BudgetState) -> list[str]:
    """Return a sentence for each limit that was just changed."""
    said: list[str] = []
    if "allowance" in changes:
        whose, subject, amount = changes["allowance"]
        said.append(_allowance_set(whose, subject, amount, budget.settings.budget.period))
    if "at_once" in changes:
        at_once = changes["at_once"]
        said.append(
            _("Members can now run jobs at the same time without a limit.")
            if at_once is None
            else ngettext(
                "Members can now run {count} job at the same time.",
                "Members can now run {count} jobs at the same time.",
                at_once,
            )
        )
    if "rate" in changes:
        rate = changes["rate"]
        said.append(
            _("Members can now start jobs as often as they like.")
            if rate is None
            # Translators: {rate} is such as "5 jobs in 10 minutes".
            else _("Members can now start {rate}.", rate=rate.words)
        )
    return said


def _allowance_set(whose: AllowanceScope, subject: int, amount: int | None, period: Period) -> str:
    if whose is AllowanceScope.MEMBERS:
        if amount is None:
            return _("No allowance is set for everyone now.")
        credits_ = each_period_words(amount, period)
        return _("Everyone's allowance is now {credits}.", credits=credits_)
    who = f"<@{subject}>" if whose is AllowanceScope.MEMBER else f"<@&{subject}>"
    if amount is None:
        return _("No allowance is set for {member_or_role} now.", member_or_role=who)
    return _(
        # Translators: {credits} is such as "20 credits a day".
        "The allowance of {member_or_role} is now {credits}.",
        member_or_role=who,
        credits=each_period_words(amount, period),
    )


def member_panel(
    user_id: int, state: MemberState, *, granted_now: int, here: bool, changed: Sequence[str]
) -> Panel:
    """Return what one member may do now, below what was just `changed`.

    `granted_now` is what was just granted, or taken back if it is negative. `here`: they are in the server.
    """
    return boxed(
        NEUTRAL,
        f"### 👤 {_('Limits of {member}', member=f'<@{user_id}>')}",
        "" if here else _("This member isn't in the server. If they come back, these limits apply."),
        _given(granted_now, state.budget),
        changed_words(changed),
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


def _listed(title: str, form: str, amounts: Mapping[int, int], period: Period | None = None) -> str:
    """Return whose credits are how many, each period if it is given."""
    if not amounts:
        return ""
    shown: list[str] = []
    for one in list(amounts)[:MAX_LISTED_ALLOWANCES]:
        amount = amounts[one]
        said = credit_words(amount) if period is None else each_period_words(amount, period)
        shown.append(named_value(form.format(one), said))
    if len(amounts) > MAX_LISTED_ALLOWANCES:
        shown.append(more_words(len(amounts) - MAX_LISTED_ALLOWANCES))
    return lines(f"**{title}**", *shown)
