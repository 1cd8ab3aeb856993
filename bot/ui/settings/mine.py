"""`/settings`: who can use a member's pictures, what the member prefers, and erasing their data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import discord
from discord import ui

from bot.catalog import Catalog, Tool, ToolInput
from bot.errors import Refused
from bot.features import styles
from bot.jobs import best_results
from bot.languages import Worded, gettext as _, lazy, ngettext, plazy, sentences
from bot.servers import access, privacy
from bot.ui.jobs.choosing import LABEL_LENGTH, own_inputs, prices_for
from bot.ui.jobs.forms import (
    CHOICE_LENGTH,
    FIELDS,
    MAX_FORM_OPTIONS,
    Field,
    FormStart,
    PriceOf,
    capitalised,
    choice,
    choice_field,
)
from bot.ui.jobs.wording import job_words, settings_words
from bot.ui.kit.answers import acknowledge, answer_in_place, read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    GOOD,
    UNSURE,
    Panel,
    Piece,
    boxed,
    button_rows,
    fitting,
    lines,
    more_words,
    named_value,
    row,
    shortened,
    small,
    text,
)
from bot.ui.panels.controls import Press, button
from bot.ui.panels.settings import STATE, Now, Scope, Setting, Topic, ValueKind, YesNo, turn_to, update
from bot.ui.reading.permissions import server_of

NAME = "settings"
USUAL = "—"  # the value of the choice of no default
MAX_BUTTONS = 15  # of tools, of the 40 components of a message
MAX_DEFAULTS_CHARACTERS = 1600  # for what is listed, of the 4,000 of a message
MAX_WORDS_CHARACTERS = 300  # about one tool
AS_USUAL_CHOICE = plazy("choice", "As usual")
DEFAULTS = lazy("Your defaults")
NONE = lazy("nothing set")
DEFAULTS_SET = lazy("Your defaults for {tool} are set.")
CLEARED = lazy("Your defaults for {tool} are cleared.")
PHOTO_USE = {
    True: lazy("Others can use the tools on photos you post, within the rules of each server."),
    False: lazy("No one else can use the tools on your photos, in any server with this bot."),
}
STARRED = {
    True: lazy(
        "Results that members star with ⭐ can be shown in a server's channel for the best, with your name. "
        "They are removed from there when you change this, delete them, or erase your data."
    ),
    False: lazy(
        "Your results aren't shown in a server's channel for the best, even if members star them with ⭐."
    ),
}
Where = Literal["ask", "here", "everywhere", "not"]
LABELS: Mapping[Where, Worded] = {
    "here": plazy("button", "Erase in this server"),
    "everywhere": plazy("button", "Erase in every server"),
    "not": plazy("button", "Keep my data"),
}
# Without jobs, and with some.
_ERASED_HERE = (
    lazy("Your data in this server is erased. You had no jobs to erase."),
    # Translators: “jobs” is, for example, “3 jobs”.
    lazy("Your data in this server is erased: prompts, links and pictures of {jobs}."),
)
_ERASED_EVERYWHERE = (
    lazy("Your data in every server is erased. You had no jobs to erase."),
    # Translators: “jobs” is, for example, “3 jobs”.
    lazy("Your data in every server is erased: prompts, links and pictures of {jobs}."),
)

Defaults = Mapping[str, Mapping[str, str]]  # by tool


@dataclass(frozen=True, slots=True)
class Mine:
    """What the panel shows."""

    photos: bool
    starred: bool
    defaults: Defaults


def _load(session: Any, scope: Scope) -> Mine:
    agreed = session.get(best_results.BestConsent, scope.user_id)
    preferred = styles.preferred(session, scope.catalog, [scope.guild_id], [scope.user_id])
    return Mine(
        not access.refusing_photos(session, [scope.user_id]),
        bool(agreed and agreed.agreed),
        {tool: inputs for (_, _, tool), inputs in preferred.items() if inputs},
    )


def settable(tool: Tool) -> list[ToolInput]:
    """Return the inputs of a tool that a member can prefer."""
    return [one for one in tool.inputs if not one.long]


class _Preferred(ValueKind):
    """What a member prefers, with a button for each form of each tool: one has room for five inputs."""

    def changed(self, catalog: Catalog, title: Worded, before: Defaults, after: Defaults) -> Worded:
        titles = {slug: catalog.get(slug).title for slug in {**before, **after}}
        said = {slug: DEFAULTS_SET if after.get(slug) else CLEARED for slug in titles}
        return sentences(*(said[slug].using(tool=title) for slug, title in titles.items()))

    def pieces(self, setting: Setting, line: str, now: Now, value: Defaults) -> list[Piece]:
        tools = [tool for tool in now.catalog.tools.values() if settable(tool)]
        buttons = [
            prefer.looking(label=_label(tool, part), emoji=tool.emoji).of(tool.slug, part or None)
            for tool in tools
            for part in range((len(settable(tool)) - 1) // FIELDS + 1)
        ][:MAX_BUTTONS]
        words = [_tool_words(tool, value.get(tool.slug, {})) for tool in tools]
        said = fitting(words, MAX_DEFAULTS_CHARACTERS, more_words, MAX_BUTTONS)
        return [
            text(
                lines(
                    line,
                    *said,
                    small(
                        lazy(
                            "Used in this server for inputs that you leave out: in commands, forms and "
                            "mentions, and under photos. Your own inputs come first, then a style's, then "
                            "these. An emoji's inputs count as your own."
                        )
                    ),
                )
            ),
            *button_rows(buttons),
        ]


def _label(tool: Tool, part: int) -> str:
    return shortened(tool.title, LABEL_LENGTH - 4) + (f" ({part + 1})" if part else "")


def _tool_words(tool: Tool, inputs: Mapping[str, str]) -> str:
    words = settings_words(tool, inputs)
    shown = words
    if len(words) > MAX_WORDS_CHARACTERS:
        shown = ngettext("{count} input", "{count} inputs", len(inputs))
    return f"- {tool.emoji} {named_value(f'**{tool.title}**', shown or str(NONE))}"


def _field(one: ToolInput, own: str | None, price_of: PriceOf) -> Field:
    """Return the field for an input; what the person prefers is chosen, or that they prefer nothing."""
    if not one.suggestions:
        return ui.TextInput(custom_id=one.name, default=own, required=False, max_length=one.max_length)
    offered = list(one.suggestions[: MAX_FORM_OPTIONS - 2])
    if own and own not in offered:
        offered.append(own)
    usual = (
        str(AS_USUAL_CHOICE) if one.default is None else _("As usual: {value}", value=one.shown(one.default))
    )
    labels = {USUAL: shortened(usual, CHOICE_LENGTH)}
    labels |= {value: choice(one, value, price_of(value)) for value in offered}
    return choice_field(one.name, labels, own or USUAL, required=True)


@button("defaults:{tool}[:{part}]")
async def prefer(press: Press, tool: str, part: int | None = None) -> None:
    """Show the form with the person's defaults for a tool."""
    its, first = press.host.catalog.get(tool), (part or 0) * FIELDS
    if not (shown := settable(its)[first : first + FIELDS]):
        raise Refused(lazy("{tool} has no inputs to set.", tool=its.title))
    own = await own_inputs(press.interaction, its)
    start = FormStart(prices=await read_before_form(press.interaction, prices_for(press.interaction)))
    fields = [
        labelled(
            capitalised(one.title),
            _field(one, own.get(one.name), partial(start.price_with, its, one)),
            one.description,
        )
        for one in shown
    ]
    await press.ask(_("{tool}: your defaults", tool=its.title), *fields)


@prefer.submitted
async def preferred(press: Press, tool: str, part: int | None = None) -> None:
    """Take what was chosen in the form. Inputs that aren't in it keep their values."""
    its = press.host.catalog.get(tool)
    values: dict[str, str | list[str] | None] = press.values
    chosen = {name: one[0] if isinstance(one, list) else one for name, one in values.items()}
    given = {name: "" if one is None or one == USUAL else one for name, one in chosen.items()}

    def change(session: Any, scope: Scope) -> None:
        own = styles.default_inputs(session, scope.guild_id, scope.user_id, its)
        styles.set_defaults(session, scope.guild_id, scope.user_id, its, {**own, **given})

    await update(press, NAME, change)


# Erasing


def ask_to_forget_me(here: int, everywhere: int) -> Panel:
    """Return the question before the data of that many jobs is erased, with a button for each way."""
    if not everywhere:
        count = _(
            "You have no jobs to erase, in any server. Your styles, defaults and grants can still be erased."
        )
    elif not here:
        # Translators: “everywhere” is, for example, “3 jobs”.
        count = _(
            "You have no jobs to erase in this server, and **{everywhere}** in every server with this bot.",
            everywhere=job_words(everywhere),
        )
    else:
        # Translators: “here” and “everywhere” are, for example, “3 jobs”.
        count = _(
            "Your data here: **{here}** in this server, **{everywhere}** in every server with this bot.",
            here=job_words(here),
            everywhere=job_words(everywhere),
        )
    return boxed(
        UNSURE,
        lines(f"### 🧹 {_('Erase your data?')}", count),
        ui.Separator(),
        lazy(
            "**Erased:** your prompts, inputs, links and kept pictures, these jobs in your "
            "`/jobs`, your own styles and defaults, and the language stored for you. Running "
            "jobs are erased when they're done. Your results in channels for the best are "
            "removed, and links to those stop working."
        ),
        lazy(
            "**Stays:** the cost of your jobs in the server's totals; your name is removed from "
            "it when the budget's period ends. Limits and blocks that admins set for you, and "
            "whether others can use your photos. The server's styles, without your name and your "
            "pictures. Results in channels, and links to them, until you delete them there. Your "
            "data at Studii."
        ),
        small(_("This can't be undone.")),
        row(*(_erases(where, said) for where, said in LABELS.items())),
    )


def _erases(where: Where, label: Worded) -> ui.Button[Any]:
    style = discord.ButtonStyle.secondary if where == "not" else discord.ButtonStyle.danger
    return forget_me.looking(label=label, style=style).of(where)


def forgotten_panel(now: int, later: int, where: str) -> Panel:
    """Return of how many jobs something was erased, and will be."""
    words = (_ERASED_HERE if where == "here" else _ERASED_EVERYWHERE)[now > 0]
    running = _("Still running, and erased when done: {jobs}.", jobs=job_words(later)) if later else ""
    stays = _("Messages in channels and your data at Studii stay. Delete them there.")
    return boxed(GOOD, sentences(words.using(jobs=job_words(now)), running, stays))


@button("forgetme:{where}", label=lazy("Erase my data…"), style=discord.ButtonStyle.danger)
async def forget_me(press: Press, where: Where) -> None:
    """Ask what to erase of the presser's own data, erase it, or keep it."""
    interaction, resources = press.interaction, press.host.resources
    guild_id, user_id = server_of(interaction), interaction.user.id
    if where == "ask":
        erasable = await resources.db.read(privacy.erasable, user_id, guild_id)
        await answer_in_place(interaction, ask_to_forget_me(*erasable))
    elif where == "not":
        await turn_to(press, NAME, said=[lazy("Nothing was erased.")])
    else:
        await acknowledge(interaction)
        press.host.readers.forget(user_id)
        there = guild_id if where == "here" else None
        now = press.host.clock.now()
        erased = await privacy.erase_member(resources.db, resources.discard, user_id, now, there)
        await interaction.edit_original_response(view=forgotten_panel(*erased, where))


def _yes_no(
    name: str, title: Worded, about: Mapping[bool, Worded], write: Callable[[Any, Scope, bool], object]
) -> Setting:
    def line(now: Now) -> str:
        on = getattr(now.row, name)
        return lines(named_value(f"**{title}**", str(STATE[on])), small(about[on]))

    return Setting(name, title, YesNo(), line=line, write=write)


MINE = Topic(
    NAME,
    "⚙️",
    lazy("Your settings"),
    _load,
    [
        _yes_no(
            "photos",
            lazy("Others can use your photos"),
            PHOTO_USE,
            lambda session, scope, on: access.refuse_photos(session, scope.user_id, scope.at, refuses=not on),
        ),
        _yes_no(
            "starred",
            lazy("Your starred results are shown"),
            STARRED,
            lambda session, scope, on: best_results.answer(session, scope.user_id, scope.at, agreed=on),
        ),
        Setting("defaults", DEFAULTS, _Preferred(), line=lambda _now: f"**{DEFAULTS}**"),
    ],
    notes=lambda _now: [
        lazy(
            "The bot also keeps your jobs (`/jobs`), and your styles (`/styles`) and defaults in each "
            "server. *Erase my data…* asks what to erase."
        )
    ],
    links=lambda _now: [row(forget_me.of("ask"))],
    personal=True,
)
