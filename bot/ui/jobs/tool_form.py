"""From a picture and a tool to a job: asks for what has to be asked, else starts at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import discord
from discord import ui

from bot.catalog import Catalog, SourceRule, Tool
from bot.clock import Clock
from bot.domain import Job, SourcePhoto
from bot.errors import Refused
from bot.services import AccessService
from bot.ui.jobs.start import JobStarter
from bot.ui.jobs.tool_modal import CHOICES, OPEN_FOR, ToolModal, Values, needs_form
from bot.ui.kit.clicks import Clicks
from bot.ui.kit.forms import Keeper, show_form
from bot.ui.kit.layout import NEUTRAL, box, row, text
from bot.ui.kit.responses import telling
from bot.ui.kit.text import shortened
from bot.ui.reading.attachments import ensure_taken
from bot.ui.reading.member import member_context

LABEL_LENGTH = 100  # characters; https://discord.com/developers/docs/components/reference#string-select
NO_TOOLS = "There is no tool here that takes a photo."
WITHOUT_PICTURE = "Does not use this picture:"


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a job beside what is asked for: who posted the photo, if that is known, whether its
    result is for the requester alone, inputs that the catalogue does not know, and the member's message that
    the photo stands in."""

    photo_author: int | None = None
    private: bool = False
    extra: Mapping[str, str] | None = None
    message_id: int | None = None


AS_USUAL = Terms()


class ToolForms:
    """Begins jobs whose picture is in Discord already. Whoever sends the interaction is the requester."""

    def __init__(self, starter: JobStarter, catalog: Catalog, clock: Clock, access: AccessService) -> None:
        self._starter = starter
        self._access = access
        self._catalog = catalog
        self._clock = clock
        self._clicks = Clicks(clock)
        self._told: list[Callable[[int, Job], None]] = []

    def tell_of_photos(self, told: Callable[[int, Job], None]) -> None:
        """`told` is called with a member's message whenever a job starts from the photo in it."""
        self._told.append(told)

    @property
    def now(self) -> datetime:
        """The time by the bot's clock."""
        return self._clock.now()

    async def begin(
        self,
        interaction: discord.Interaction[Any],
        tool: Tool,
        pictures: Sequence[SourcePhoto],
        terms: Terms = AS_USUAL,
    ) -> None:
        """Ask for the tool's inputs and for which picture; start at once when there is nothing to ask.

        A tool that takes no picture starts without one, and nobody's terms for it hold.
        """
        if tool.source is SourceRule.NONE:
            pictures, terms = (), replace(terms, photo_author=None)
        if needs_form(tool, pictures):
            await self.ask(interaction, tool, pictures, terms=terms)
            return
        source = pictures[0] if pictures else None
        await self.start(interaction, tool, {}, source, terms)

    async def ask(
        self,
        interaction: discord.Interaction[Any],
        tool: Tool,
        pictures: Sequence[SourcePhoto],
        prefilled: Values | None = None,
        terms: Terms = AS_USUAL,
    ) -> None:
        """Ask in any case; the form holds what was chosen before. Raises `Refused` if it is of no use."""

        async def submit(
            submitted: discord.Interaction[Any], values: Values, source: SourcePhoto | None
        ) -> None:
            await self.start(submitted, tool, values, source, terms)

        if interaction.guild_id is not None:
            await self._access.ensure(
                interaction.guild_id,
                interaction.user.id,
                member_context(interaction),
                tool.slug,
                photo_author=terms.photo_author,
                private=terms.private,
                extra=bool(terms.extra),
            )
        await self._starter.ensure_possible(interaction, tool)
        await show_form(interaction, ToolModal(tool, pictures, submit, prefilled))

    async def start(
        self,
        interaction: discord.Interaction[Any],
        tool: Tool,
        values: Values,
        source: SourcePhoto | None,
        terms: Terms = AS_USUAL,
    ) -> None:
        """Start the job; the same wish of the same person a moment later is a double click, and nothing."""
        taken = None if source is None else ensure_taken(source)
        # Discord may sign one photo's address anew each time that it tells of it.
        photo = None if source is None else urlsplit(source.url).path
        wish = (interaction.user.id, interaction.channel_id, tool.slug, tuple(values.items()), photo)
        async with self._clicks.once(wish) as first:
            if first:
                job = await self._starter.start(
                    interaction,
                    tool,
                    values,
                    taken,
                    photo_author=terms.photo_author,
                    private=terms.private,
                    extra=terms.extra,
                )
                if terms.message_id is not None and job.source is not None:
                    for told in self._told:
                        told(terms.message_id, job)
            else:
                await acknowledge(interaction)

    async def choose(
        self,
        interaction: discord.Interaction[Any],
        pictures: Sequence[SourcePhoto],
        words: str,
        terms: Terms = AS_USUAL,
        *,
        others: bool = False,
    ) -> None:
        """Let the person choose a tool for these pictures, shown to them alone.

        `others`: tools that take no picture are offered too, after those that do, and say so.
        """
        tools = [tool for tool in self._catalog.tools.values() if tool.source is not SourceRule.NONE]
        if others:
            tools += [tool for tool in self._catalog.tools.values() if tool.source is SourceRule.NONE]
        if not tools:
            raise Refused(NO_TOOLS)

        async def chosen(picked: discord.Interaction[Any], tool: Tool) -> None:
            await self.begin(picked, tool, pictures, terms)

        picker = ToolPicker(tools, words, chosen)
        cast(Keeper, interaction.client).open_forms.add(picker.custom_id, picker)
        await interaction.response.send_message(view=picker, ephemeral=True)


class ToolPicker(ui.LayoutView):
    """A list of tools; each showing is its own, and lasts as long as Discord lets it be answered."""

    def __init__(
        self,
        tools: Iterable[Tool],
        words: str,
        chosen: Callable[[discord.Interaction[Any], Tool], Awaitable[None]],
    ) -> None:
        super().__init__(timeout=OPEN_FOR)
        self._tools = {tool.slug: tool for tool in list(tools)[:CHOICES]}
        self._chosen = chosen
        self._select: ui.Select[Any] = ui.Select(placeholder="Choose a tool", options=self._options())
        self._select.callback = self._picked
        self.add_item(box(NEUTRAL, text(words), row(self._select)))

    @property
    def custom_id(self) -> str:
        """Of its list."""
        return self._select.custom_id

    def _options(self) -> list[discord.SelectOption]:
        return [
            discord.SelectOption(
                label=shortened(tool.title, LABEL_LENGTH),
                value=tool.slug,
                description=shortened(_summary(tool), LABEL_LENGTH),
                emoji=tool.emoji,
            )
            for tool in self._tools.values()
        ]

    async def _picked(self, interaction: discord.Interaction[Any]) -> None:
        async with telling(interaction):
            await self._chosen(interaction, self._tools[self._select.values[0]])


def _summary(tool: Tool) -> str:
    return f"{WITHOUT_PICTURE} {tool.summary}" if tool.source is SourceRule.NONE else tool.summary


async def acknowledge(interaction: discord.Interaction[Any]) -> None:
    """Say nothing, in a way that Discord does not take for a failure."""
    if interaction.type is discord.InteractionType.component:
        await interaction.response.defer()
    else:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.delete_original_response()
