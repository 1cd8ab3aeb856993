"""Delivery in the channel that a job was asked for in: its result, and what else is posted there."""

import logging
from typing import Any

from bot.delivery.calls import error_within
from bot.delivery.context import DeliveryContext
from bot.delivery.errors import may_pass
from bot.delivery.history import find_question
from bot.delivery.notices import NoticeMessages
from bot.delivery.posts import DiscordPosts, Renderer
from bot.delivery.results import ResultMessages
from bot.jobs.confirm import Confirmation
from bot.posts import RESULT, Outcome, Post
from bot.servers.notices import NoticeKind

_log = logging.getLogger(__name__)
REMOVE_SECONDS = 30.0


class DiscordDelivery:
    """Tells people about their jobs, with ordinary messages once an interaction's token has expired."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        renderers: dict[str, Renderer] = dict.fromkeys(NoticeKind, NoticeMessages(context))
        self._posts = DiscordPosts(context, renderers | {RESULT: ResultMessages(context)})

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
