"""A list of tools to choose from, and a button for each that opens its form."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Self

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.domain import SourcePhoto
from bot.errors import Refused
from bot.services import PriceTable
from bot.ui.jobs.form_fields import CHOICE_LENGTH, CHOICES
from bot.ui.jobs.start import AS_USUAL, Terms, begin, open_form, prices_for
from bot.ui.jobs.tool_form import FormStart
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.forms import OpenView
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import NEUTRAL, box, row, text
from bot.ui.kit.text import shortened

NO_TOOLS = "No tool here takes a photo."
WITHOUT_PICTURE = "Doesn't use this picture:"
BUTTONS_IN_A_ROW = 5
MAX_TOOL_BUTTONS = 25  # of tools in a message, whose 40 components also hold their rows and the words
LABEL_LENGTH = 80


async def choose(
    interaction: discord.Interaction[Any],
    pictures: Sequence[SourcePhoto],
    words: str,
    terms: Terms = AS_USUAL,
    *,
    others: bool = False,
) -> None:
    """Let the person choose a tool for these pictures, shown to them alone; then ask, as a form does.

    `others`: also offer tools that take no picture, after those that do; they say so.
    """
    all_tools = host_of(interaction).catalog.tools.values()
    tools = [tool for tool in all_tools if tool.source is not SourceRule.NONE]
    if others:
        tools += [tool for tool in all_tools if tool.source is SourceRule.NONE]
    if not tools:
        raise Refused(NO_TOOLS)

    async def chosen(picked: discord.Interaction[Any], tool: Tool) -> None:
        await begin(picked, tool, pictures, terms, asking=True)

    await ToolPicker(tools, words, chosen, await prices_for(interaction)).show(interaction)


class ToolPicker(OpenView):
    """A list of tools to choose from."""

    def __init__(
        self,
        tools: Iterable[Tool],
        words: str,
        chosen: Callable[[discord.Interaction[Any], Tool], Awaitable[None]],
        prices: PriceTable | None = None,
    ) -> None:
        super().__init__()
        self._prices = prices
        self._tools = {tool.slug: tool for tool in list(tools)[:CHOICES]}
        self._chosen = chosen
        self._select: ui.Select[Any] = ui.Select(placeholder="Choose a tool", options=self._options())
        self._select.callback = self._picked
        self.add_item(box(NEUTRAL, text(words), row(self._select)))

    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction with this list, for the person alone."""
        host_of(interaction).open_forms.add(self._select.custom_id, self)
        await interaction.response.send_message(view=self, ephemeral=True)

    def _options(self) -> list[discord.SelectOption]:
        return [
            discord.SelectOption(
                label=shortened(tool.title, CHOICE_LENGTH),
                value=tool.slug,
                description=shortened(_described(self._price(tool), tool), CHOICE_LENGTH),
                emoji=tool.emoji,
            )
            for tool in self._tools.values()
        ]

    def _price(self, tool: Tool) -> str:
        return FormStart(prices=self._prices).price(tool)

    async def _picked(self, interaction: discord.Interaction[Any]) -> None:
        await self._chosen(interaction, self._tools[self._select.values[0]])


def _described(price: str, tool: Tool) -> str:
    return f"{price} · {_summary(tool)}" if price else _summary(tool)


class ToolButton(LastingButton, template=r"studii:tool:(?P<tool>[a-z0-9_-]{1,32})"):
    """Open a tool's form."""

    def __init__(self, slug: str, label: str = "", emoji: str | None = None) -> None:
        self._slug = slug
        super().__init__(ui.Button(label=label, emoji=emoji, custom_id=f"studii:tool:{slug}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(match["tool"])

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await open_form(interaction, host.catalog.get(self._slug))


def tool_rows(tools: Sequence[Tool]) -> list[ui.ActionRow[Any]]:
    """Return rows with a button for each tool."""
    buttons = [ToolButton(tool.slug, shortened(tool.title, LABEL_LENGTH), tool.emoji) for tool in tools]
    return [row(*buttons[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(buttons), BUTTONS_IN_A_ROW)]


def _summary(tool: Tool) -> str:
    return f"{WITHOUT_PICTURE} {tool.summary}" if tool.source is SourceRule.NONE else tool.summary
