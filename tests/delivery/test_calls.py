"""What becomes of a call to Discord that fails, or does not end."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.delivery.calls import answer_within, error_within, unless_too_large
from bot.delivery.errors import RETRY_SECONDS, may_pass, seconds_until_again


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="")
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    return kinds.get(status, discord.HTTPException)(response, {"code": code, "message": ""})


DELETED = refusal(404, 10008)
CLOSED = refusal(403, 50001)
BUSY = refusal(503)


async def fails(error: Exception) -> None:
    raise error


async def test_a_call_that_does_not_end_is_given_up_and_made_again_later() -> None:
    error = await error_within(0.01, asyncio.sleep(60))
    assert isinstance(error, TimeoutError)
    assert may_pass(error)


async def test_a_call_that_was_made_has_no_error_and_its_answer_is_handed_on() -> None:
    assert await error_within(60, asyncio.sleep(0)) is None
    assert await answer_within(60, asyncio.sleep(0, "said"), repr) == "said"
    assert await answer_within(60, fails(CLOSED), lambda error: error) is CLOSED


@pytest.mark.parametrize("error", [KeyError("a mistake of ours"), asyncio.CancelledError()])
async def test_what_is_no_error_of_discords_passes(error: BaseException) -> None:
    async def call() -> None:
        raise error

    with pytest.raises(type(error)):
        await error_within(60, call())


async def test_only_a_message_that_is_too_large_is_none() -> None:
    for too_large in (refusal(413), refusal(400, 40005)):
        assert await unless_too_large(fails(too_large)) is None
    with pytest.raises(discord.Forbidden):
        await unless_too_large(fails(CLOSED))


def test_only_what_will_never_be_possible_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert seconds_until_again(None, "Server %d: it stays", 7) is None
    assert seconds_until_again(BUSY, "Server %d: it stays", 7) == RETRY_SECONDS
    assert not caplog.records
    assert seconds_until_again(DELETED, "Server %d: it stays", 7) is None
    (line,) = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.INFO, f"Server 7: it stays: {DELETED!r}")
