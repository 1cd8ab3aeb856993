"""From a person's request to a job and its progress.

The person who sends the interaction is the requester, and pays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

import discord

from bot.catalog import Tool
from bot.credits.prices import PriceTable
from bot.errors import Refused
from bot.features.posting import PostingRules
from bot.jobs.confirm import ConfirmationNeeded
from bot.jobs.models import JobRequest, SourcePhoto
from bot.jobs.progress import once_key_of
from bot.languages import lazy
from bot.ui.jobs.answer import ask_to_confirm, show_progress
from bot.ui.jobs.forms.tool_form import Values
from bot.ui.kit.discord_errors import tolerated
from bot.ui.kit.first_answer import answering, expect_job
from bot.ui.kit.host import host_of, in_turn
from bot.ui.kit.layout import NEUTRAL, boxed
from bot.ui.kit.responses import acknowledge, answer
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import ensure_can_post, is_age_restricted
from bot.ui.reading.pictures import ensure_taken
from bot.ui.reading.posting_place import HERE, posting_place

CHANNELS_ONLY = lazy("This only works in a channel.")


@dataclass(frozen=True, slots=True)
class Terms:
    """The conditions of a job beside its inputs.

    `photo_author` is the member who posted the photo, if that may be another one. `private`: the result is
    for the requester alone. `extra` are inputs that the catalogue does not know. `message_id` is the member's
    message that the photo is in, and `offer_id` the bot's message that offered the tool, which goes then.
    `shown_price` is the price that the pressed button names, in credits, and `shown_prices` are those that a
    form names: above them the person is asked. `preferred`: where the person chose nothing, the inputs that
    they prefer for the tool count.
    """

    photo_author: int | None = None
    private: bool = False
    extra: Mapping[str, str] | None = None
    message_id: int | None = None
    offer_id: int | None = None
    shown_price: int | None = None
    shown_prices: PriceTable | None = None
    preferred: bool = False


AS_USUAL = Terms()


async def start_once(
    interaction: discord.Interaction,
    tool: Tool,
    values: Values,
    photos: Sequence[SourcePhoto],
    terms: Terms,
) -> None:
    """Start as `start` does, unless the same person asked for the same a moment ago: that is a double
    click."""
    for photo in photos:
        ensure_taken(photo)
    # Discord may sign the address of one photo differently each time.
    paths = tuple(urlsplit(photo.url).path for photo in photos)
    request = (interaction.user.id, interaction.channel_id, tool.slug, tuple(values.items()), paths)
    async with host_of(interaction).clicks.once(request) as first:
        if first:
            await start(interaction, tool, values, photos, terms)
        else:
            await _ignore_double_click(interaction)


async def start(
    interaction: discord.Interaction,
    tool: Tool,
    values: Values,
    photos: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
) -> None:
    """Accept a job for each photo, all or none of them, or one without a photo. Answer with their
    progress, or with the question whether they are to start. To be called within `in_order`.

    Raises `Refused`, or `DatabaseFailed`, before anything is spent. After that the jobs run, even if the
    answer can't be shown.
    """
    host = host_of(interaction)
    sources = enumerate(photos or (None,))
    requests = [request_for(interaction, tool, terms, photo, number) for number, photo in sources]

    expect_job(interaction)
    await in_turn(interaction)
    complete = partial(_complete, interaction, tool, values, terms)
    try:
        jobs = await host.services.acceptance.accept_all(requests, complete)
    except ConfirmationNeeded as needed:
        await ask_to_confirm(interaction, needed)
        return
    await show_progress(interaction, host, jobs)
    if terms.message_id is not None:
        for job in jobs:
            if job.source is not None:
                host.photo_used(terms.message_id, job)
    if terms.offer_id is not None:
        await _remove_offer(interaction, terms.offer_id)


def _complete(
    interaction: discord.Interaction,
    tool: Tool,
    values: Values,
    terms: Terms,
    request: JobRequest,
    rules: PostingRules,
    preferred: Mapping[str, str],
) -> JobRequest:
    """Return the request with its inputs, and the place where its result will be posted.

    Raises `Refused` if the tool lacks something, or if the result could not be posted there.

    On SQLite this runs beside the loop, in which Discord's events change what it looks up: it may look single
    things up, but go through nothing that grows, such as a server's channels.
    """
    given = {**preferred, **values} if terms.preferred else values
    inputs = {**tool.prepare(given, has_source=request.source is not None), **(terms.extra or {})}
    shown, place = terms.shown_price, HERE
    if shown is None and terms.shown_prices is not None:
        shown = terms.shown_prices.of(tool, inputs).amount
    if not request.private:
        place = posting_place(interaction.guild, interaction.channel, interaction.user, rules)
    return replace(
        request,
        inputs=inputs,
        shown_price=shown,
        post_channel_id=place.channel_id,
        in_thread=place.in_thread,
    )


async def _remove_offer(interaction: discord.Interaction, message_id: int) -> None:
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    with tolerated("An offer that was taken could not be removed"):
        await channel.get_partial_message(message_id).delete()


def request_for(
    interaction: discord.Interaction,
    tool: Tool,
    terms: Terms,
    source: SourcePhoto | None = None,
    number: int = 0,
) -> JobRequest:
    """Build the request, which is that `number` of the interaction's, from 0. `_complete` adds the rest.

    Raises `Refused` if the result could not be posted.
    """
    guild_id = ensure_can_post(interaction)
    if interaction.channel_id is None:
        raise Refused(CHANNELS_ONLY)
    return JobRequest(
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        tool=tool.slug,
        inputs=terms.extra or {},
        source=source,
        private=terms.private,
        context=member_context(interaction),
        photo_author=terms.photo_author,
        # By it, the next start finds the job of a deferral that a kill has left unanswered.
        once=once_key_of(interaction.id, number),
        age_restricted=is_age_restricted(interaction.channel),
    )


async def _ignore_double_click(interaction: discord.Interaction) -> None:
    """Say that nothing more was started, unless a button was pressed twice and shows nothing anyway."""
    if interaction.type is discord.InteractionType.component and await answering(interaction) is None:
        await acknowledge(interaction)
    else:
        await answer(
            interaction,
            boxed(
                NEUTRAL,
                lazy(
                    "You sent the same a moment ago, so this was taken as a double click. Nothing more was "
                    "started or charged. To run it twice, send it again."
                ),
            ),
        )
