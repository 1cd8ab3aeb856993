"""`/defaults`: the inputs that a member prefers for each tool, shown and changed in a form for each."""

from collections.abc import Mapping
from functools import partial

import discord
from discord import ui

from bot.catalog import Catalog, Tool, ToolInput
from bot.credits.prices import PriceTable
from bot.errors import Refused
from bot.features import styles
from bot.languages import and_list, gettext as _, lazy, ngettext, plazy
from bot.ui.jobs.forms.fields import (
    CHOICE_LENGTH,
    FIELDS,
    MAX_FORM_OPTIONS,
    Field,
    PriceOf,
    capitalised,
    choice,
    choice_field,
    value_of,
)
from bot.ui.jobs.forms.open_form import own_inputs, prices_for
from bot.ui.jobs.forms.tool_form import FormStart
from bot.ui.jobs.forms.tool_picker import LABEL_LENGTH, MAX_TOOL_BUTTONS
from bot.ui.jobs.wording import settings_words
from bot.ui.kit.buttons import ToolButton
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, boxed, button_rows, lines, small
from bot.ui.kit.responses import answer
from bot.ui.kit.text import named_value, shortened
from bot.ui.reading.permissions import server_of

USUAL = "—"  # the value of the choice of no default
NONE = lazy("nothing set")
DEFAULTS_SET = lazy("Your defaults for {tool} are set.")
CLEARED = lazy("Your defaults for {tool} are cleared.")
NOTHING = lazy("{tool} has no inputs to set.")
MAX_WORDS_CHARACTERS = 300  # about one tool, of the 4,000 of a message


def settable(tool: Tool) -> list[ToolInput]:
    """Return the inputs of a tool that a member can prefer."""
    return [one for one in tool.inputs if not one.long]


def defaults_panel(catalog: Catalog, own: Mapping[str, Mapping[str, str]], changed: str) -> Panel:
    """Return what a member prefers, with a button for each tool that has anything to prefer."""
    tools = [tool for tool in catalog.tools.values() if settable(tool)][:MAX_TOOL_BUTTONS]
    said = [_tool_words(tool, own.get(tool.slug, {})) for tool in tools]
    buttons = [DefaultsButton(tool.slug, shortened(tool.title, LABEL_LENGTH), tool.emoji) for tool in tools]
    done = f"✅ {changed}" if changed else ""
    title = _("Your defaults")
    return boxed(
        GOOD if changed else NEUTRAL,
        lines(f"### ⚙️ {title}", done),
        lines(*said),
        small(
            lazy(
                "Used in this server for inputs that you leave out: in commands, forms and "
                "mentions, and under photos. Your own inputs come first, then a style's, then "
                "these. An emoji's inputs count as your own."
            )
        ),
        *button_rows(buttons),
    )


async def show_defaults(interaction: discord.Interaction, changed: str = "") -> None:
    """Answer with what the person prefers, for them alone."""
    host = host_of(interaction)
    own = await host.services.db.read(
        styles.defaults_of, host.catalog, server_of(interaction), interaction.user.id
    )
    await answer(interaction, defaults_panel(host.catalog, own, changed))


async def set_default(interaction: discord.Interaction, tool: Tool, name: str, value: str | None) -> None:
    """Set one of the person's defaults, or clear it (None), and show them all. Raises `Refused`."""
    one = next((one for one in settable(tool) if one.name == name), None)
    if one is None:
        names = and_list([f"`{one.name}`" for one in settable(tool)])
        if not names:
            raise Refused(NOTHING.using(tool=tool.title))
        raise Refused(
            lazy(
                "{tool} has no input “{input}” to set. It has {names}. Nothing was changed.",
                tool=tool.title,
                input=shortened(name, 40),
                names=names,
            )
        )
    value = None if value is None else one.meant(value)
    host, guild_id, user_id = host_of(interaction), server_of(interaction), interaction.user.id
    db = host.services.db
    own = await db.read(styles.default_inputs, guild_id, user_id, tool)
    inputs = {**own, name: value or ""}
    await db.write(styles.set_defaults, guild_id, user_id, tool, inputs)
    said = DEFAULTS_SET if any(inputs.values()) else CLEARED
    await show_defaults(interaction, str(said.using(tool=tool.title)))


async def open_defaults_form(interaction: discord.Interaction, tool: Tool) -> None:
    """Show the form with the person's defaults for a tool."""
    if not settable(tool):
        raise Refused(NOTHING.using(tool=tool.title))
    own = {name: value for name, value in (await own_inputs(interaction, tool)).items() if value is not None}
    prices = await read_before_form(interaction, prices_for(interaction))
    await DefaultsForm(tool, own, prices).show(interaction)


class DefaultsForm(Form):
    """Asks which inputs of a tool the person prefers: as many as have room. Others keep their values."""

    def __init__(self, tool: Tool, own: Mapping[str, str], prices: PriceTable) -> None:
        super().__init__(shortened(_("{tool}: your defaults", tool=tool.title), 45))
        self._tool = tool
        self._own = own
        shown = settable(tool)[:FIELDS]
        start = FormStart(prices=prices)
        self._fields = {
            one.name: _field(one, own.get(one.name), partial(start.price_with, tool, one)) for one in shown
        }
        for one in shown:
            self.add_field(capitalised(one.title), self._fields[one.name], one.description)

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        given = {name: value_of(field) or USUAL for name, field in self._fields.items()}
        inputs = {name: value for name, value in {**self._own, **given}.items() if value != USUAL}
        guild_id, user_id = server_of(interaction), interaction.user.id
        await host.services.db.write(styles.set_defaults, guild_id, user_id, self._tool, inputs)
        said = DEFAULTS_SET if inputs else CLEARED
        await show_defaults(interaction, str(said.using(tool=self._tool.title)))


class DefaultsButton(ToolButton, action="defaults"):
    """Show the form with the presser's defaults for a tool."""

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await open_defaults_form(interaction, host.catalog.get(self.slug))


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
        str(plazy("choice", "As usual"))
        if one.default is None
        else _("As usual: {value}", value=one.shown(one.default))
    )
    labels = {USUAL: shortened(usual, CHOICE_LENGTH)}
    labels |= {value: choice(one, value, price_of(value)) for value in offered}
    return choice_field(one.name, labels, own or USUAL, required=True)
