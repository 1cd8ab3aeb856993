"""A deferral whose answer was lost: Discord is asked whether it was taken."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.ui.kit.deferral import Deferral, LateAnswer
from tests.support.simulated.delivery import NoDeferrals


class Kept(NoDeferrals):
    """Remembers under which message an interaction is kept."""

    def __init__(self) -> None:
        self.messages: list[int | None] = []
        self.forgotten = 0

    async def remember(self, *_: Any, message_id: int | None = None, **__: Any) -> None:
        self.messages.append(message_id)

    async def forget(self, interaction: discord.Interaction) -> None:
        self.forgotten += 1


def error(status: int, code: int = 0) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="")
    kind = discord.NotFound if status == 404 else discord.HTTPException
    return kind(response, {"code": code, "message": ""})


async def sent(looked_up: int | Exception) -> tuple[Deferral, Kept]:
    """A deferral whose answer was lost, where Discord says that of its message."""

    async def lost(**_: Any) -> None:
        raise error(503)

    async def original_response() -> Any:
        if isinstance(looked_up, Exception):
            raise looked_up
        return SimpleNamespace(id=looked_up)

    interaction: Any = SimpleNamespace(
        response=SimpleNamespace(defer=lost), original_response=original_response
    )
    kept = Kept()
    deferral = Deferral(interaction, kept, private=True, answer=LateAnswer.VIEW)
    await deferral.send()
    return deferral, kept


async def test_one_that_discord_took_is_kept_with_its_message() -> None:
    deferral, kept = await sent(4000)
    assert (deferral.taken, kept.messages, kept.forgotten) == (True, [None, 4000], 0)


async def test_one_that_discord_did_not_take_is_forgotten() -> None:
    deferral, kept = await sent(error(404, 10015))
    assert (deferral.taken, kept.messages, kept.forgotten) == (False, [None], 1)


@pytest.mark.parametrize("looked_up", [error(503), TimeoutError()])
async def test_one_of_which_discord_does_not_say_is_answered_as_if_it_was_taken(looked_up: Exception) -> None:
    deferral, kept = await sent(looked_up)
    assert (deferral.taken, kept.messages, kept.forgotten) == (True, [None], 0)
