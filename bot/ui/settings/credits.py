"""`/studii credits`: the budget, allowances, prices to confirm, and where the credits went."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import discord
from discord import ui

from bot.credits import budgets, limits
from bot.credits.budgets import MAX_BUDGET, BudgetState
from bot.credits.limits import MAX_AT_ONCE, MAX_SECONDS, AllowanceScope, MemberLimits, StartRate
from bot.credits.usage import Span
from bot.domain.guilds import Period
from bot.features.wording import PERIOD_CHOICES, credit_words, discord_timestamp, each_period_words
from bot.languages import Message, Worded, gettext, gettext as _, lazy, nlazy, pgettext, plazy, sentences
from bot.servers import settings
from bot.ui.admin.credits import DEFAULT_HOLDS, budget_lines
from bot.ui.admin.usage import EVER, ledger, usage
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import BAD, NEUTRAL, Piece, fitting, lines, more_words, named_value, row, small
from bot.ui.panels.controls import Press, admin, button
from bot.ui.panels.settings import (
    Also,
    Entered,
    Items,
    Now,
    Scope,
    Setting,
    Topic,
    a_number,
    number_in,
    update,
)

MAX_ALLOWANCES_CHARACTERS = 900  # of a list of them
NO_LIMIT = plazy("no limit to a number", "no limit")


@dataclass(frozen=True, slots=True)
class CreditsRow:
    """Everything that the panel shows."""

    budget: BudgetState
    limits: MemberLimits


def load(session: Any, scope: Scope) -> CreditsRow:
    return CreditsRow(
        budgets.state(session, scope.guild_id, scope.at), limits.of_server(session, scope.guild_id)
    )


# The budget


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
    budget = row_.budget.settings.budget
    return {"limit": budget.limit, "period": budget.period.value}


def _budget_line(now: Now) -> str:
    state: BudgetState = now.row.budget
    return lines(
        f"**{state.limit_words}**", budget_lines(state), small(DEFAULT_HOLDS) if state.is_default else ""
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


# What each member may spend and start


def _allow(whose: AllowanceScope, session: Any, scope: Scope, subject: int, amount: int | None) -> None:
    limits.set_allowance(session, scope.guild_id, whose, subject, amount)


def _each(now: Now, amount: int) -> str:
    return each_period_words(amount, now.row.budget.settings.budget.period)


def _default_line(now: Now) -> str:
    default = now.row.limits.default
    words = _("none; only the server's budget limits members") if default is None else _each(now, default)
    # Translators: {allowance} is such as "20 credits a day".
    return _("Everyone's allowance: **{allowance}**", allowance=words)


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


# The panel


@button("restart:{at}", label=lazy("Restart the total"), who=admin)
async def restart(press: Press, at: Literal["credits"]) -> None:
    """Let a one-off total begin again from zero."""
    await update(press, at, _restart)


def _restart(session: Any, scope: Scope) -> Message:
    budgets.set_budget(session, scope.guild_id, None, None, at=scope.at, restart=True)
    return lazy("The total starts again from zero.")


def _links(now: Now) -> list[Piece]:
    buttons: list[Piece] = [usage.of(Span.DAYS_30.value), ledger.of(EVER)]
    if now.row.budget.window.end is None:
        buttons.append(restart.of("credits"))
    return [row(*buttons)]


CREDITS = Topic(
    "credits",
    "💳",
    lazy("Credits"),
    load,
    [
        BUDGET,
        Setting(
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
        ),
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
            lazy("Everyone's allowance"),
            a_number(
                lazy("Credits per period"),
                0,
                MAX_BUDGET,
                credit_words,
                plazy("no limit to a number", "no limit"),
            ),
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
    ],
    _set_limit,
    notes=lambda _now: [lazy("Allowances renew with the server's budget and can't exceed it.")],
    links=_links,
    back="setup",
    colour=lambda now: BAD if now.row.budget.left <= 0 else NEUTRAL,
)
