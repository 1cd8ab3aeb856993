"""Make the messages of all posts: those of results, questions, refusals, the best results, notices."""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import discord

from bot.delivery.posts import (
    RETRY_SECONDS,
    Content,
    DeliveryContext,
    DiscordPosts,
    Recipient,
    Renderer,
    ensure_final,
    reply_to,
)
from bot.delivery.results import ResultMessages
from bot.engine.messages import Starred, Told
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.jobs.best_results import BEST, BEST_ASK
from bot.jobs.confirm import QUESTION, Confirmation
from bot.jobs.models import Job
from bot.jobs.results import ForModerators
from bot.languages import lazy
from bot.posts import RESULT, Later, Never, Post, Refuse
from bot.reasons import ReasonCode
from bot.servers.notices import REFUSAL, NoticeKind, wanted_credits
from bot.ui.admin.approvals import approval_request, asks, nothing_to_decide, open_files, result_review
from bot.ui.admin.credits import answer_panel
from bot.ui.admin.notices import blocked_panel, notice_panel
from bot.ui.jobs.result import ask_maker, best_panel, ended_elsewhere
from bot.ui.jobs.start import question_panel
from bot.ui.jobs.wording import link_of
from bot.ui.kit.answers import NO_ACCESS, ask_button
from bot.ui.kit.layout import BAD, boxed, lines, row, server_line
from bot.ui.reading.permissions import is_age_restricted, is_manager, stays_there
from bot.ui.reading.photo_lookup import shows_before

_log = logging.getLogger(__name__)

DMS_CLOSED = lazy(
    "{member}, nothing was started, and your DMs are closed, so I can't tell you why. Run the tool from the "
    "photo's menu (Apps) to see the reason."
)


class AsideMessages(Renderer):
    """Makes these messages: questions as silent replies, refusals by direct message or without the reason."""

    async def message(self, post: Post, shown: Any, there: Recipient, room: int) -> Content:
        """Return the question or the refusal."""
        if isinstance(shown, Confirmation):
            above = reply_to(post.guild_id, shown.channel_id, shown.origin_message_id)
            return Content(question_panel(shown, self._context.catalog), reply_to=above, silent=True)
        told = post.details
        if there.person is None:
            member = discord.Object(int(told["user"]), type=discord.User)
            mentions = discord.AllowedMentions(
                everyone=False, roles=False, users=[member], replied_user=False
            )
            above = reply_to(post.guild_id, told["channel"], told["message"])
            panel = boxed(BAD, DMS_CLOSED.using(member=f"<@{member.id}>"))
            return Content(panel, mentions=mentions, reply_to=above)
        guild, wanted = self._context.client.get_guild(post.guild_id), wanted_credits(post)
        panel = boxed(BAD, lines(told["words"], server_line("" if guild is None else guild.name)))
        if wanted is not None:
            panel.add_item(row(ask_button(wanted)))
        return Content(panel)


MAX_FILES = 10  # of a message

Read = Callable[[str, int], Awaitable[bytes]]
"""Read a file from Discord, up to a number of bytes. Raises `PhotoUnavailable`, or `PhotoDelayed`."""


class BestMessages(Renderer):
    """Makes the messages, one at a time: their files are held in memory meanwhile."""

    def __init__(self, context: DeliveryContext, read: Read) -> None:
        super().__init__(context)
        self._read, self.turn = read, asyncio.Lock()

    async def message(self, post: Post, starred: Starred, there: Recipient, room: int) -> Content:
        """Return the result with its files as they were posted, or the question whether it may be shown."""
        job, rules = starred
        catalog, guild = self._context.catalog, self._context.client.get_guild(post.guild_id)
        channel_id, message_id = int(post.details["channel"] or 0), int(post.details["message"] or 0)
        link = link_of(post.guild_id, channel_id, message_id)
        if post.kind == BEST_ASK:
            server = "" if guild is None else guild.name
            return Content(ask_maker(job, link, server, rules.best_channel_id or 0, catalog))
        if guild is not None and not self._may_be_there(guild, channel_id, starred, there.channel.id):
            _log.info("Server %d: a result stays in its channel, which is not for everyone", post.guild_id)
            raise Refuse(Never())
        channel = self._context.client.get_partial_messageable(channel_id, guild_id=post.guild_id)
        try:
            message = await channel.get_partial_message(message_id).fetch()
        except NO_ACCESS as error:
            ensure_final(error)
            raise Refuse(Never()) from error
        media = [one for one in _media(message.components) if not shows_before(one.media.url)][:MAX_FILES]
        files = await self._files(media, room) if room > 0 else []
        return Content(best_panel(job, link, catalog, rules, list(zip(files, media, strict=False))), files)

    def _may_be_there(
        self, guild: discord.Guild, channel_id: int, starred: Starred, best_channel_id: int
    ) -> bool:
        """Return whether all who see the channel for the best may see what was posted in the other one."""
        there = guild.get_channel_or_thread(best_channel_id)
        # A thread that was archived is in no cache; results in threads are asked for in their channel.
        here = guild.get_channel_or_thread(channel_id) or guild.get_channel_or_thread(starred.job.channel_id)
        age_restricted = stays_there(self._context.client, starred.job) or bool(is_age_restricted(here))
        if age_restricted and not is_age_restricted(there):
            return False
        return _hidden(guild, there) or not _hidden(guild, here)

    async def _files(self, media: list[discord.MediaGalleryItem], room: int) -> list[discord.File]:
        """Read the files, as they were posted, as long as there is room for them in a message."""
        files: list[discord.File] = []
        for one in media:
            try:
                data = await self._read(one.media.url, room)
            except PhotoDelayed as error:
                raise Refuse(Later(RETRY_SECONDS, unsent=True)) from error
            except PhotoUnavailable as error:
                if error.told.code is ReasonCode.PHOTO_LARGER_THAN_TAKEN:
                    break
                raise Refuse(Never("its file is gone")) from error
            room -= len(data)
            name = one.media.url.partition("?")[0].rpartition("/")[2].removeprefix("SPOILER_")
            files.append(discord.File(io.BytesIO(data), name))
        return files


def _media(components: Iterable[Any]) -> Iterator[discord.MediaGalleryItem]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield from component.items
        yield from _media(getattr(component, "children", ()))


def _hidden(guild: discord.Guild, channel: Any) -> bool:
    """Return whether not everyone sees the channel, or the thread's channel."""
    if isinstance(channel, discord.Thread):
        if channel.is_private():
            return True
        channel = channel.parent  # None if it is unknown
    return channel is None or not channel.permissions_for(guild.default_role).view_channel


MAX_CALLED_ROLES = 5  # mentioned in a request; the highest


class NoticeMessages(Renderer):
    """Makes the messages of notices."""

    def is_outdated(self, message: discord.Message) -> bool:
        """Return whether it asks for a decision: else it shows that already."""
        return asks(message)

    async def message(self, post: Post, told: Told, there: Recipient, room: int) -> Content:
        """Return the message of a notice."""
        catalog, guild = self._context.catalog, self._context.client.get_guild(post.guild_id)
        server = None if there.person is None or guild is None else guild.name
        match NoticeKind(post.kind):
            case NoticeKind.APPROVAL | NoticeKind.REVIEW as kind if told.job is not None:
                if told.shown is not None:
                    return await self._request(post, told.job, told.shown, there, room)
                return Content(nothing_to_decide(told.job, catalog, result=kind is NoticeKind.REVIEW))
            case NoticeKind.BLOCKED:
                return Content(blocked_panel(post.details, server or ""))
            case NoticeKind.ENDED:
                return Content(ended_elsewhere(server or ""))
            case NoticeKind.CREDITS_ANSWER:
                known = server if guild is None else guild.name
                member = discord.Object(int(post.details.get("user") or 0), type=discord.User)
                return Content(answer_panel(post.details, catalog, known or ""), mentions=_mentions([member]))
            case _:
                called = [] if server is not None or guild is None else _called(post, guild)
                hidden = told.job is not None and self._is_hidden(told.job, there)
                panel = notice_panel(post, catalog, told.job, server, hidden=hidden, called=called)
                return Content(panel, mentions=_mentions(called))

    async def _request(
        self, post: Post, job: Job, shown: ForModerators, there: Recipient, room: int
    ) -> Content:
        """Return what is to be decided on, with as much of its files as there is room for."""
        hidden, catalog = self._is_hidden(job, there), self._context.catalog
        shown = replace(shown, photos=(), result=None) if hidden else shown
        files = await open_files(shown, max(0, room), self._context.drawing)
        if post.kind == NoticeKind.REVIEW:
            view = result_review(job, catalog, files, mark=post.mark, hidden=hidden)
        else:
            view = approval_request(shown, catalog, post.mark, files, hidden=hidden)
        return Content(view, files.all)

    def _is_hidden(self, job: Job, there: Recipient) -> bool:
        """Return whether nothing of what the job was asked for with may be shown there."""
        client = self._context.client
        known = None if there.person is not None else client.get_channel(there.channel.id)
        return stays_there(client, job) and not is_age_restricted(known)


def _mentions(called: list[discord.Role | discord.Object]) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, users=called, roles=called)


def _called(notice: Post, guild: discord.Guild) -> list[discord.Role | discord.Object]:
    """Return the roles with Manage Server, if those are to read the notice where a member asked.

    The owner too, where Discord notifies no one of these roles.
    """
    if notice.kind != NoticeKind.CREDITS_ASKED or not notice.details.get("in_place"):
        return []
    own = [role for role in guild.roles if not (role.is_default() or role.managed)]
    named = [one for one in own if is_manager(one.permissions)]
    called: list[discord.Role | discord.Object] = [*named[-MAX_CALLED_ROLES:]]
    if guild.owner_id is not None and not any(role.mentionable for role in named):
        called.append(discord.Object(guild.owner_id, type=discord.User))
    return called


class DiscordDelivery(DiscordPosts):
    """The messages of all kinds of posts."""

    def __init__(self, context: DeliveryContext, read: Read) -> None:
        renderers: dict[str, Renderer] = dict.fromkeys(NoticeKind, NoticeMessages(context))
        renderers |= dict.fromkeys((QUESTION, REFUSAL), AsideMessages(context))
        renderers |= dict.fromkeys((BEST, BEST_ASK), BestMessages(context, read))
        super().__init__(context, renderers | {RESULT: ResultMessages(context)})
