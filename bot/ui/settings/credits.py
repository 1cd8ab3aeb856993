"""`/studii credits`, `budget` and `grant`, and `/credits`: what may be spent, and what is left of it."""

import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import discord
from discord import ui

from bot.catalog import Catalog
from bot.credits import budgets, limits
from bot.credits.budgets import DEFAULT_HOLDS, MAX_BUDGET, BudgetState, credit_words, each_period_words
from bot.credits.ledger import Usage
from bot.credits.limits import MAX_AT_ONCE, MAX_SECONDS, AllowanceScope, MemberLimits, MemberState, StartRate
from bot.credits.usage import Span
from bot.errors import Refused
from bot.jobs.models import Job
from bot.languages import (
    N_,
    Message,
    Worded,
    day_words,
    discord_timestamp,
    gettext,
    gettext as _,
    lazy,
    ngettext,
    nlazy,
    number,
    pgettext,
    plazy,
    sentences,
)
from bot.servers import settings
from bot.servers.settings import Period
from bot.ui.admin.usage import EVER, Gauge, ledger, picture_of, usage
from bot.ui.jobs.wording import job_line
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    BAD,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    fitting,
    lines,
    more_words,
    named_value,
    row,
    small,
)
from bot.ui.panels.controls import Press, admin, button
from bot.ui.panels.settings import (
    ADDED,
    REMOVED,
    Address,
    Also,
    Entered,
    Items,
    Now,
    Scope,
    Setting,
    Topic,
    Value,
    ValueKind,
    a_number,
    backs,
    note_changes,
    number_in,
    update,
)

# The options of a menu for how often a budget renews.
PERIOD_CHOICES: Mapping[Period, str] = {
    Period.DAY: N_("a day"),
    Period.WEEK: N_("a week"),
    Period.MONTH: N_("a month"),
    Period.TOTAL: N_("in total, not renewed"),
}
MAX_ALLOWANCES_CHARACTERS = 900  # of a list of them
NO_LIMIT = plazy("no limit to a number", "no limit")
GAUGE_FILE = "budget.png"
_USED = lazy("{credits} spent."), lazy("{credits} spent, {reserved} reserved for unfinished jobs.")


@dataclass(frozen=True, slots=True)
class CreditsRow:
    """Everything that the panel shows; that of the budget alone has no limits."""

    budget: BudgetState
    limits: MemberLimits | None = None


def load_budget(session: Any, scope: Scope) -> CreditsRow:
    return CreditsRow(budgets.state(session, scope.guild_id, scope.at))


def _load(session: Any, scope: Scope) -> CreditsRow:
    return replace(load_budget(session, scope), limits=limits.of_server(session, scope.guild_id))


# The budget


def _used(usage: Usage, words: tuple[Message, Message]) -> Message:
    """Return the words for what is used: the first without unfinished jobs, the second with some."""
    return words[usage.reserved > 0].using(credits=credit_words(usage.settled), reserved=usage.reserved)


async def gauge_of(state: BudgetState) -> list[discord.File]:
    """Return the picture of the budget; none while many others are drawn, as the text says the same."""
    end, zone = state.window.end, ZoneInfo(state.settings.timezone)
    parts = (
        (_("spent: {amount}", amount=number(state.usage.settled)), state.usage.settled),
        (_("reserved: {amount}", amount=number(state.usage.reserved)), state.usage.reserved),
        (_("left: {amount}", amount=number(state.left)), max(0, state.left)),
    )
    renewal = "" if end is None else _("renews on {day}", day=day_words(end.astimezone(zone).date()))
    with suppress(Refused):
        return [discord.File(io.BytesIO(await picture_of(Gauge(parts, renewal))), GAUGE_FILE)]
    return []


def gauge(files: Sequence[discord.File], state: BudgetState) -> list[Piece]:
    """Return the gallery that shows the picture, if there is one."""
    items = [discord.MediaGalleryItem(one, description=str(state.left_words)) for one in files]
    return [ui.MediaGallery(*items)] if items else []


def budget_lines(state: BudgetState) -> str:
    """Return what is used and left of the server's budget, and when it renews."""
    return lines(
        f"**{state.left_words}**",
        sentences(_used(state.usage, _USED), state.renewal_words),
        _(
            # Translators: {period} is such as "for today".
            "The total includes {credits} granted {period}.",
            credits=credit_words(state.grants),
            period=state.for_words,
        )
        if state.grants
        else "",
    )


def set_budget(session: Any, scope: Scope, value: Mapping[str, Any]) -> Also | None:
    """Set the budget. Return a warning if grants of the period before no longer count."""
    given = scope.guild_id, value["limit"], Period(value["period"])
    state = budgets.set_budget(session, *given, at=scope.at)
    if not state.grants_over:
        return None
    return Also(
        nlazy(
            "The {count} credit granted for the previous period no longer counts. To give it again, use "
            "`/studii grant`.",
            "The {count} credits granted for the previous period no longer count. To give them again, use "
            "`/studii grant`.",
            state.grants_over,
        )
    )


def _budget_fields(_now: Now, value: Mapping[str, Any]) -> list[ui.Item[Any]]:
    options = [
        discord.SelectOption(label=gettext(words), value=one, default=one == value["period"])
        for one, words in PERIOD_CHOICES.items()
    ]
    typed = ui.TextInput[Any](custom_id="limit", default=str(value["limit"]), max_length=12)
    about = lazy("A whole number up to {most}. Takes effect immediately.", most=MAX_BUDGET)
    return [
        labelled(lazy("Credits"), typed, about),
        labelled(lazy("Renewal"), ui.Select(custom_id="period", options=options)),
    ]


def budget_value(row_: Any) -> dict[str, Any]:
    rules = row_.budget.settings
    return {"limit": rules.budget_limit, "period": rules.budget_period.value}


def _budget_line(now: Now) -> str:
    state: BudgetState = now.row.budget
    return lines(
        named_value(f"**{BUDGET.title}**", state.limit_words),
        budget_lines(state),
        small(DEFAULT_HOLDS) if state.is_default else "",
    )


BUDGET = Setting(
    "budget",
    lazy("Server budget"),
    Entered(
        _budget_fields,
        lambda values: {"limit": number_in(values["limit"], 0, MAX_BUDGET), "period": values["period"][0]},
        lambda value: each_period_words(value["limit"], Period(value["period"])),
    ),
    read=budget_value,
    write=set_budget,
    line=_budget_line,
)


def _counts_from(now: Now) -> str:
    state: BudgetState = now.row.budget
    zone = state.settings.timezone
    if state.window.end is not None:
        return _("Days, weeks and months start in the time zone {zone}.", zone=zone)
    start = state.window.start
    counted = (
        _("The total counts all jobs.")
        if start is None
        else _("The total counts jobs started since {time}.", time=discord_timestamp(start, "f"))
    )
    return sentences(counted, _("The server's time zone is {zone}.", zone=zone))


TIMEZONE = Setting(
    "timezone",
    lazy("Time zone"),
    Entered(
        lambda _now, value: [
            labelled(
                lazy("Time zone"),
                ui.TextInput(custom_id="value", default=value, max_length=64),
                lazy("Such as Europe/Berlin or America/New_York"),
            )
        ],
        lambda values: str(values["value"]).strip(),
    ),
    read=lambda row_: row_.budget.settings.timezone,
    write=lambda session, scope, zone: budgets.set_budget(
        session, scope.guild_id, None, None, zone, at=scope.at
    ),
    line=_counts_from,
)


@button("restart:{at}", label=lazy("Restart the total"), who=admin)
async def restart(press: Press, at: Address) -> None:
    """Let a one-off total begin again from zero."""
    await update(press, at, _restart)


def _restart(session: Any, scope: Scope) -> Message:
    budgets.set_budget(session, scope.guild_id, None, None, at=scope.at, restart=True)
    return lazy("The total starts again from zero.")


def _restarts(now: Now) -> list[Piece]:
    return [row(restart.of(now.address))] if now.row.budget.window.end is None else []


def _colour(now: Now) -> discord.Colour:
    return BAD if now.row.budget.left <= 0 else NEUTRAL


# The answer to `/studii budget`, for which little is read.
SERVER_BUDGET = Topic(
    "budget",
    "💳",
    lazy("Server budget"),
    load_budget,
    [BUDGET, TIMEZONE],
    links=_restarts,
    back="credits",
    colour=_colour,
)


# What each member may spend and start


def _allow(whose: AllowanceScope, session: Any, scope: Scope, subject: int, amount: int | None) -> None:
    limits.set_allowance(session, scope.guild_id, whose, subject, amount)


def _each(now: Now, amount: int) -> str:
    return each_period_words(amount, now.row.budget.settings.budget_period)


EVERYONES = lazy("Everyone's allowance")


def _default_line(now: Now) -> str:
    default = now.row.limits.default
    return named_value(f"**{EVERYONES}**", str(NO_LIMIT) if default is None else _each(now, default))


def _allowances(
    name: str, title: Worded, label: Worded, form: str, whose: AllowanceScope, control: Any
) -> Setting:
    """Return the setting of the allowances that roles, or members, have of their own."""

    def read(row_: Any) -> dict[str, int]:
        amounts = row_.limits.roles if whose is AllowanceScope.ROLE else row_.limits.own
        return {str(one): amount for one, amount in sorted(amounts.items())}

    def line(now: Now) -> str:
        listed = [named_value(form.format(one), _each(now, amount)) for one, amount in read(now.row).items()]
        head = f"**{title}**" if listed else named_value(f"**{title}**", pgettext("allowances", "none"))
        return lines(head, *fitting(listed, MAX_ALLOWANCES_CHARACTERS, more_words))

    kind = Items(
        lambda _now, _value: [
            labelled(label, control(custom_id="who")),
            labelled(
                lazy("Credits per period"),
                ui.TextInput(custom_id="credits", max_length=12),
                lazy("A whole number from {least} to {most}.", least=0, most=MAX_BUDGET),
            ),
        ],
        lambda session, scope, values: _allow(
            whose, session, scope, int(values["who"][0]), number_in(values["credits"], 0, MAX_BUDGET)
        ),
        lambda session, scope, subject: _allow(whose, session, scope, int(subject), None),
        lambda _catalog, one, amount: named_value(form.format(one), credit_words(amount)),
        control=control,
    )
    return Setting(name, title, kind, read=read, line=line)


def _rate_fields(_now: Now, value: list[int] | None) -> list[ui.Item[Any]]:
    starts, minutes = (None, 10) if value is None else (str(value[0]), value[1] // 60)
    return [
        labelled(
            lazy("Jobs"),
            ui.TextInput(custom_id="starts", default=starts, required=False, max_length=4),
            lazy("How many a member can start in that time; leave empty for no limit"),
        ),
        labelled(lazy("Minutes"), ui.TextInput(custom_id="minutes", default=str(minutes), max_length=6)),
    ]


def _rate_read(values: Mapping[str, Any]) -> list[int] | None:
    if not (values["starts"] or "").strip():
        return None
    minutes = number_in(values["minutes"], 1, MAX_SECONDS // 60)
    return [number_in(values["starts"], 1, MAX_AT_ONCE), 60 * minutes]


def _set_limit(session: Any, scope: Scope, name: str, value: Any) -> None:
    starts, seconds = value if name == "rate" and value else (None, None)
    changes = {"jobs_at_once": value} if name == "at_once" else {"starts": starts, "starts_seconds": seconds}
    settings.change(session, scope.guild_id, **changes)


class _Granted(ValueKind):
    """A member's id, or 0 for the server, and the credits that were granted, or taken back. For the log."""

    def changed(self, catalog: Catalog, title: Worded, before: Value, after: Value) -> Worded:
        member, amount = after
        whose = f"<@{member}>" if member else str(BUDGET.title)
        said = ADDED if amount > 0 else REMOVED
        return said.using(name=title, items=named_value(whose, credit_words(abs(amount))))


def grant(session: Any, scope: Scope, member: int | None, amount: int) -> None:
    """Grant credits for this period to a member, or to the server, and let the log channel know."""
    limits.grant(session, scope.guild_id, member, amount, scope.at)
    note_changes(session, scope, CREDITS, {}, {"granted": [member or 0, amount]})


# The panel


CREDITS = Topic(
    "credits",
    "💳",
    lazy("Credits"),
    _load,
    [
        BUDGET,
        TIMEZONE,
        Setting(
            "confirm_above",
            lazy("Price to confirm"),
            a_number(lazy("Credits"), 1, MAX_BUDGET, credit_words, plazy("no price", "ask no one")),
            lazy("People are asked before a job that costs more"),
            read=lambda row_: row_.budget.settings.confirm_above,
            write=lambda session, scope, value: settings.change(session, scope.guild_id, confirm_above=value),
        ),
        Setting(
            "default",
            EVERYONES,
            a_number(lazy("Credits per period"), 0, MAX_BUDGET, credit_words, NO_LIMIT),
            read=lambda row_: row_.limits.default,
            write=lambda session, scope, value: _allow(AllowanceScope.MEMBERS, session, scope, 0, value),
            line=_default_line,
        ),
        _allowances(
            "roles",
            lazy("Roles (the highest applies)"),
            lazy("Role"),
            "<@&{}>",
            AllowanceScope.ROLE,
            ui.RoleSelect,
        ),
        _allowances(
            "own",
            lazy("Members with their own allowance"),
            lazy("Member"),
            "<@{}>",
            AllowanceScope.MEMBER,
            ui.UserSelect,
        ),
        Setting(
            "at_once",
            lazy("Simultaneous jobs"),
            a_number(lazy("Jobs"), 1, MAX_AT_ONCE, str, NO_LIMIT),
            lazy("How many jobs a member can run at once"),
            read=lambda row_: row_.limits.at_once,
        ),
        Setting(
            "rate",
            lazy("Start rate"),
            Entered(
                _rate_fields,
                _rate_read,
                lambda value: NO_LIMIT if value is None else StartRate(*value).words,
            ),
            lazy("How many jobs a member can start within some minutes"),
            read=lambda row_: row_.limits.rate and [row_.limits.rate.starts, row_.limits.rate.seconds],
        ),
        Setting("granted", lazy("Extra credits"), _Granted(), read=lambda _row: None),
    ],
    _set_limit,
    steps=lambda now: gauge(now.seen, now.row.budget),
    look=lambda _interaction, row_: gauge_of(row_.budget),
    files=lambda now: now.seen,
    notes=lambda _now: [lazy("Allowances renew with the server's budget and can't exceed it.")],
    # One row for all: a message has no room for more.
    links=lambda now: [row(usage.of(Span.DAYS_30.value), ledger.of(EVER), backs("setup")), *_restarts(now)],
    colour=_colour,
)


# What is left for a member, and grants


_USED_BY_YOU = (
    lazy("**You**: {credits} spent"),
    lazy("**You**: {credits} spent, {reserved} reserved for unfinished jobs"),
)
MAX_LISTED_ALLOWANCES, MAX_LISTED_CHARACTERS = 15, 2000
_CREDITS_FROM: Mapping[AllowanceScope, Message] = {
    AllowanceScope.MEMBER: lazy("their own allowance: {credits}"),
    AllowanceScope.ROLE: lazy("the highest of their roles' allowances: {credits}"),
    AllowanceScope.MEMBERS: lazy("everyone's allowance: {credits}"),
}


def credits_panel(
    member: MemberState,
    recent: Sequence[Job],
    catalog: Catalog,
    deleted: Collection[str],
    files: Sequence[discord.File],
) -> Panel:
    """Return what is left, what the member has used, and the member's latest jobs. `deleted` are the ids of
    those whose results are no longer in Discord, and `files` what `gauge_of` has drawn."""
    return boxed(
        BAD if member.budget.left <= 0 else NEUTRAL,
        f"### 💳 {_('Server credits')}",
        *gauge(files, member.budget),
        lines(
            budget_lines(member.budget),
            _used(member.use.usage, _USED_BY_YOU),
            *own_limits(member),
            small(DEFAULT_HOLDS) if member.budget.is_default else "",
        ),
        ui.Separator(),
        lines(
            f"**{_('Your latest jobs')}**",
            *(job_line(job, catalog, deleted=job.id in deleted) for job in recent),
        )
        if recent
        else _("You haven't made anything here yet. Type `/` and pick a tool."),
        small(_("`/help` shows what each tool costs.")),
    )


def own_limits(limits: MemberState) -> list[str]:
    """Return the limits that the member has besides the server's budget, a line each."""
    others = ["" if limits.limits.at_once is None else _running(limits), _rate(limits)]
    if limits.whole is None or limits.left is None:
        return others
    # Translators: what is left is, for example, “3 of 100 credits left today”.
    words = _("**Your allowance**: {left}. It renews with the server's budget.", left=limits.left_words)
    if limits.use.grants:
        words = _(
            "**Your allowance**: {left}, {granted} of it granted. It renews with the server's budget.",
            left=limits.left_words,
            granted=limits.use.grants,
        )
    return [words, *others]


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


def grant_panel(budget: BudgetState, members: Mapping[int, int], *, granted_now: int) -> Panel:
    """Return what is granted for this period, also to members. `granted_now` is as in `member_panel`."""
    return boxed(
        NEUTRAL,
        # Translators: {period} is such as "for today".
        f"### 🎁 {_('Granted {period}', period=budget.for_words)}",
        _given(granted_now, budget),
        _server_grants(budget),
        _listed(_("Members (on top of their allowance)"), "<@{}>", members),
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
        small(
            ""
            if granted_now
            else _("To add credits, use `/studii grant` with `credits`, and with `member` for one member.")
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
