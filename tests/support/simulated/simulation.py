"""The simulated Discord around the bot, which raises at its end what the bot did not foresee."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import discord
import simcord
import simcord.http.client as simulated
from discord import app_commands

from bot.errors import StudiiBotError
from bot.ui.kit.answers import expired

_path_of = simulated.__dict__["_path_of"]


@asynccontextmanager
async def simulated_discord(
    bot: discord.Client, *, settle_timeout: float, check_errors: bool = True
) -> AsyncGenerator[simcord.Env]:
    """Run the bot in a simulated Discord, which lets each step settle for at most `settle_timeout` seconds.

    Raises at the end what commands, forms and listeners raised, except refusals, which are for people, and
    answers that came too late. With `check_errors=False` it raises nothing.
    """
    simulated.__dict__["_path_of"] = _unquoted  # discord.py quotes the "@" of "@original"
    async with simcord.run(
        bot, shard_count=1, check_errors=check_errors, settle_timeout=settle_timeout
    ) as env:
        _tell_authors(env)
        yield env
        unforeseen = [error for error in env.errors if not _is_told(error)]
        if check_errors and unforeseen:
            raise BaseExceptionGroup("the bot did not foresee these errors", unforeseen)


def _unquoted(url: str) -> str:
    return unquote(_path_of(url))


def _is_told(error: BaseException) -> bool:
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    late = isinstance(cause, discord.HTTPException) and expired(cause)
    return late or isinstance(cause, StudiiBotError)


def _tell_authors(env: simcord.Env) -> None:
    """Let events of added reactions name the author of the message, as Discord's do."""
    emit = env.backend.emit

    def emit_with_author(event: str, payload: Mapping[str, Any]) -> None:
        if event == "MESSAGE_REACTION_ADD" and "message_author_id" not in payload:
            message = env.backend.messages.get(int(payload["channel_id"]), {}).get(int(payload["message_id"]))
            if message is not None:
                payload = {**payload, "message_author_id": str(message.author_id)}
        emit(event, payload)

    env.backend.emit = emit_with_author
