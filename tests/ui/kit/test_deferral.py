"""A deferral whose answer was lost: Discord is asked whether it was taken."""

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.ui.kit.deferral import Deferral, LateAnswer
from tests.support.simulated.delivery import NoAnswers


class Kept(NoAnswers):
    """Counts what is kept and forgotten."""

    def __init__(self) -> None:
        self.kept = self.forgotten = 0

    async def defer(self, interaction: discord.Interaction, late: LateAnswer) -> None:
        self.kept += 1

    async def answered(self, interaction: discord.Interaction) -> None:
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
    deferral = Deferral(interaction, kept, LateAnswer.VIEW)
    await deferral.send()
    return deferral, kept


async def test_one_that_discord_took_is_kept() -> None:
    deferral, kept = await sent(4000)
    assert (deferral.taken, kept.kept, kept.forgotten) == (True, 1, 0)


async def test_one_that_discord_did_not_take_is_forgotten() -> None:
    deferral, kept = await sent(error(404, 10015))
    assert (deferral.taken, kept.kept, kept.forgotten) == (False, 1, 1)


@pytest.mark.parametrize("looked_up", [error(503), TimeoutError()])
async def test_one_of_which_discord_does_not_say_is_answered_as_if_it_was_taken(looked_up: Exception) -> None:
    deferral, kept = await sent(looked_up)
    assert (deferral.taken, kept.kept, kept.forgotten) == (True, 1, 0)
