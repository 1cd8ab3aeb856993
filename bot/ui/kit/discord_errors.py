"""The one list of what a call to Discord can raise when Discord, or the way to it, is the reason."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

import discord

from bot.aio.net import NO_CONNECTION
from bot.errors import Refused
from bot.languages import Message

_log = logging.getLogger(__name__)

DISCORD_ERRORS = (discord.DiscordException, *NO_CONNECTION)
NO_ACCESS = (discord.Forbidden, discord.NotFound)  # it is gone, or not for the bot


@contextmanager
def tolerated(what: str, *values: object) -> Generator[None]:
    """Go on after an error of Discord's in the block. It is logged as `what`, in the style of a log call."""
    try:
        yield
    except DISCORD_ERRORS as error:
        _log.info(f"{what}: %r", *values, error)


@contextmanager
def refused_as(unreachable: Message, *, gone: Message | None = None) -> Generator[None]:
    """Raise `Refused` in place of an error of Discord's in the block; with `gone` if that is `NO_ACCESS`."""
    try:
        yield
    except DISCORD_ERRORS as error:
        lost = gone is not None and isinstance(error, NO_ACCESS)
        raise Refused(gone if lost else unreachable) from error
