"""From a person's request to a job and its progress, or to the question before it.

The person who sends the interaction is the requester, and pays.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

import discord

from bot.catalog import Catalog, Tool
from bot.credits.budgets import Estimate, short_price
from bot.credits.prices import PriceTable
from bot.errors import Refused
from bot.jobs.answers import once_key_of, subject_of
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, WhyAsk, find_open
from bot.jobs.models import Job, JobRequest, Progress, SourcePhoto, are_variations
from bot.languages import Worded, gettext as _, lazy, ngettext, plazy
from bot.servers.settings import GuildSettings
from bot.ui.jobs.forms import Values
from bot.ui.jobs.wording import prompt_words
from bot.ui.kit.answers import (
    DISCORD_ERRORS,
    Host,
    acknowledge,
    answer,
    answer_in_place,
    answering,
    host_of,
    in_order,
    in_turn,
    may_be_shown,
    tolerated,
)
from bot.ui.kit.layout import GOING, NEUTRAL, QUIET, Panel, boxed, lines, row, small, text
from bot.ui.panels.controls import Press, button
from bot.ui.reading.permissions import ensure_can_post, is_age_restricted, member_context, posting_place
from bot.ui.reading.pictures import ensure_taken

# Answers

_log = logging.getLogger(__name__)

_WHY = {
    WhyAsk.FIRST_TAP: lazy(
        "Your first tap in this server asks first. Your next taps start right away. Remove your reaction if "
        "you don't want this."
    ),
    WhyAsk.PRICE: lazy("This server asks before a job at this price starts."),
    WhyAsk.DEARER: lazy("That's more than the price you saw."),
    WhyAsk.SEEN: lazy(
        "Although it's private, moderators here see this job: they approve the request before it starts."
    ),
    WhyAsk.RESULT_SEEN: lazy(
        "Although it's private, moderators here see this job: they approve the request before it starts, and "
        "look at the result before you get it."
    ),
}

QUESTION_OVER = lazy(
    "This question has expired or was answered already. Ask again if you still want it. Nothing was charged."
)
_ESTIMATED = lazy("It hasn't run like this with the server's key yet, so the price is an estimate.")


async def show_progress(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], *, in_place: bool = False
) -> None:
    """Show the progress of a job, or of a whole set, to its person alone, and keep it up to date.

    With `in_place`, it takes the place of the message whose button was pressed. Raises nothing if it can't
    be shown: the jobs run all the same, and `/jobs` has them.
    """
    from bot.ui.jobs.progress import progress_panel  # it has the buttons that start jobs

    panel, deferral = progress_panel(jobs, host.catalog, Progress()), await answering(interaction)
    shown = None
    try:
        if in_place:  # what may have pictures of its own
            await answer_in_place(interaction, panel)
        else:
            await answer(interaction, panel)
        shown = panel
    except DISCORD_ERRORS as error:
        _log.info("Job %s: its progress may not have been shown: %r", jobs[0].id, error)
        if deferral is not None:
            host.answers.give_up(interaction)
        elif not may_be_shown(error):
            return
    await host.answers.show(interaction, subject_of(jobs[0]), shown)


def question_panel(question: Confirmation, catalog: Catalog) -> Panel:
    """Return the question: by a reply under a photo, or for the person alone."""
    request, price = question.request, short_price(Estimate(question.price, learned=question.learned))
    title = catalog.title(request.tool)
    run = confirm.looking(label=_("Run · {price}", price=price)).of(question.id)
    about = lines(small(_WHY[question.why]), "" if question.learned else small(_ESTIMATED))
    if question.origin_message_id is not None:
        said = f"<@{request.user_id}> {_asked(question, f'**{title}**', price)}"
        return Panel(text(lines(said, about)), row(run))
    prompt = prompt_words(catalog.tools.get(request.tool), request.inputs)
    return boxed(
        GOING,
        lines(f"### {catalog.emoji(request.tool)} {_asked(question, title, price)}", prompt),
        about,
        row(run),
    )


def _asked(question: Confirmation, tool: str, price: Worded) -> str:
    if len(question.requests) == 1:
        return _("{tool} costs {price}. Start it?", tool=tool, price=price)
    if are_variations(question.requests):
        return ngettext(
            "{count} variation of {tool} costs {price}. Start it?",
            "{count} variations of {tool} cost {price}. Start them?",
            len(question.requests),
            tool=tool,
            price=price,
        )
    return ngettext(
        "{tool} of {count} photo costs {price}. Start it?",
        "{tool} of {count} photos costs {price}. Start it?",
        len(question.requests),
        tool=tool,
        price=price,
    )


@button("confirm:{question_id}", label=plazy("button", "Run"), style=discord.ButtonStyle.primary)
async def confirm(press: Press, question_id: Annotated[str, "[0-9a-f]{16}"]) -> None:
    """Start the job that the person was asked about.

    Its progress takes the place of a question for them alone; one under a photo is removed by the engine.
    """
    interaction, host = press.interaction, press.host
    in_place = interaction.message is not None and interaction.message.flags.ephemeral
    with in_order(interaction):
        if in_place:
            await acknowledge(interaction)
        question = await host.resources.db.read(find_open, question_id, host.clock.now())
        if question is None:
            await _take_away(interaction)
            return
        if question.request.user_id != interaction.user.id:
            raise Refused(
                lazy("This question is for someone else. Use the command or tap the photo yourself.")
            )
        ensure_can_post(interaction)
        await in_turn(interaction)
        try:
            jobs = await host.resources.acceptance.accept_all(question.confirmed(member_context(interaction)))
        except ConfirmationNeeded as needed:  # dearer by now
            again = needed.question or question
            await answer_in_place(interaction, question_panel(again, host.catalog))
            return
        await show_progress(interaction, host, jobs, in_place=in_place)


async def _take_away(interaction: discord.Interaction) -> None:
    """Remove a question that is over, and say so to the presser.

    If the first of two quick presses has removed it, that one shows what it started.
    """
    over = boxed(QUIET, QUESTION_OVER)
    message = interaction.message
    with suppress(discord.NotFound):
        if message is not None and message.flags.ephemeral:
            await interaction.edit_original_response(view=over)
        else:
            if await answering(interaction) is None:  # else the person waits for an answer
                await interaction.response.defer()
                await interaction.delete_original_response()
            await answer(interaction, over)


# Requests

CHANNELS_ONLY = lazy("This only works in a channel.")


@dataclass(frozen=True, slots=True)
class Terms:
    """The conditions of a job beside its inputs.

    `photo_author` is the member who posted the photo, if that may be another one. `private`: the result is
    for the requester alone. `extra` are inputs that the catalogue does not know. `offer_id` is
    the bot's message that offered the tool, which goes then.
    `shown_price` is the price that the pressed button names, in credits, and `shown_prices` are those that a
    form names: above them the person is asked. `preferred`: where the person chose nothing, the inputs that
    they prefer for the tool count. `variants`: not one job is started but one for each of these, with inputs
    that it has of its own. `of_photos` are the inputs that the job of each photo has of its own. `in_place`:
    the progress or the question takes the place of the message whose button was pressed.
    """

    photo_author: int | None = None
    private: bool = False
    extra: Mapping[str, str] | None = None
    offer_id: int | None = None
    shown_price: int | None = None
    shown_prices: PriceTable | None = None
    preferred: bool = False
    variants: Sequence[Mapping[str, str]] = ()
    of_photos: Sequence[Mapping[str, str]] = ()
    in_place: bool = False


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
    request = (
        interaction.user.id,
        interaction.channel_id,
        tool.slug,
        tuple(values.items()),
        paths,
        str((terms.variants, terms.of_photos)),
    )
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
    if terms.variants and len(photos) > 1:
        raise Refused(lazy("Variations are of one photo. Choose one of them. Nothing was charged."))
    sources = photos or (None,)
    each = zip(sources, terms.of_photos or [dict[str, str]()] * len(sources), strict=True)
    parts = [(photo, {**own, **variant}) for photo, own in each for variant in terms.variants or ({},)]
    requests = [
        replace(request, inputs={**request.inputs, **own})
        for number, (photo, own) in enumerate(parts)
        for request in [request_for(interaction, tool, terms, photo, number)]
    ]

    await in_turn(interaction)
    complete = partial(_complete, interaction, tool, values, terms)
    try:
        jobs = await host.resources.acceptance.accept_all(requests, complete)
    except ConfirmationNeeded as needed:
        if needed.question is None:
            raise
        panel = question_panel(needed.question, host.catalog)
        if terms.in_place:
            await answer_in_place(interaction, panel)
        else:
            await answer(interaction, panel)
        return
    await show_progress(interaction, host, jobs, in_place=terms.in_place)
    if terms.offer_id is not None:
        channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
        with tolerated("An offer that was taken could not be removed"):
            await channel.get_partial_message(terms.offer_id).delete()


def _complete(
    interaction: discord.Interaction,
    tool: Tool,
    values: Values,
    terms: Terms,
    request: JobRequest,
    rules: GuildSettings,
    preferred: Mapping[str, str],
) -> JobRequest:
    """Return the request with its inputs, and the place where its result will be posted.

    Raises `Refused` if the tool lacks something, or if the result could not be posted there.

    On SQLite this runs beside the loop, in which Discord's events change what it looks up: it may look single
    things up, but go through nothing that grows, such as a server's channels.
    """
    given, extra = {**preferred, **values} if terms.preferred else values, terms.extra or {}
    own = {name: value for name, value in request.inputs.items() if name not in extra}
    inputs = {**tool.prepare({**given, **own}, has_source=request.source is not None), **extra}
    shown = terms.shown_price
    if shown is None and terms.shown_prices is not None:
        shown = terms.shown_prices.of(tool, inputs).amount
    request = replace(request, inputs=inputs, shown_price=shown)
    if request.private:
        return request
    elsewhere, in_thread = posting_place(interaction.guild, interaction.channel, interaction.user, rules)
    return replace(request, post_channel_id=elsewhere, in_thread=in_thread)


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
