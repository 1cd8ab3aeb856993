"""Keeping a deferral for a restart holds up nobody's answer, however long its store takes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.aio.shield import shielded
from bot.delivery import DeferralJournal
from bot.delivery.deferrals import journal as journal_module
from bot.ui.kit.deferral import LateAnswer
from bot.vault import Vault
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE

INTERACTION: Any = SimpleNamespace(
    id=1, application_id=2, token="token", guild_id=3, channel_id=4, user=SimpleNamespace(id=5)
)


class HangingStore:
    """A store that never answers, as on a disk or a server that hangs. No statement of it can be given up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.over = asyncio.Event()
        asyncio.get_running_loop().call_later(10.0, self.over.set)  # or a failure would hang, too

    async def keep(self, interaction_id: int, guild_id: int, sealed: bytes, /) -> None:
        await self._hang("keep")

    async def drop(self, interaction_id: int, /) -> None:
        await self._hang("drop")

    async def left(self) -> list[tuple[int, bytes]]:
        return []

    async def _hang(self, call: str) -> None:
        self.asked.append(call)
        await shielded(self.over.wait())


async def test_where_the_store_hangs_people_get_their_answers_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "KEPT_WITHIN", 0.01)
    store = HangingStore()
    journal = DeferralJournal(store, Vault.open((), tmp_path / "encryption.key"), FakeClock())
    async with asyncio.timeout(PATIENCE):
        await journal.remember(INTERACTION, private=True, answer=LateAnswer.CHANGE)
        assert await journal.unanswered() == []
        journal.give_up(INTERACTION)
        ((given_up, _),) = await journal.unanswered()
        await journal.forget(INTERACTION)
        assert await journal.unanswered() == []
        assert (given_up, store.asked) == (INTERACTION.id, ["keep", "drop"])
        assert [one.message for one in caplog.records] == [
            "Deferred answers can't be stored for a restart: its store hangs"
        ]
        store.over.set()


class FailingStore(HangingStore):
    """A store that fails while it is `away`."""

    away = True

    async def _hang(self, call: str) -> None:
        if self.away:
            raise ConnectionRefusedError


async def test_it_is_logged_once_that_deferrals_cant_be_stored_until_they_can_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore()
    journal = DeferralJournal(store, Vault.open((), tmp_path / "encryption.key"), FakeClock())
    for away, warnings in ((True, 1), (True, 1), (False, 1), (True, 2), (True, 2)):
        store.away = away
        await journal.remember(INTERACTION, private=True, answer=LateAnswer.CHANGE)
        await journal.forget(INTERACTION)
        assert len(caplog.records) == warnings
