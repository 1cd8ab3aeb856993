"""Answers to interactions that a handler or a kill left unanswered after they had been deferred."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import discord

from bot.aio.loops import run_forever
from bot.backoff import backoff
from bot.catalog import Catalog
from bot.db import Database
from bot.db_failures import UNUSABLE
from bot.delivery.deferrals.journal import DeferralJournal, Deferred
from bot.jobs import queries
from bot.jobs.cards import CardShown, note_shown
from bot.jobs.models import Job, Progress
from bot.languages import ReaderLanguages, lazy, speaking, spoken
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
        "The bot was interrupted before it could answer. Try again. If you were changing something, first "
        "check whether it was done."
    ),
    LateAnswer.VIEW: lazy("The bot was interrupted before it could answer. Try again."),
}
FINISHING_TRIES = 20  # after the first: more than a token lives, also if the clock is wrong
FINISH_AGAIN_SECONDS = 2.0  # after a failure; doubles
MAX_FINISH_AGAIN_SECONDS = 60.0


class LateAnswers:
    """Answers what handlers gave up, and what an earlier process, or an earlier life, left unanswered."""

    def __init__(
        self,
        journal: DeferralJournal,
        client: discord.Client,
        db: Database,
        catalog: Catalog,
        readers: ReaderLanguages,
    ) -> None:
        self._journal = journal
        self._client = client
        self._db = db
        self._names = ToolNames(catalog)
        self._readers = readers

    async def run(self) -> None:
        """Give the answers now, and whenever there may be more to give, until cancelled."""
        what = "answering what was left"  # Untranslated: in the log
        await run_forever(what, self._journal.wake_up, self.answer_left)

    async def answer_left(self) -> None:
        """Answer what is left.

        What fails is tried again until its token has expired; what is left at a stop is for the next start.
        It is read again each time: another process may have taken over its servers, or answered it.
        """
        tries = 0
        while not await self._answer_all() and tries < FINISHING_TRIES:
            tries += 1
            await asyncio.sleep(backoff(tries, FINISH_AGAIN_SECONDS, MAX_FINISH_AGAIN_SECONDS))

    async def _answer_all(self) -> bool:
        try:
            left = await self._journal.unanswered()
        except UNUSABLE as error:
            _log.warning("Deferred answers can't be read: %r", error)
            return False
        failed = 0
        for interaction_id, deferred in left:
            try:
                with speaking(await self._readers.of_person(deferred.user_id, deferred.guild_id)):
                    await self._answer(interaction_id, deferred)
            except discord.NotFound as error:
                _log.info("A deferred answer can't be sent any more: %r", error)
            except (*DISCORD_ERRORS, *UNUSABLE) as error:
                _log.info("A deferred answer could not be sent yet: %r", error)
                failed += 1
                continue
            await self._journal.drop(interaction_id)
        if left:
            _log.info("Went through %d unanswered interactions; %d will be tried again.", len(left), failed)
        return not failed

    async def _answer(self, interaction_id: int, deferred: Deferred) -> None:
        started = await self._started(interaction_id, deferred)
        hook = discord.Webhook.partial(deferred.application_id, deferred.token, client=self._client)
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
        shown_in = await self._show_card(hook, deferred, started)
        # The engine shows a running job again, with its position or time, which is unknown here.
        for one in started:
            shown = CardShown(one.id, shown_in, one.version if one.over else 0)
            await self._db.write_together(note_shown, shown)

    async def _started(self, interaction_id: int, deferred: Deferred) -> Sequence[Job]:
        """Return the job that was accepted for it, or the whole set; none if nothing was."""
        if deferred.answer is not LateAnswer.CARD:
            return ()
        which = (deferred.guild_id, deferred.user_id, once_key_of(interaction_id))
        return await self._db.read(queries.asked_once, *which)

    async def _show_card(self, hook: discord.Webhook, deferred: Deferred, started: Sequence[Job]) -> int:
        """Show the card of the job or the set in place of the deferral. Return the message's id."""
        job = started[0]
        with speaking(spoken() if job.private else await self._readers.in_server(job.guild_id)):
            card = card_of(job, self._names, Progress(whole_set=tuple(started)))
        if job.private and not deferred.private:
            return await tell_instead(hook, deferred.message, card)  # the public answer would show it to all
        return (await hook.edit_message(deferred.message, view=card, allowed_mentions=NO_MENTIONS)).id


async def _tell(hook: discord.Webhook, deferred: Deferred, panel: Panel) -> None:
    if deferred.private:
        await hook.edit_message(deferred.message, view=panel)
    else:
        await tell_instead(hook, deferred.message, panel)
