"""From a person's request to a job and its card, by way of a form if there is anything to ask.

The person who sends the interaction is the requester, and pays.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.catalog import SourceRule, Tool
from bot.domain import JobRequest, SourcePhoto
from bot.errors import Refused
from bot.ui.jobs.first_card import show_card
from bot.ui.jobs.tool_form import ToolForm, ToolPicker, Values, needs_form
from bot.ui.kit.deferral import in_time
from bot.ui.kit.host import host_of
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import ensure_can_post, is_age_restricted
from bot.ui.reading.pictures import ensure_taken

_log = logging.getLogger(__name__)

NO_TOOLS = "No tool here takes a photo."


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to a job beside its inputs.

    `photo_author` is the person who posted the photo, if that may be somebody else. `private`: the result is
    for the requester alone. `extra` are inputs that the catalogue does not know. `message_id` is the member's
    message that the photo is in.
    """

    photo_author: int | None = None
    private: bool = False
    extra: Mapping[str, str] | None = None
    message_id: int | None = None


AS_USUAL = Terms()


async def begin(
    interaction: discord.Interaction[Any],
    tool: Tool,
    pictures: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
) -> None:
    """Ask for the tool's inputs and for the picture to take; start at once if there is nothing to ask.

    A tool that takes no picture starts without one, whoever posted it.
    """
    if tool.source is SourceRule.NONE:
        pictures, terms = (), replace(terms, photo_author=None)
    if needs_form(tool, pictures):
        await ask(interaction, tool, pictures, terms=terms)
        return
    source = pictures[0] if pictures else None
    await start_once(interaction, tool, {}, source, terms)


async def choose(
    interaction: discord.Interaction[Any],
    pictures: Sequence[SourcePhoto],
    words: str,
    terms: Terms = AS_USUAL,
    *,
    others: bool = False,
) -> None:
    """Let the person choose a tool for these pictures, shown to them alone.

    `others`: also offer tools that take no picture, after those that do; they say so.
    """
    all_tools = host_of(interaction).catalog.tools.values()
    tools = [tool for tool in all_tools if tool.source is not SourceRule.NONE]
    if others:
        tools += [tool for tool in all_tools if tool.source is SourceRule.NONE]
    if not tools:
        raise Refused(NO_TOOLS)

    async def chosen(picked: discord.Interaction[Any], tool: Tool) -> None:
        await begin(picked, tool, pictures, terms)

    await ToolPicker(tools, words, chosen).show(interaction)


async def ask(
    interaction: discord.Interaction[Any],
    tool: Tool,
    pictures: Sequence[SourcePhoto],
    prefilled: Values | None = None,
    terms: Terms = AS_USUAL,
) -> None:
    """Show the form, with the values of an earlier job. Raises `Refused` if it could not be accepted now."""

    async def submit(submitted: discord.Interaction[Any], values: Values, source: SourcePhoto | None) -> None:
        await start_once(submitted, tool, values, source, terms)

    await _ensure_possible(interaction, tool, terms)
    await ToolForm(tool, pictures, submit, prefilled).show(interaction)


async def start_once(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    source: SourcePhoto | None,
    terms: Terms = AS_USUAL,
) -> None:
    """Start the job. The same request of the same person a moment later is a double click, and ignored."""
    if source is not None:
        ensure_taken(source)
    # Discord may sign the address of one photo differently each time.
    photo = None if source is None else urlsplit(source.url).path
    request = (interaction.user.id, interaction.channel_id, tool.slug, tuple(values.items()), photo)
    async with host_of(interaction).clicks.once(request) as first:
        if first:
            await start(interaction, tool, values, source, terms)
        else:
            await _acknowledge(interaction)


async def start(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    source: SourcePhoto | None,
    terms: Terms = AS_USUAL,
) -> None:
    """Accept the job, and answer with its card.

    Raises `Refused`, or `DatabaseFailed`, before anything is spent. After that the job runs, even if its card
    can't be shown.
    """
    host = host_of(interaction)
    jobs = host.services.jobs
    request = _request(interaction, tool, values, source, terms)
    # While others are refused here, the answer will probably be for the person alone.
    private = terms.private or jobs.refused_last(request.guild_id)
    job = await in_time(interaction, jobs.accept(request), host.deferrals, private=private)
    await show_card(interaction, host, job)
    if terms.message_id is not None and job.source is not None:
        host.photo_used(terms.message_id, job)


def _request(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    source: SourcePhoto | None,
    terms: Terms,
) -> JobRequest:
    """Build the request.

    Raises `Refused` if the result could not be posted, or if the tool lacks something.
    """
    guild_id = ensure_can_post(interaction)
    if interaction.channel_id is None:
        raise Refused("This only works in a channel.")
    return JobRequest(
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        tool=tool.slug,
        inputs={**tool.prepare(values, has_source=source is not None), **(terms.extra or {})},
        source=source,
        private=terms.private,
        context=member_context(interaction),
        photo_author=terms.photo_author,
        age_restricted=is_age_restricted(interaction.channel),
    )


async def _ensure_possible(interaction: discord.Interaction[Any], tool: Tool, terms: Terms) -> None:
    """Raise `Refused` if no job of the tool could be accepted now from this person on these terms."""
    if interaction.guild_id is None:
        return
    request = JobRequest(
        interaction.guild_id,
        interaction.channel_id or 0,
        interaction.user.id,
        tool.slug,
        terms.extra or {},
        private=terms.private,
        context=member_context(interaction),
        photo_author=terms.photo_author,
    )
    await host_of(interaction).services.jobs.ensure_possible(request)


async def _acknowledge(interaction: discord.Interaction[Any]) -> None:
    """Say nothing, in a way that Discord does not take for a failure."""
    if interaction.type is discord.InteractionType.component:
        await interaction.response.defer()
    else:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.delete_original_response()
