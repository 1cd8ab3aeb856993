"""What a person is told when a command, a button or a form does not do what they wanted."""

import logging
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.errors import NotAllowed, StudiiBotError
from bot.ui.kit.layout import Panel, notice
from bot.ui.kit.text import sentence

log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_INTERACTION = 10062
ALREADY_ACKNOWLEDGED = 40060
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
_EXPIRED = frozenset({UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})

_JOB_ID = re.compile(r"\b[0-9a-f]{16}\b")
LONGEST = 1500  # characters of a reason
OUTDATED = "This command has changed. Reload Discord (Ctrl+R, or close and open the app) and try again."


@asynccontextmanager
async def telling(interaction: discord.Interaction[Any]) -> AsyncGenerator[None, None]:
    """Tells the person why, when what is done inside is refused; anything unexpected goes on."""
    try:
        yield
    except StudiiBotError as refusal:
        await tell(interaction, refusal)
    except discord.HTTPException as error:
        if not expired(error):
            raise
        await tell(interaction, error)


async def tell(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person, and nobody else, what went wrong; what is not their business is logged."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.HTTPException) and expired(cause):
        log.info("An interaction of user %d came too late to be answered.", interaction.user.id)
        return
    try:
        await answer(interaction, notice(_words(interaction, cause)))
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as failed:
        log.info("User %d could not be told about a problem: %s", interaction.user.id, failed)


async def answer(interaction: discord.Interaction[Any], panel: Panel) -> None:
    """Show something to the person alone, whatever was answered before."""
    response = interaction.response
    if not response.is_done():
        await response.send_message(view=panel, ephemeral=True)
    elif response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.edit_original_response(view=panel)
    else:
        await interaction.followup.send(view=panel, ephemeral=True)


def expired(error: discord.HTTPException) -> bool:
    """Whether the interaction cannot be answered any more: too late, or answered already."""
    return error.code in _EXPIRED


def _words(interaction: discord.Interaction[Any], error: BaseException) -> str:
    if isinstance(error, NotAllowed):
        return str(error)
    if isinstance(error, StudiiBotError):
        return sentence(str(error), LONGEST)
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        log.info("Someone used a command as it was before: %s", error)
        return OUTDATED
    reference = secrets.token_hex(3)
    what = interaction.command.qualified_name if interaction.command else interaction.type.name
    about = {"job": _job_in(interaction)}
    log.error("Something went wrong in %s (reference %s)", what, reference, exc_info=error, extra=about)
    return (
        f"Something went wrong on our side (reference `{reference}`). "
        "Nothing was charged unless a card in the channel says so. "
        "Please try again; if it stays like this, give the reference to whoever hosts this bot."
    )


def _job_in(interaction: discord.Interaction[Any]) -> str | None:
    """The job whose button was pressed or whose form was sent: its id stands in the custom id."""
    found = _JOB_ID.search(str((interaction.data or {}).get("custom_id", "")))
    return None if found is None else found[0]
