"""Answer an interaction with its job's card, and see to it that a card is there if the answer fails."""

import asyncio
import logging
from collections.abc import Sequence

import discord

from bot.errors import StudiiBotError
from bot.jobs.cards import CardShown, note_shown
from bot.jobs.delivery import Posted
from bot.jobs.models import Job, Progress
from bot.languages import lazy, speaking, spoken
from bot.ui.jobs.sets.set_card import card_of
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.deferral import Deferral, or_later
from bot.ui.kit.discord_errors import DISCORD_ERRORS, tolerated
from bot.ui.kit.first_answer import answering
from bot.ui.kit.host import Host
from bot.ui.kit.layout import QUIET, Panel, boxed
from bot.ui.kit.responses import NO_MENTIONS, UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, may_be_shown

_log = logging.getLogger(__name__)

CARD_TIMEOUT_SECONDS = 30.0
STARTED = lazy("Your job has started. Its result will be posted with a mention of you.")


async def show_card(interaction: discord.Interaction, host: Host, jobs: Sequence[Job]) -> None:
    """Show the card of a job, or of a whole set, as the interaction's answer, and store its message.

    Post it in the channel where Discord accepts no answer any more. Raises nothing if it can't be shown.
    """
    job, progress = jobs[0], Progress(whole_set=tuple(jobs))
    with speaking(spoken() if job.private else await host.readers.in_server(job.guild_id)):
        card = card_of(job, ToolNames(host.catalog), progress)
    deferral = await answering(interaction)
    if deferral is not None and deferral.private and not job.private:
        await _post_card(interaction, host, jobs, deferral)
        return
    if deferral is not None and job.private and not deferral.private:
        await _show_alone(interaction, host, jobs, deferral, card)
        return
    outdated, message_id = False, None
    try:
        message_id = await _send(interaction, card, late=deferral is not None, private=job.private)
    except DISCORD_ERRORS as error:
        _log.info("Job %s: the card may not have been shown: %s", job.id, error)
        if _came_too_late(error):
            if deferral is not None:
                await deferral.answered()  # it can't be any more
            if not job.private:
                await _post_card(interaction, host, jobs, None)
            return
        message_id = await _shown_all_the_same(interaction) if may_be_shown(error) else None
        outdated = deferral is not None  # the message is there, and shows nothing yet
    if message_id is None:
        if deferral is not None:
            deferral.give_up()
        return
    host.cards.remember(job.set_id or job.id, interaction)
    await _store_card(host, jobs, message_id, outdated=outdated)
    if deferral is not None:
        await deferral.answered()


async def _send(interaction: discord.Interaction, card: Panel, *, late: bool, private: bool) -> int | None:
    """Answer with the card. Return the message's id, if Discord says it."""
    if late:
        return (await interaction.edit_original_response(view=card, allowed_mentions=NO_MENTIONS)).id
    shown = await interaction.response.send_message(
        view=card, ephemeral=private, allowed_mentions=NO_MENTIONS
    )
    return shown.message_id


async def _show_alone(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], deferral: Deferral, card: Panel
) -> None:
    """Show a private job's card to its person alone, although all were told that an answer will come."""
    job = jobs[0]
    try:
        message_id = await deferral.show_alone(card)  # in that answer it would be shown to all
    except DISCORD_ERRORS as error:
        _log.info("Job %s: the card may not have been shown: %r", job.id, error)
        deferral.give_up()
        return
    host.cards.remember(job.set_id or job.id, interaction)
    await _store_card(host, jobs, message_id)


async def show_confirmed(interaction: discord.Interaction, host: Host, jobs: Sequence[Job]) -> None:
    """Show the card of a job, or of a set, in the place of the question before it, whose press was deferred.

    The engine posts the card of a job under a photo, and what can't be posted now. Raises nothing if it can't
    be shown.
    """
    job, progress, message_id = jobs[0], Progress(whole_set=tuple(jobs)), None
    with tolerated("Job %s: its question could not be taken away", job.id):
        if job.private:
            card = card_of(job, ToolNames(host.catalog), progress)
            shown = await interaction.edit_original_response(view=card, allowed_mentions=NO_MENTIONS)
            message_id = shown.id
            host.cards.remember(job.set_id or job.id, interaction)
        else:
            await interaction.delete_original_response()
    if not job.private and job.origin_message_id is None:
        said = await host.cards.post_card(job, progress)
        message_id = said.message_id if isinstance(said, Posted) else None
    if message_id is not None:
        await _store_card(host, jobs, message_id)


async def _post_card(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], deferral: Deferral | None
) -> None:
    """Show the card as a message of the channel.

    Only the person was told that an answer will come, or (None) Discord takes no answer any more. In that
    case the engine posts what can't be posted now.
    """
    job = jobs[0]
    said = await host.cards.post_card(job, Progress(whole_set=tuple(jobs)))
    with tolerated("Job %s: the deferred answer could not be removed", job.id), or_later(deferral):
        if deferral is not None and isinstance(said, Posted):
            await interaction.delete_original_response()
        elif deferral is not None:
            await interaction.edit_original_response(view=boxed(QUIET, STARTED))
        if deferral is not None:
            await deferral.answered()
    if isinstance(said, Posted) and said.message_id is not None:
        await _store_card(host, jobs, said.message_id)


async def _store_card(host: Host, jobs: Sequence[Job], message_id: int, *, outdated: bool = False) -> None:
    for job in jobs:
        try:
            await host.services.db.write_together(
                note_shown, CardShown(job.id, message_id, 0 if outdated else job.version)
            )
        except StudiiBotError as error:
            _log.warning("Job %s: the card was not stored yet: %s", job.id, error)


def _came_too_late(error: Exception) -> bool:
    """Return whether Discord has told the person that the bot didn't answer."""
    return isinstance(error, discord.NotFound) and error.code in {UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK}


async def _shown_all_the_same(interaction: discord.Interaction) -> int | None:
    """Return the id of the interaction's answer.

    None if there is none, or if Discord does not say. In the second case the engine looks for the card in the
    channel.
    """
    with tolerated("Unknown whether an answer was shown"):
        async with asyncio.timeout(CARD_TIMEOUT_SECONDS):
            return (await interaction.original_response()).id
    return None
