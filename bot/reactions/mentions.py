"""Answer messages that mention the bot."""

from datetime import timedelta
from typing import cast

import discord

from bot import posts
from bot.aio.tasks import OutageRetry
from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits.prices import price_table
from bot.jobs.decide import why_closed
from bot.languages import ReaderLanguages, speaking
from bot.reactions.events import Backlog, by_a_person
from bot.resources import Resources
from bot.servers import access, settings
from bot.ui.help import mentioned_panel
from bot.ui.jobs.choosing import NO_TOOL_TAKES_IT, UNSEEN, mentions, offer_panel, read_mention, tools_for
from bot.ui.kit.answers import NO_MENTIONS, tolerated
from bot.ui.kit.layout import QUIET, Panel, boxed, shortened
from bot.ui.reading.permissions import channel_in, member_context_in, missing_to_post

OFFERED_FOR = timedelta(minutes=10)  # then an offer that no one took is removed


class MentionWatch:
    """Answers mentions, a few at a time. `posted` is called for every message, and waits for nothing."""

    def __init__(
        self,
        client: discord.Client,
        resources: Resources,
        catalog: Catalog,
        clock: Clock,
        readers: ReaderLanguages,
    ) -> None:
        self._client, self._resources, self._catalog = client, resources, catalog
        self._clock, self._readers = clock, readers
        self._until_back = OutageRetry()
        self.waiting: Backlog[discord.Message] = Backlog(
            "answers to mentions",
            self._answer,
            bound=20,
            bound_in_all=200,
            at_once=4,
        )

    def posted(self, message: discord.Message) -> None:
        """Handle a new message."""
        member, user = message.author, self._client.user
        if message.guild is None or user is None or not isinstance(member, discord.Member):
            return
        if not by_a_person(message) or not mentions(message, user):
            return
        self.waiting.put(message.guild.id, message)

    async def _answer(self, message: discord.Message) -> None:
        member = cast(discord.Member, message.author)
        guild, channel = member.guild, channel_in(member.guild, message.channel.id)
        if channel is None or missing_to_post(channel.permissions_for(guild.me), channel, file=False):
            return  # it is gone, or nothing can be answered in it
        with speaking(await self._readers.in_server(guild.id)):
            panel, offers = await self._panel(message, member, channel)
        with tolerated("A mention could not be answered"):
            said = await message.reply(view=panel, mention_author=False, allowed_mentions=NO_MENTIONS)
            if offers:  # it was answered, and is not once more after an outage
                now, place = self._clock.now(), f"c{channel.id}"
                about = guild.id, posts.OFFER, str(said.id)
                until = now + OFFERED_FOR
                await self._until_back.run(
                    lambda: self._resources.db.write(
                        posts.want,
                        *about,
                        at=now,
                        due_at=until,
                        expires_at=until,
                        place=place,
                        message_id=said.id,
                    )
                )

    async def _panel(
        self,
        message: discord.Message,
        member: discord.Member,
        channel: discord.abc.GuildChannel | discord.Thread,
    ) -> tuple[Panel, bool]:
        """Return the answer, and whether it offers tools."""
        guild_id, context = member.guild.id, member_context_in(member, channel)
        mention = await read_mention(message, self._client, self._resources)
        if mention.unseen:
            return boxed(QUIET, UNSEEN), False
        closed = why_closed(await self._resources.db.read(settings.of, guild_id))
        if closed is not None:
            return boxed(QUIET, closed), False
        if not mention.photos and not mention.words:
            return mentioned_panel(), False
        rules = await self._resources.db.read(access.of, guild_id, self._resources.clock.now())
        denials = access.denials(rules, member.id, context, self._catalog)
        table = await self._resources.db.read(price_table, guild_id)
        prices = [table.listed(tool) for tool in tools_for(mention, list(self._catalog.tools.values()))]
        allowed = [one for one in prices if one.tool.slug not in denials]
        if allowed:
            return offer_panel(message, mention, allowed), True
        reason = next((denials[one.tool.slug] for one in prices), NO_TOOL_TAKES_IT)
        return boxed(QUIET, shortened(str(reason), 1400)), False
