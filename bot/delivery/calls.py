"""Call Discord within a time, and return what became of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord

from bot.delivery.errors import Outcome, outcome_of
from bot.ui.kit.discord_errors import DISCORD_ERRORS

_Answer = TypeVar("_Answer")
_Failure = TypeVar("_Failure")


async def answer_within(
    seconds: float, call: Awaitable[_Answer], failed: Callable[[Exception], _Failure]
) -> _Answer | _Failure:
    """Return what the call to Discord returns within the time, or what `failed` returns for its error."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except DISCORD_ERRORS as error:
        return failed(error)


async def error_within(seconds: float, call: Awaitable[None]) -> Exception | None:
    """Make a call to Discord that ends within the time. Return its error, or None if it was made."""
    return await answer_within(seconds, call, lambda error: error)


async def unless_too_large(call: Awaitable[_Answer]) -> _Answer | None:
    """Return what the call returns, or None if Discord refused its files as too large."""
    try:
        return await call
    except discord.HTTPException as error:
        if outcome_of(error) is not Outcome.TOO_LARGE:
            raise
        return None
