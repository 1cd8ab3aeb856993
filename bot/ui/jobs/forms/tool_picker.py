"""A list of tools to choose from, and a button for each that opens its form."""

from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.credits.prices import PriceTable, short_price
from bot.errors import Refused
from bot.features.styles import Style, misfit, usable
from bot.jobs.models import SourcePhoto
from bot.languages import gettext as _, lazy
from bot.ui.jobs.forms.open_form import begin, open_form, open_style_form, prices_for
from bot.ui.jobs.forms.tool_form import CHOICE_LENGTH, MAX_FORM_OPTIONS, FormStart
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
    by_slug = {tool.slug: tool for tool in tools[:MAX_FORM_OPTIONS]}
    styles = await _styles_for(interaction, tools)
    by_id = {f"{OF_STYLE}{one.id}": one for one in styles[: MAX_FORM_OPTIONS - len(by_slug)]}

    async def picked(picking: discord.Interaction) -> None:
        value = select.values[0]
        if value in by_id:
            await open_style_form(picking, by_id[value], pictures, terms)
        else:
            await begin(picking, by_slug[value], pictures, terms, asking=True)

    options = choices_of(by_slug, by_id, await prices_for(interaction))
    select = ui.Select[Any](placeholder=_("Choose a tool"), options=options)
    view = OpenView(box(NEUTRAL, text(words), row(select)), select, picked)
    host_of(interaction).open_forms.add(select.custom_id, view)
    await answer(interaction, view)


def choices_of(
    tools: Mapping[str, Tool], styles: Mapping[str, Style], prices: PriceTable
) -> list[discord.SelectOption]:
    """Return the choices of tools by slug and styles by value, with what each costs."""
    start = FormStart(prices=prices)
    return [
        discord.SelectOption(
            label=shortened(tool.title, CHOICE_LENGTH),
            value=slug,
            description=shortened(f"{start.price(tool)} · {_summary(tool)}", CHOICE_LENGTH),
            emoji=tool.emoji,
        )
        for slug, tool in tools.items()
    ] + [
        discord.SelectOption(
            label=one.name,
            value=value,
            description=shortened(
                f"{short_price(prices.of(tools[one.tool], one.inputs))} · {tools[one.tool].title}",
                CHOICE_LENGTH,
            ),
            emoji=STYLE_EMOJI,
        )
        for value, one in styles.items()
    ]


async def _styles_for(interaction: discord.Interaction, tools: Sequence[Tool]) -> list[Style]:
    """Return the styles that the person can use with these tools on a picture."""
    host, roles = host_of(interaction), member_context(interaction).roles
    slugs = {tool.slug for tool in tools if tool.source is not SourceRule.NONE}
    guild_id = server_of(interaction)
    found = await host.services.db.read(usable, guild_id, interaction.user.id, roles)
    return [one for one in found if one.tool in slugs and not misfit(host.catalog, one)]


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
