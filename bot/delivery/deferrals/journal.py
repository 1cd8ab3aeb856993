"""Deferred interactions, kept so that those are answered that a handler or a kill left unanswered."""

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import discord

from bot.aio.bounded import BoundedDict
from bot.aio.loops import WakeUp
from bot.clock import Clock
from bot.db_failures import UNUSABLE
from bot.delivery.interaction_tokens import EXPIRY_MARGIN_SECONDS, LIFETIME
from bot.ui.kit.deferral import LateAnswer
from bot.vault import CannotDecrypt, Vault

_log = logging.getLogger(__name__)

MAX_KEPT_DEFERRALS = 2000  # those after that are not kept
KEPT_WITHIN = 0.3  # seconds; half of those for which Discord waits are over by then


@dataclass(frozen=True, slots=True)
class Deferred:
    """An interaction whose answer was deferred at Discord."""

    application_id: int
    token: str
    guild_id: int
    channel_id: int
    user_id: int
    private: bool
    at: str  # when it was deferred, as ISO 8601
    answer: LateAnswer
    message_id: int | None = None

    @classmethod
    def read(cls, text: str) -> "Deferred":
        """Return what was kept as JSON. Raises ValueError or TypeError if it isn't one."""
        kept = cls(**json.loads(text))
        return replace(kept, answer=LateAnswer(kept.answer))

    @property
    def sent_at(self) -> datetime:
        """Return when it was deferred. Raises ValueError if that is unknown."""
        return datetime.fromisoformat(self.at)

    @property
    def message(self) -> Any:
        """Return what names the deferred message at Discord."""
        return "@original" if self.message_id is None else self.message_id


class DeferralStore(Protocol):
    """A store of deferrals. All methods may raise one of `UNUSABLE`."""

    async def keep(self, interaction_id: int, guild_id: int, sealed: bytes, /) -> None:
        """Keep a deferral of the server, or replace it."""
        ...

    async def drop(self, interaction_id: int, /) -> None:
        """Delete the deferral."""
        ...

    async def left(self) -> list[tuple[int, bytes]]:
        """Return what was left in this process's servers by an earlier one, oldest first."""
        ...


class DeferralJournal:
    """Deferred interactions, encrypted: their tokens can act in the bot's name.

    `wake_up` is set when there may be something to answer.
    """

    def __init__(self, store: DeferralStore, vault: Vault, clock: Clock) -> None:
        self.wake_up = WakeUp()
        self._store = store
        self._vault = vault
        self._clock = clock
        self._kept = dict[int, Deferred]()  # oldest first
        self._given_up = dict[int, Deferred]()  # by their handlers
        self._own = BoundedDict[int, None](2 * MAX_KEPT_DEFERRALS)  # of this life, also once answered
        self._changes = set[asyncio.Task[None]]()  # that the store has not made yet
        self._unstored = False  # the last change failed, or took too long

    async def remember(
        self,
        interaction: discord.Interaction,
        *,
        private: bool,
        answer: LateAnswer,
        message_id: int | None = None,
    ) -> None:
        """Keep the interaction: its deferral is sent next, or is that message."""
        now = self._clock.now()
        while self._kept and next(iter(self._kept.values())).sent_at <= now - timedelta(seconds=LIFETIME):
            del self._kept[next(iter(self._kept))]  # its token works no more
        if interaction.id not in self._kept and len(self._kept) >= MAX_KEPT_DEFERRALS:
            return
        self._own[interaction.id] = None
        deferred = self._kept[interaction.id] = Deferred(
            interaction.application_id,
            interaction.token,
            interaction.guild_id or 0,
            interaction.channel_id or 0,
            interaction.user.id,
            private,
            now.isoformat(),
            answer,
            message_id,
        )
        sealed = self._vault.seal(json.dumps(asdict(deferred)))
        await self._stored(self._store.keep(interaction.id, deferred.guild_id, sealed))

    async def forget(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered."""
        await self.drop(interaction.id)

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered later: its handler could not."""
        deferred = self._kept.get(interaction.id)
        if deferred is not None:
            self._given_up[interaction.id] = deferred
            self.wake_up.set()

    def look_again(self) -> None:
        """Let what was left unanswered in servers that are served from now on be answered, too."""
        self.wake_up.set()

    async def unanswered(self) -> list[tuple[int, Deferred]]:
        """Return what handlers gave up, and what an earlier process, or an earlier life, left unanswered.

        Those are left out whose handlers are at work in this life. What can't be answered any more is
        deleted. They are in order, oldest first, in each life. Raises one of `UNUSABLE`.
        """
        kept = await self._store.left()
        found: list[tuple[int, Deferred]] = []
        oldest = self._clock.now() - timedelta(seconds=LIFETIME - EXPIRY_MARGIN_SECONDS)
        for interaction_id, sealed in kept:
            try:
                deferred = Deferred.read(self._vault.unseal(sealed))
                if deferred.sent_at > oldest:
                    if interaction_id not in self._own:
                        found.append((interaction_id, deferred))
                    continue
            except (ValueError, TypeError, CannotDecrypt):
                pass
            await self._stored(self._store.drop(interaction_id))
        for interaction_id, deferred in list(self._given_up.items()):
            if deferred.sent_at > oldest:
                found.append((interaction_id, deferred))
            else:
                await self.drop(interaction_id)
        return found

    async def drop(self, interaction_id: int) -> None:
        """Forget the interaction of that id."""
        self._kept.pop(interaction_id, None)
        self._given_up.pop(interaction_id, None)
        await self._stored(self._store.drop(interaction_id))

    async def _stored(self, change: Coroutine[Any, Any, None]) -> None:
        """Wait for the change, but not for long: an answer matters more than what a kill would leave of it.

        It goes on after that, since a statement of a database that hangs can't be given up.
        """
        if len(self._changes) >= MAX_KEPT_DEFERRALS:
            change.close()
            return
        task = asyncio.create_task(self._make(change), name="storing a deferral")
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        if not (await asyncio.wait({task}, timeout=KEPT_WITHIN))[0]:
            self._not_stored("its store hangs")  # Untranslated: in the log

    async def _make(self, change: Coroutine[Any, Any, None]) -> None:
        try:
            await change
        except UNUSABLE as error:
            self._not_stored(repr(error))
        else:
            self._unstored = False

    def _not_stored(self, why: str) -> None:
        if not self._unstored:
            _log.warning("Deferred answers can't be stored for a restart: %s", why)
        self._unstored = True
