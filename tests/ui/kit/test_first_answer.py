"""A form or suggestions come in time, or their person is told, however long a statement hangs."""

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.aio.shield import shielded
from bot.errors import Refused
from bot.ui.kit import first_answer
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE
from tests.support.simulated.delivery import NoAnswers


async def test_a_statement_that_can_not_be_given_up_holds_up_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answer, "FORM_BY", 0.0)
    thawed = asyncio.Event()
    asyncio.get_running_loop().call_later(10.0, thawed.set)  # or a failure would hang, too

    async def hangs() -> list[str]:
        await shielded(thawed.wait())
        return ["too late"]

    clock = FakeClock()
    interaction: Any = SimpleNamespace(extras={}, type=discord.InteractionType.autocomplete)
    first_answer.note_arrival(interaction, clock)
    first_answer.expect_answer(interaction, NoAnswers(), clock)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Refused, match="took too long"):
            await first_answer.read_before_form(interaction, hangs())
        assert await first_answer.read_for_suggestions(interaction, hangs()) == ()
        await first_answer.answering(interaction)
    assert not thawed.is_set()
    thawed.set()
