"""Deferred interactions, kept so that those are answered that a handler or a kill left unanswered."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import discord

from bot.aio.bounded import BoundedDict
from bot.aio.retry import backoff
from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery.interaction_tokens import EXPIRY_MARGIN_SECONDS, LIFETIME
from bot.domain import Job, Progress
from bot.languages import ReaderLanguages, lazy, speaking, spoken
from bot.services import JobService
from bot.storage import UNUSABLE, CannotDecrypt, Vault
from bot.ui.jobs.first_card import STARTED
from bot.ui.jobs.sets.set_card import card_of
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.deferral import LateAnswer, once_key_of, tell_instead
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import BAD, QUIET, Panel, boxed
from bot.ui.kit.responses import NO_MENTIONS

_log = logging.getLogger(__name__)

LEFT_UNANSWERED = {
    LateAnswer.CARD: lazy(
        "The bot was interrupted before your job could start. Send the command again. Nothing was charged."
    ),
    LateAnswer.CHANGE: lazy(
        "The bot was interrupted before it could answer. Check whether that was done. If not, try again."
    ),
    LateAnswer.VIEW: lazy("The bot was interrupted before it could answer. Try again."),
}
MAX_KEPT_DEFERRALS = 2000  # those after that are not kept
KEPT_WITHIN = 1.0  # seconds; half of those for which Discord waits are over by then
FINISHING_TRIES = 20  # after the first: more than a token lives, also if the clock is wrong
FINISH_AGAIN_SECONDS = 2.0  # after a failure; doubles
MAX_FINISH_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Deferred:
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
    def read(cls, text: str) -> "_Deferred":
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
    """Deferred interactions, encrypted: their tokens can act in the bot's name."""

    def __init__(self, store: DeferralStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._kept = dict[int, _Deferred]()  # oldest first
        self._given_up = dict[int, _Deferred]()  # by their handlers
        self._tell_given_up: Callable[[], None] = lambda: None
        self._own = BoundedDict[int, None](2 * MAX_KEPT_DEFERRALS)  # of this life, also once answered
        self._finishing = asyncio.Lock()

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
        deferred = self._kept[interaction.id] = _Deferred(
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
        await _stored(self._store.keep(interaction.id, deferred.guild_id, sealed))

    async def forget(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered."""
        await self._drop(interaction.id)

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered by `finish`: its handler could not."""
        deferred = self._kept.get(interaction.id)
        if deferred is not None:
            self._given_up[interaction.id] = deferred
            self._tell_given_up()

    def when_given_up(self, call: Callable[[], None]) -> None:
        """Call `call` whenever a handler has given up, so that `finish` is called."""
        self._tell_given_up = call

    async def finish(
        self, client: discord.Client, jobs: JobService, catalog: Catalog, readers: ReaderLanguages
    ) -> None:
        """Answer what handlers gave up, and what an earlier process, or an earlier life, left unanswered.

        What fails is tried again until its token has expired; what is left at a stop is for the next start.
        """
        finished = await self._finish(client, jobs, catalog, readers)
        for tries in range(1, FINISHING_TRIES + 1):
            if finished:
                return
            await asyncio.sleep(backoff(tries, FINISH_AGAIN_SECONDS, MAX_FINISH_AGAIN_SECONDS))
            finished = await self._finish(client, jobs, catalog, readers)

    async def _finish(
        self, client: discord.Client, jobs: JobService, catalog: Catalog, readers: ReaderLanguages
    ) -> bool:
        """Try once to answer what is left. Return whether nothing of it has to be tried again.

        It is read again each time: another process may have taken over its servers, or answered it. Those
        whose handlers are at work in this life of the process are not among it.
        """
        async with self._finishing:
            try:
                left = await self._left()
            except UNUSABLE as error:
                _log.warning("Deferred answers can't be read: %r", error)
                return False
            failed = 0
            for interaction_id, deferred in left:
                try:
                    with speaking(await readers.of_person(deferred.user_id, deferred.guild_id)):
                        started = await _started(jobs, interaction_id, deferred)
                        await self._answer(client, jobs, catalog, readers, deferred, started)
                except discord.NotFound as error:
                    _log.info("A deferred answer can't be sent any more: %r", error)
                except (*DISCORD_ERRORS, *UNUSABLE) as error:
                    _log.info("A deferred answer could not be sent yet: %r", error)
                    failed += 1
                    continue
                await self._drop(interaction_id)
            if left:
                _log.info(
                    "Went through %d unanswered interactions; %d will be tried again.",
                    len(left),
                    failed,
                )
            return not failed

    async def _answer(
        self,
        client: discord.Client,
        jobs: JobService,
        catalog: Catalog,
        readers: ReaderLanguages,
        deferred: _Deferred,
        started: Sequence[Job],
    ) -> None:
        hook = discord.Webhook.partial(deferred.application_id, deferred.token, client=client)
        hook.type = discord.WebhookType.application  # an interaction's, which can speak to one person
        shown = None
        with contextlib.suppress(discord.NotFound):
            shown = await hook.fetch_message(deferred.message)
            if shown.components or shown.content:
                return  # answered
        # It may have been deleted to tell the person alone, which may not have been done.
        if shown is None and (deferred.private or (started and not started[0].private)):
            return
        if not started:
            await _tell(hook, deferred, boxed(BAD, LEFT_UNANSWERED[deferred.answer]))
            return
        if deferred.private and not started[0].private:
            await _tell(hook, deferred, boxed(QUIET, STARTED))
            return
        own = {None, deferred.message_id, shown.id if shown is not None else None}
        if any(one.card_message_id not in own for one in started):
            await hook.delete_message(deferred.message)  # the engine has posted the card meanwhile
            return
        shown_in = await _show_card(hook, deferred, started, catalog, readers)
        # The engine shows a running job again, with its position or time, which is unknown here.
        for one in started:
            await jobs.card_shown(one.id, shown_in, one.version if one.over else 0)

    async def _left(self) -> list[tuple[int, _Deferred]]:
        """Return what can be answered still, oldest first in each life. What is of no use is deleted.

        Raises one of `UNUSABLE`.
        """
        kept = await self._store.left()
        found: list[tuple[int, _Deferred]] = []
        oldest = self._clock.now() - timedelta(seconds=LIFETIME - EXPIRY_MARGIN_SECONDS)
        for interaction_id, sealed in kept:
            try:
                deferred = _Deferred.read(self._vault.unseal(sealed))
                if deferred.sent_at > oldest:
                    if interaction_id not in self._own:
                        found.append((interaction_id, deferred))
                    continue
            except (ValueError, TypeError, CannotDecrypt):
                pass
            await _stored(self._store.drop(interaction_id))
        for interaction_id, deferred in list(self._given_up.items()):
            if deferred.sent_at > oldest:
                found.append((interaction_id, deferred))
            else:
                await self._drop(interaction_id)
        return found

    async def _drop(self, interaction_id: int) -> None:
        self._kept.pop(interaction_id, None)
        self._given_up.pop(interaction_id, None)
        await _stored(self._store.drop(interaction_id))


async def _started(jobs: JobService, interaction_id: int, deferred: _Deferred) -> Sequence[Job]:
    """Return the job that was accepted for it, or the whole set; none if nothing was."""
    if deferred.answer is not LateAnswer.CARD:
        return ()
    return await jobs.asked_once(deferred.guild_id, deferred.user_id, once_key_of(interaction_id))


async def _show_card(
    hook: discord.Webhook,
    deferred: _Deferred,
    started: Sequence[Job],
    catalog: Catalog,
    readers: ReaderLanguages,
) -> int:
    """Show the card of the job or the set in place of the deferral. Return the message's id."""
    job = started[0]
    with speaking(spoken() if job.private else await readers.in_server(job.guild_id)):
        card = card_of(job, ToolNames(catalog), Progress(whole_set=tuple(started)))
    if job.private and not deferred.private:
        return await tell_instead(hook, deferred.message, card)  # the public answer would show it to all
    return (await hook.edit_message(deferred.message, view=card, allowed_mentions=NO_MENTIONS)).id


async def _tell(hook: discord.Webhook, deferred: _Deferred, panel: Panel) -> None:
    if deferred.private:
        await hook.edit_message(deferred.message, view=panel)
    else:
        await tell_instead(hook, deferred.message, panel)


async def _stored(change: Awaitable[None]) -> None:
    """Wait for the change, but not for long: an answer matters more than what a kill would leave of it."""
    try:
        async with asyncio.timeout(KEPT_WITHIN):
            await change
    except UNUSABLE as error:  # a timeout is an OSError, too
        _log.warning("A deferred answer can't be stored for a restart: %r", error)
