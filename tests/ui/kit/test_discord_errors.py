"""The one list of what a call to Discord can raise."""

import asyncio

import aiohttp
import discord
import pytest

from bot.ui.kit.discord_errors import DISCORD_ERRORS


@pytest.mark.parametrize(
    "error",
    [
        discord.RateLimited(5.0),
        discord.ConnectionClosed,
        discord.HTTPException,
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
)
def test_all_that_discord_and_the_way_to_it_raise_is_in_the_list(error: Exception | type[Exception]) -> None:
    kind = error if isinstance(error, type) else type(error)
    assert issubclass(kind, DISCORD_ERRORS)


def test_a_mistake_of_ours_and_a_cancellation_are_not() -> None:
    assert not issubclass(KeyError, DISCORD_ERRORS)
    assert not issubclass(asyncio.CancelledError, DISCORD_ERRORS)
