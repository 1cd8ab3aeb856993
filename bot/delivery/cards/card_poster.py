"""The cards of jobs on Discord: edited, posted, found again, and removed once a posting is in their place."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord

from bot.delivery.calls import answer_within, error_within
from bot.delivery.cards.edit_rate import EditPace
from bot.delivery.context import DeliveryContext
from bot.delivery.destination import channel_of, missing_there, reply_to
from bot.delivery.errors import (
    UNKNOWN_MESSAGE,
    Outcome,
    announcement_of,
    may_pass,
    outcome_of,
    seconds_until_again,
    seconds_until_retry,
    token_expired,
)
from bot.delivery.history import NONCE_SECONDS, find_card
from bot.delivery.interaction_tokens import CardToken
from bot.jobs.delivery import Announcement, Posted, Undeliverable
from bot.jobs.models import Job, Progress
from bot.jobs.results import photo_message_of
from bot.ui.jobs.card import moved_card
from bot.ui.jobs.sets.set_card import card_of
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import NO_MENTIONS

_log = logging.getLogger(__name__)

EDIT_SECONDS = 30.0
EDIT_AGAIN_SECONDS = 1.5  # until an edit that Discord could not make is tried again
PACE_SECONDS = 1.0  # until a removal for which a channel has no room now is tried again


class CardPoster:
    """Keeps cards up to date: by their interaction's token while it lives, then as ordinary messages."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._pace = EditPace()

    async def show(self, job: Job, progress: Progress) -> float | None:
        """Bring the card up to date. Returns in how many seconds to try again, if that isn't possible now."""
        if job.card_message_id is None:
            return None
        channel_id = job.channel_id if self._context.tokens.get(job) is None else None
        now = self._context.clock.monotonic()
        rest = self._pace.take(channel_id, job.card_message_id, now, ending=job.over)
        if rest is not None:
            return rest
        card = card_of(job, self._context.names, progress)
        error = await error_within(EDIT_SECONDS, self._edit(job, job.card_message_id, card))
        if error is not None:
            _log.info("The card of job %s could not be edited: %r", job.id, error)
        return EDIT_AGAIN_SECONDS if may_pass(error) else None

    async def remove(self, job: Job) -> float | None:
        """Delete the card, in whose place a posting is. Reduce it to one line where it can't be deleted.

        Returns None if that is done, or can never be done; else in how many seconds to try again.
        """
        if job.card_message_id is None:
            return None
        channel_id = job.channel_id if self._context.tokens.get(job) is None else None
        if not self._pace.take_removal(channel_id, self._context.clock.monotonic()):
            return PACE_SECONDS
        error = await error_within(EDIT_SECONDS, self._delete(job, job.card_message_id))
        if error is not None:
            return await self._not_removed(job, job.card_message_id, error)
        self._context.tokens.forget(job)
        return None

    async def post(self, job: Job, progress: Progress) -> Announcement:
        """Post the card in the job's channel, under the photo that started it if one did; without a sound."""
        return await answer_within(EDIT_SECONDS, self._post(job, progress), partial(announcement_of, job))

    async def find(self, job: Job) -> Announcement:
        """Find the card that Discord took as a command's answer, although its message id was never stored."""
        what = "its card could not be searched for"  # Untranslated: in logs
        failed = partial(announcement_of, job, what=what)
        return await answer_within(EDIT_SECONDS, self._find(job), failed)

    async def _not_removed(self, job: Job, message_id: int, error: Exception) -> float | None:
        outcome = outcome_of(error)
        if outcome is Outcome.WAS_DELETED:
            return None  # by a moderator, or before a restart
        _log.info("The card of job %s could not be removed: %r", job.id, error)
        if outcome is Outcome.LATER:
            return seconds_until_retry(error)
        reduced = self._edit(job, message_id, moved_card(job, self._context.names))
        again = await error_within(EDIT_SECONDS, reduced)
        return seconds_until_again(again, "The card of job %s could not be reduced either", job.id)

    async def _edit(self, job: Job, message_id: int, card: Panel) -> None:
        async def by_token(answer: CardToken) -> None:
            if not answer.spoken:
                await answer.webhook.edit_message(message_id, view=card, allowed_mentions=NO_MENTIONS)

        if not await self._by_token(job, by_token) and not job.private:
            message = channel_of(self._context.client, job).get_partial_message(message_id)
            await message.edit(view=card, allowed_mentions=NO_MENTIONS)

    async def _delete(self, job: Job, message_id: int) -> None:
        async def by_token(answer: CardToken) -> None:
            await answer.webhook.delete_message(message_id)

        if not await self._by_token(job, by_token) and not job.private:
            await channel_of(self._context.client, job).get_partial_message(message_id).delete()

    async def _by_token(self, job: Job, act: Callable[[CardToken], Awaitable[None]]) -> bool:
        """Return whether the card could be changed with its interaction's token.

        Nothing else can change what one person alone sees. Raises discord.HTTPException.
        """
        answer = self._context.tokens.get(job)
        if answer is None:
            return False
        try:
            async with answer.turn:
                await act(answer)
        except discord.HTTPException as error:
            if not token_expired(error) or error.code == UNKNOWN_MESSAGE:
                raise
            self._context.tokens.forget(job)  # expired earlier than we thought: continue without it
            return False
        return True

    async def _find(self, job: Job) -> Posted:
        client = self._context.client
        return Posted(await find_card(channel_of(client, job), client, job))

    async def _post(self, job: Job, progress: Progress) -> Announcement:
        missing = missing_there(self._context.client, job, file=False)
        if missing:
            return Undeliverable(f"the bot lacks {', '.join(missing)}")
        channel = channel_of(self._context.client, job)
        if (self._context.clock.now() - job.created_at).total_seconds() > NONCE_SECONDS:
            found = await find_card(channel, self._context.client, job)
            if found is not None:
                return Posted(found)
        parts: dict[str, Any] = {"view": card_of(job, self._context.names, progress), "silent": True}
        if (reference := reply_to(job, photo_message_of(job))) is not None:
            parts["reference"] = reference
        nonce = f"{job.set_id or job.id}-card"
        message = await channel.send(nonce=nonce, allowed_mentions=NO_MENTIONS, **parts)
        return Posted(message.id)
