"""A list of tools to choose from, and a button for each that opens its form."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.credits.prices import PriceTable, short_price
from bot.errors import Refused
from bot.features.styles import Style, misfit, usable
from bot.jobs.models import SourcePhoto
from bot.languages import gettext as _, lazy
from bot.ui.jobs.forms.fields import CHOICE_LENGTH, MAX_FORM_OPTIONS
from bot.ui.jobs.forms.open_form import begin, open_form, open_style_form, prices_for
from bot.ui.jobs.forms.tool_form import FormStart
from bot.ui.jobs.start import AS_USUAL, Terms
from bot.ui.kit.forms import OpenView
from bot.ui.kit.host import host_of
from bot.ui.kit.layout import NEUTRAL, box, button_rows, row, text
from bot.ui.kit.responses import answer
from bot.ui.kit.text import shortened
from bot.ui.panels.controls import Press, button
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import server_of

STYLE_EMOJI = "⭐"
OF_STYLE = "style:"  # the beginning of a choice's value, before the style's id; no slug has a colon
NO_TOOLS = lazy("No tool here takes a photo.")
# Translators: the summary is what a tool does.
WITHOUT_PICTURE = lazy("Doesn't use this picture: {summary}")
MAX_TOOL_BUTTONS = 25  # of tools in a message, whose 40 components also hold their rows and the words
LABEL_LENGTH = 80


async def choose(
    interaction: discord.Interaction,
    pictures: Sequence[SourcePhoto],
    words: str,
    terms: Terms = AS_USUAL,
    *,
    others: bool = False,
) -> None:
    """Let the person choose a tool for these pictures, shown to them alone; then ask, as a form does.

    `others`: also offer tools that take no picture, after those that do; they say so. Then come the styles
    that the person can use on a picture.
    """
    all_tools = host_of(interaction).catalog.tools.values()
    tools = [tool for tool in all_tools if tool.source is not SourceRule.NONE]
    if others:
        tools += [tool for tool in all_tools if tool.source is SourceRule.NONE]
    if not tools:
        raise Refused(NO_TOOLS)
    styles, prices = await _styles_for(interaction, tools), await prices_for(interaction)
    await ToolPicker(tools, styles, words, prices, pictures, terms).show(interaction)


async def _styles_for(interaction: discord.Interaction, tools: Sequence[Tool]) -> list[Style]:
    """Return the styles that the person can use with these tools on a picture."""
    host, roles = host_of(interaction), member_context(interaction).roles
    slugs = {tool.slug for tool in tools if tool.source is not SourceRule.NONE}
    guild_id = server_of(interaction)
    found = await host.services.db.read(usable, guild_id, interaction.user.id, roles)
    return [one for one in found if one.tool in slugs and not misfit(host.catalog, one)]


class ToolPicker(OpenView):
    """A list of tools and styles to choose from, for these pictures."""

    def __init__(
        self,
        tools: Sequence[Tool],
        styles: Sequence[Style],
        words: str,
        prices: PriceTable,
        pictures: Sequence[SourcePhoto],
        terms: Terms,
    ) -> None:
        super().__init__()
        self._prices = prices
        self._tools = {tool.slug: tool for tool in tools[:MAX_FORM_OPTIONS]}
        self._styles = {f"{OF_STYLE}{one.id}": one for one in styles[: MAX_FORM_OPTIONS - len(self._tools)]}
        self._pictures = pictures
        self._terms = terms
        self._select = ui.Select[Any](placeholder=_("Choose a tool"), options=self._options())
        self._select.callback = self._picked
        self.add_item(box(NEUTRAL, text(words), row(self._select)))

    async def show(self, interaction: discord.Interaction) -> None:
        """Answer the interaction with this list, for the person alone."""
        host_of(interaction).open_forms.add(self._select.custom_id, self)
        await answer(interaction, self)

    def _options(self) -> list[discord.SelectOption]:
        start = FormStart(prices=self._prices)
        return [
            discord.SelectOption(
                label=shortened(tool.title, CHOICE_LENGTH),
                value=tool.slug,
                description=shortened(f"{start.price(tool)} · {_summary(tool)}", CHOICE_LENGTH),
                emoji=tool.emoji,
            )
            for tool in self._tools.values()
        ] + [self._style_option(value, style) for value, style in self._styles.items()]

    def _style_option(self, value: str, style: Style) -> discord.SelectOption:
        tool = self._tools[style.tool]
        price = short_price(self._prices.of(tool, style.inputs))
        return discord.SelectOption(
            label=style.name,
            value=value,
            description=shortened(f"{price} · {tool.title}", CHOICE_LENGTH),
            emoji=STYLE_EMOJI,
        )

    async def _picked(self, interaction: discord.Interaction) -> None:
        value = self._select.values[0]
        if value in self._styles:
            await open_style_form(interaction, self._styles[value], self._pictures, self._terms)
        else:
            await begin(interaction, self._tools[value], self._pictures, self._terms, asking=True)


@button("tool:{tool}")
async def open_tool(press: Press, tool: str) -> None:
    """Open a tool's form."""
    await open_form(press.interaction, press.host.catalog.get(tool))


def tool_rows(tools: Sequence[Tool]) -> list[ui.ActionRow[Any]]:
    """Return rows with a button for each tool."""
    looks = [open_tool.looking(label=shortened(tool.title, LABEL_LENGTH), emoji=tool.emoji) for tool in tools]
    return button_rows([look.of(tool.slug) for look, tool in zip(looks, tools, strict=True)])


def _summary(tool: Tool) -> str:
    if tool.source is not SourceRule.NONE:
        return tool.summary
    return str(WITHOUT_PICTURE.using(summary=tool.summary))
