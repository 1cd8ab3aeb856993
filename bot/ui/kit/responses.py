"""Answers to interactions, and what a person is told when something went wrong."""

import logging
import re
import secrets
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands, ui

from bot.errors import CreditsShort, CreditsWanted, NotAllowed, StudiiBotError
from bot.languages import gettext as _, lazy, pgettext
from bot.ui.kit.deferral import or_later
from bot.ui.kit.discord_errors import tolerated
from bot.ui.kit.first_answer import answering
from bot.ui.kit.layout import BAD, boxed, row
from bot.ui.kit.reasons import error_words
from bot.ui.kit.text import sentence

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
_EXPIRED = frozenset({UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})

_JOB_ID = re.compile(r"\b[0-9a-f]{16}\b")
NO_MENTIONS = discord.AllowedMentions.none()
MAX_REFUSAL_CHARACTERS = 1500  # of a reason


async def tell(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the person alone what went wrong. Log what is no business of theirs.

    This is where every error of a command, button or form ends: the tree of commands and the bases in
    `bot.ui.kit` call it. Other code catches one only to show more than its sentence, such as a form with what
    was typed (`show_refused`).
    """
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.HTTPException) and expired(cause):
        _log.info("An interaction of user %d came too late to be answered.", interaction.user.id)
        return
    panel = boxed(BAD, words_for(interaction, cause))
    if buttons := ask_buttons(cause):
        panel.add_item(row(*buttons))
    await answer_if_possible(interaction, panel)


def ask_buttons(error: BaseException) -> list[ui.Button[Any]]:
    """Return the button that asks an admin for more credits, if that would help."""
    wanted = error.wanted if isinstance(error, CreditsShort) else None
    return [] if wanted is None else [ask_button(wanted)]


def ask_button(wanted: CreditsWanted) -> ui.Button[Any]:
    """Return the look of `ask_admin` in `bot.ui.account.credits`, which reads the custom id."""
    channel = "" if wanted.channel_id is None else f":{wanted.channel_id}"
    custom_id = f"studii:ask:{wanted.guild_id}:{wanted.tool}:{wanted.price}{channel}"
    return ui.Button(
        label=pgettext("button", "Ask an admin"), style=discord.ButtonStyle.primary, custom_id=custom_id
    )


async def answer_if_possible(interaction: discord.Interaction, panel: ui.LayoutView) -> None:
    """Answer like `answer`, but log an error of Discord or of the network.

    Who was told that an answer will come then gets one later.
    """
    deferral = await answering(interaction)
    with tolerated("User %d could not be told about a problem", interaction.user.id), or_later(deferral):
        await answer(interaction, panel)


async def answer(
    interaction: discord.Interaction, panel: ui.LayoutView, files: Sequence[discord.File] = ()
) -> int | None:
    """Show the panel to the person alone, whether or not the interaction was answered before.

    Return the message's id, if Discord says it.
    Files can take long to send, so they are shown only after a deferral (`defer_answer`).
    """
    response = interaction.response
    deferral = await answering(interaction)
    if deferral is not None:
        return await deferral.show(panel, files)
    if not response.is_done():
        return (await response.send_message(view=panel, ephemeral=True)).message_id
    if response.type is discord.InteractionResponseType.deferred_channel_message:
        return (await interaction.edit_original_response(view=panel)).id
    return (await interaction.followup.send(view=panel, ephemeral=True, wait=True)).id


async def answer_in_place(interaction: discord.Interaction, panel: ui.LayoutView, **given: Any) -> None:
    """Show the panel in place of the message whose button was pressed.

    If the person was told that an answer will come, or handed in a form of a command, it is a message of its
    own, for them alone.
    """
    if await answering(interaction) is not None or interaction.message is None:
        await answer(interaction, panel)
    elif interaction.response.is_done():
        await interaction.edit_original_response(view=panel, **given)
    else:
        await interaction.response.edit_message(view=panel, **given)


async def acknowledge(interaction: discord.Interaction) -> None:
    """Tell Discord that a press is being handled, which shows nothing. To be awaited before anything is read.

    The interaction's original response is then the message whose button it was.
    """
    await answering(interaction)
    await interaction.response.defer()


def expired(error: discord.HTTPException) -> bool:
    """Return whether the interaction can't be answered any more: too late, or answered already."""
    return error.code in _EXPIRED


def words_for(interaction: discord.Interaction, error: BaseException) -> str:
    """Return what a person is told of an error. Log what is no business of theirs."""
    if isinstance(error, StudiiBotError):
        return refusal_words(error)
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        _log.info("An outdated command was used: %s", error)
        return str(
            lazy(
                "This command has changed. Reload Discord (Ctrl+R, or close and open the app) and try again."
            )
        )
    reference = secrets.token_hex(3)
    what = interaction.command.qualified_name if interaction.command else interaction.type.name
    about = {"job": _job_in(interaction)}
    _log.error("Something went wrong in %s (reference %s)", what, reference, exc_info=error, extra=about)
    return _(
        "Something went wrong in the bot (reference `{reference}`). Nothing was charged unless `/jobs` says "
        "so. Try again. If it happens again, give the reference to the bot's operator.",
        reference=reference,
    )


def refusal_words(refusal: StudiiBotError) -> str:
    """Return the refusal's sentence; a server's own rules name roles and channels, and quote nobody."""
    if isinstance(refusal, NotAllowed):
        return str(refusal)
    return sentence(error_words(refusal), MAX_REFUSAL_CHARACTERS)


def _job_in(interaction: discord.Interaction) -> str | None:
    """Return the id of the job whose button was pressed or whose form was sent; the custom id holds it."""
    found = _JOB_ID.search(str((interaction.data or {}).get("custom_id", "")))
    return None if found is None else found[0]


def may_be_shown(error: Exception) -> bool:
    """Return whether Discord may have taken the answer that it seems to have refused.

    discord.py repeats an answer after a 5xx; the second one is refused because the first was taken.
    """
    if not isinstance(error, discord.HTTPException):
        return True
    return error.status >= 500 or error.code == ALREADY_ACKNOWLEDGED
