"""Delivery in the channel that a job was asked for in: its card kept up to date, and its last word."""

import logging
from typing import Any

import discord

from bot.delivery.calls import error_within
from bot.delivery.cards.card_poster import CardPoster
from bot.delivery.context import DeliveryContext
from bot.delivery.errors import may_pass
from bot.delivery.history import find_question
from bot.delivery.notices import NoticeMessages
from bot.delivery.posts import DiscordPosts, Renderer
from bot.delivery.results import ResultMessages
from bot.jobs.confirm import Confirmation
from bot.jobs.delivery import Announcement
from bot.jobs.models import Job, Progress
from bot.languages import Language, speaking
from bot.posts import RESULT, Outcome, Post
from bot.servers.notices import NoticeKind

_log = logging.getLogger(__name__)
REMOVE_SECONDS = 30.0


class DiscordDelivery:
    """Tells people about their jobs, with ordinary messages once an interaction's token has expired."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._cards = CardPoster(context)
        renderers: dict[str, Renderer] = dict.fromkeys(NoticeKind, NoticeMessages(context))
        self._posts = DiscordPosts(context, renderers | {RESULT: ResultMessages(context)})

    def remember(self, card: str, interaction: discord.Interaction) -> None:
        """Note that this interaction's answer is that card, edited by its token while that lives.

        `card` is the id of its job, or of its set.
        """
        self._context.tokens.remember(card, interaction)

    async def show_card(self, job: Job, progress: Progress) -> float | None:
        """Bring the card up to date. Returns in how many seconds to try again, if that isn't possible now."""
        with speaking(await self._language(job)):
            return await self._cards.show(job, progress)

    async def remove_card(self, job: Job) -> float | None:
        """Remove the card. Returns in how many seconds to try again, if that isn't possible now."""
        with speaking(await self._language(job)):
            return await self._cards.remove(job)

    async def post_card(self, job: Job, progress: Progress) -> Announcement:
        """Post the card in the job's channel, under the photo that started it if one did; without a sound."""
        with speaking(await self._language(job)):
            return await self._cards.post(job, progress)

    async def find_card(self, job: Job) -> Announcement:
        """Find the card that Discord took as a command's answer, although its message id was never stored."""
        return await self._cards.find(job)

    async def remove_question(self, question: Confirmation) -> bool:
        """Remove the message that asks a question. Returns False if that isn't possible now."""
        error = await error_within(REMOVE_SECONDS, self._remove_question(question))
        if error is not None:
            _log.info("A question under a photo could not be removed: %r", error)
        return not may_pass(error)

    def size_limit(self, guild_id: int) -> int:
        """Return how many bytes of files a message in that server may have."""
        return self._posts.size_limit(guild_id)

    async def send(self, post: Post, shown: Any) -> Outcome:
        """Send a post's message."""
        return await self._posts.send(post, shown)

    async def edit(self, post: Post, shown: Any) -> Outcome:
        """Let the post's message show what is so now."""
        return await self._posts.edit(post, shown)

    async def delete(self, post: Post) -> Outcome:
        """Delete the post's message."""
        return await self._posts.delete(post)

    async def find(self, post: Post) -> Outcome:
        """Look for the message of a post that may have been sent without our knowing."""
        return await self._posts.find(post)

    async def _remove_question(self, question: Confirmation) -> None:
        request, client = question.request, self._context.client
        channel = client.get_partial_messageable(request.channel_id, guild_id=request.guild_id)
        found = question.message_id or await find_question(channel, client, question)
        if found is not None:
            await channel.get_partial_message(found).delete()

    async def _language(self, job: Job) -> Language:
        """Return the language of those who see the job's card and result."""
        if job.private:
            return await self._context.readers.of_person(job.user_id, job.guild_id)
        return await self._context.readers.in_server(job.guild_id)
