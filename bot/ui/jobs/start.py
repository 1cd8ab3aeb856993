"""From a person's request to a job and its card, by way of a form if there is anything to ask.

The person who sends the interaction is the requester, and pays.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.catalog import SourceRule, Tool
from bot.domain import JobRequest, SourcePhoto
from bot.domain.prices import Estimate
from bot.domain.styles import Style
from bot.errors import Refused, StudiiBotError
from bot.services import ConfirmationNeeded, PriceTable
from bot.services.styles import inputs_of, tool_of
from bot.ui.jobs.confirming import ask_to_confirm
from bot.ui.jobs.first_card import show_card
from bot.ui.jobs.tool_form import (
    MAX_SET_PHOTOS,
    Filled,
    FormStart,
    ToolForm,
    Values,
    all_of,
    needs_form,
)
from bot.ui.kit.deferral import in_time
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.forms import RefusedForm
from bot.ui.kit.host import host_of
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import ensure_can_post, is_age_restricted
from bot.ui.reading.pictures import ensure_taken
from bot.ui.reading.posting import posting_place

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to a job beside its inputs.

    `photo_author` is the person who posted the photo, if that may be somebody else. `private`: the result is
    for the requester alone. `extra` are inputs that the catalogue does not know. `message_id` is the member's
    message that the photo is in, and `offer_id` the bot's message that offered the tool, which goes then.
    `shown_price` is the price that the pressed button names, in credits, and `shown_prices` are those that a
    form names: above them the person is asked.
    """

    photo_author: int | None = None
    private: bool = False
    extra: Mapping[str, str] | None = None
    message_id: int | None = None
    offer_id: int | None = None
    shown_price: int | None = None
    shown_prices: PriceTable | None = None


AS_USUAL = Terms()


async def begin(
    interaction: discord.Interaction[Any],
    tool: Tool,
    pictures: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
    *,
    asking: bool = False,
) -> None:
    """Ask for the tool's inputs and for the picture to take; start at once if there is nothing to ask.

    A tool that takes no picture starts without one, whoever posted it. `asking`: ask in any case, so that the
    person can make the job private.
    """
    if tool.source is SourceRule.NONE:
        pictures, terms = (), replace(terms, photo_author=None)
    if asking or needs_form(tool, pictures):
        await ask(interaction, tool, FormStart(pictures, await own_inputs(interaction, tool)), terms)
        return
    await start_once(interaction, tool, {}, pictures[0] if pictures else None, terms)


async def open_form(interaction: discord.Interaction[Any], tool: Tool) -> None:
    """Show the tool's empty form, to which a photo can be attached."""
    ensure_can_post(interaction)
    await ask(interaction, tool, FormStart(values=await own_inputs(interaction, tool)))


async def own_inputs(interaction: discord.Interaction[Any], tool: Tool) -> dict[str, str | None]:
    """Return the inputs of the tool that the person prefers."""
    if interaction.guild_id is None:
        return {}
    defaults = host_of(interaction).services.defaults
    return {**await defaults.of(interaction.guild_id, interaction.user.id, tool)}


async def open_style_form(
    interaction: discord.Interaction[Any],
    style: Style,
    pictures: Sequence[SourcePhoto] = (),
    terms: Terms = AS_USUAL,
    given: Values | None = None,
) -> None:
    """Show the form of a style, to which a photo can be attached if there are no `pictures`.

    `given` are inputs that go before the style's. Raises `Refused` if the style can't be used any more.
    """
    ensure_can_post(interaction)
    tool = tool_of(host_of(interaction).catalog, style)
    prompt = tool.prompt
    # The person's own words go there.
    of_style = {name: value for name, value in style.inputs.items() if prompt is None or name != prompt.name}
    values = {**await own_inputs(interaction, tool), **of_style, **(given or {})}
    await ask(interaction, tool, FormStart(pictures, values, style=style), terms)


async def ask(
    interaction: discord.Interaction[Any], tool: Tool, start: FormStart, terms: Terms = AS_USUAL
) -> None:
    """Show the form. Raises `Refused` if nothing could be accepted now.

    What is refused once it is handed in can be edited.
    """
    may_be_private = await _ensure_possible(interaction, tool, terms)
    prices = await prices_for(interaction)

    async def submit(submitted: discord.Interaction[Any], filled: Filled) -> None:
        # A photo that came with the form is the person's own.
        own = replace(terms, photo_author=None, message_id=None) if filled.attached else terms
        # The form names the prices of its choices, the button before it that of none.
        wanted = replace(own, private=filled.private, shown_price=None, shown_prices=prices)
        try:
            values = filled.values if start.style is None else inputs_of(start.style, tool, filled.values)
            await start_all_once(submitted, tool, values, filled.photos, wanted)
        except StudiiBotError as refusal:
            await RefusedForm(partial(_again, tool, start, filled, wanted)).show(submitted, refusal)

    start = replace(
        start,
        private=terms.private,
        may_be_private=may_be_private,
        prices=prices,
        set_prices=await _set_prices(interaction, tool, start, terms),
    )
    await ToolForm(tool, start, submit).show(interaction)


async def _again(
    tool: Tool, start: FormStart, filled: Filled, terms: Terms, interaction: discord.Interaction[Any]
) -> None:
    """Show the form as the person has filled it in."""
    start = replace(start, values=filled.values, chosen=filled.chosen)
    if filled.attached:
        photos = filled.photos
        start = replace(start, pictures=photos, replaceable=len(photos) == 1, chosen=all_of(photos))
    await ask(interaction, tool, start, terms)


async def prices_for(interaction: discord.Interaction[Any]) -> PriceTable | None:
    """Return what jobs cost in the server of the interaction."""
    if interaction.guild_id is None:
        return None
    return await host_of(interaction).services.credits.price_table(interaction.guild_id)


async def start_once(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    source: SourcePhoto | None,
    terms: Terms = AS_USUAL,
) -> None:
    """Start the job. The same request of the same person a moment later is a double click, and ignored."""
    await start_all_once(interaction, tool, values, [] if source is None else [source], terms)


async def start_all_once(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    photos: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
) -> None:
    """Start a job for each photo, all or none of them, or one without a photo. As `start_once` otherwise."""
    for photo in photos:
        ensure_taken(photo)
    # Discord may sign the address of one photo differently each time.
    paths = tuple(urlsplit(photo.url).path for photo in photos)
    request = (interaction.user.id, interaction.channel_id, tool.slug, tuple(values.items()), paths)
    async with host_of(interaction).clicks.once(request) as first:
        if first:
            await _start(interaction, tool, values, photos, terms)
        else:
            await _acknowledge(interaction)


async def start(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    source: SourcePhoto | None,
    terms: Terms = AS_USUAL,
) -> None:
    """Accept the job, and answer with its card, or with the question whether it is to start.

    Raises `Refused`, or `DatabaseFailed`, before anything is spent. After that the job runs, even if its card
    can't be shown.
    """
    await _start(interaction, tool, values, [] if source is None else [source], terms)


async def _start(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Values,
    photos: Sequence[SourcePhoto],
    terms: Terms,
) -> None:
    host = host_of(interaction)
    service = host.services.jobs
    requests = [_request(interaction, tool, values, photo, terms) for photo in photos or (None,)]
    guild_id = requests[0].guild_id
    if not terms.private:
        rules = await host.services.posting.rules(guild_id)
        place = posting_place(interaction.guild, interaction.channel, interaction.user, rules)
        requests = [
            replace(request, post_channel_id=place.channel_id, in_thread=place.in_thread)
            for request in requests
        ]
    # While others are refused here, the answer will probably be for the person alone.
    private = terms.private or service.refused_last(guild_id)
    try:
        jobs = await in_time(interaction, service.accept_all(requests), host.deferrals, private=private)
    except ConfirmationNeeded as needed:
        await ask_to_confirm(interaction, needed)
        return
    await show_card(interaction, host, jobs)
    if terms.message_id is not None:
        for job in jobs:
            if job.source is not None:
                host.photo_used(terms.message_id, job)
    if terms.offer_id is not None:
        await _remove_offer(interaction, terms.offer_id)


async def _remove_offer(interaction: discord.Interaction[Any], message_id: int) -> None:
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        await channel.get_partial_message(message_id).delete()
    except DISCORD_ERRORS as error:
        _log.info("An offer that was taken could not be removed: %r", error)


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
    inputs = {**tool.prepare(values, has_source=source is not None), **(terms.extra or {})}
    shown = terms.shown_price
    if shown is None and terms.shown_prices is not None:
        shown = terms.shown_prices.of(tool, inputs).amount
    return JobRequest(
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        tool=tool.slug,
        inputs=inputs,
        source=source,
        private=terms.private,
        context=member_context(interaction),
        photo_author=terms.photo_author,
        shown_price=shown,
        age_restricted=is_age_restricted(interaction.channel),
    )


async def _ensure_possible(interaction: discord.Interaction[Any], tool: Tool, terms: Terms) -> bool:
    """Return whether the job may be private.

    Raises `Refused` if no job of the tool could be accepted now from this person on these terms.
    """
    if interaction.guild_id is None:
        return False
    request = _bare_request(interaction, interaction.guild_id, tool, terms)
    return await host_of(interaction).services.jobs.ensure_possible(request)


async def _set_prices(
    interaction: discord.Interaction[Any], tool: Tool, start: FormStart, terms: Terms
) -> list[Estimate]:
    """Return the prices of the pictures, from the first on, that could be taken together now."""
    photos = start.pictures[:MAX_SET_PHOTOS]
    if interaction.guild_id is None or len(photos) < 2:
        return []
    given = {one.name: start.values.get(one.name) or one.default for one in tool.inputs}
    inputs = {name: value for name, value in given.items() if value is not None}
    request = _bare_request(interaction, interaction.guild_id, tool, terms)
    request = replace(request, inputs={**inputs, **(terms.extra or {})})
    requests = [replace(request, source=photo) for photo in photos]
    return await host_of(interaction).services.jobs.would_accept(requests)


def _bare_request(
    interaction: discord.Interaction[Any], guild_id: int, tool: Tool, terms: Terms
) -> JobRequest:
    """Return a request by which to tell what is possible, without inputs and a photo."""
    return JobRequest(
        guild_id,
        interaction.channel_id or 0,
        interaction.user.id,
        tool.slug,
        terms.extra or {},
        private=terms.private,
        context=member_context(interaction),
        photo_author=terms.photo_author,
    )


async def _acknowledge(interaction: discord.Interaction[Any]) -> None:
    """Say nothing, in a way that Discord does not take for a failure."""
    if interaction.type is discord.InteractionType.component:
        await interaction.response.defer()
    else:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.delete_original_response()
