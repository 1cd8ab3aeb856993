"""Post notices in channels, or send them to owners and members."""

import logging
from dataclasses import replace

import discord

from bot.delivery.calls import answer_within, error_within
from bot.delivery.context import DeliveryContext
from bot.delivery.destination import known_channel
from bot.delivery.errors import Outcome, may_pass, outcome_of, outcome_there, outcome_to_tell
from bot.delivery.history import NONCE_SECONDS, find_notice
from bot.domain import Announcement, ChannelGone, ForModerators, Job, Posted, TryLater, Undeliverable
from bot.languages import speaking
from bot.servers.notices import Addressee, Notice, NoticeKind
from bot.ui.admin.access import blocked_panel
from bot.ui.admin.credits.credit_requests import answer_panel
from bot.ui.admin.moderation.deciding import asks, nothing_to_decide
from bot.ui.admin.moderation.request_files import open_files
from bot.ui.admin.moderation.requests import approval_request
from bot.ui.admin.moderation.results import result_review
from bot.ui.admin.notices import notice_panel
from bot.ui.kit.marks import notice_mark
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.kit.uploads import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES
from bot.ui.reading.permissions import is_age_restricted, is_manager, missing_for_warnings, stays_there

_log = logging.getLogger(__name__)

NOTICE_TIMEOUT_SECONDS = 30.0
MAX_CALLED_ROLES = 5  # mentioned in a request; the highest


class NoticePoster:
    """Posts notices in channels, or sends them to owners and members."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    async def post(
        self, notice: Notice, channel_id: int | None, job: Job | None, shown: ForModerators | None = None
    ) -> Announcement | ChannelGone:
        """Post it in that channel. If that is None, send it to the member or the owner whom it is for.

        Trying again posts no second one.
        """
        if channel_id is None:
            call = self._to_person(notice, job)
            return await answer_within(NOTICE_TIMEOUT_SECONDS, call, outcome_to_tell)
        call = self._to_channel(notice, channel_id, job, shown)
        return await answer_within(NOTICE_TIMEOUT_SECONDS, call, outcome_there)

    async def reduce_request(self, job: Job, asked: Notice, channel_id: int) -> bool:
        """Reduce the message with which moderators were asked, unless it shows their decision already.

        It is looked for if it may have been posted without our knowing. Return False if that isn't possible
        now.
        """
        error = await error_within(NOTICE_TIMEOUT_SECONDS, self._reduce(job, asked, channel_id))
        if error is not None:
            _log.info("Job %s: the question to moderators could not be updated: %r", job.id, error)
        return not may_pass(error)

    async def _reduce(self, job: Job, asked: Notice, channel_id: int) -> None:
        channel = self._context.client.get_partial_messageable(channel_id, guild_id=job.guild_id)
        panel = nothing_to_decide(job, self._context.names, result=asked.kind is NoticeKind.REVIEW)
        message_id = asked.message_id
        if message_id is None:
            message_id = await find_notice(channel, self._context.client, asked)
        if message_id is not None and asks(await channel.fetch_message(message_id)):
            partial = channel.get_partial_message(message_id)
            await partial.edit(view=panel, attachments=[], allowed_mentions=NO_MENTIONS)

    async def _to_channel(
        self, notice: Notice, channel_id: int, job: Job | None, shown: ForModerators | None
    ) -> Announcement | ChannelGone:
        known = known_channel(self._context.client, notice.guild_id, channel_id)
        if known is not None and (missing := missing_for_warnings(*known)):
            return ChannelGone(f"the bot lacks {', '.join(missing)}")
        channel = self._context.client.get_partial_messageable(channel_id, guild_id=notice.guild_id)
        return await self._send(channel, notice, job, shown=shown)

    async def _to_person(self, notice: Notice, job: Job | None) -> Announcement:
        guild = self._context.client.get_guild(notice.guild_id)
        if guild is not None and notice.kind.addressee is Addressee.MEMBER:
            return await self._to_member(notice, guild.name)
        if guild is None:
            # Before the gateway is ready no server is known; one that the bot has left never will be.
            return TryLater(5.0)
        if guild.owner_id is None:
            return Undeliverable("the server's owner is unknown")
        channel = await self._context.client.create_dm(discord.Object(guild.owner_id))
        with speaking(await self._context.readers.of_person(guild.owner_id, guild.id)):
            return await self._send(channel, notice, job, server=guild.name)

    async def _to_member(self, notice: Notice, server: str) -> Announcement:
        """Tell a member by DM. If their DMs are closed, an answer is posted where they asked."""
        member = discord.Object(int(notice.details.get("user") or 0))
        with speaking(await self._context.readers.of_person(member.id, notice.guild_id)):
            if notice.kind is NoticeKind.BLOCKED:
                panel = blocked_panel(notice.details, server)
            else:
                panel = answer_panel(notice.details, self._context.names, server)
        try:
            dm = await self._context.client.create_dm(member)
            return Posted((await dm.send(view=panel, nonce=notice.nonce)).id)
        except discord.Forbidden as error:
            _log.info("Server %d: a member takes no DM (%s): %s", notice.guild_id, notice.kind, error)
        if notice.kind is NoticeKind.BLOCKED:
            return Posted(None)  # no one else may read it: a refused command tells them
        place = int(notice.details.get("asked_in") or 0)
        channel = self._context.client.get_partial_messageable(place, guild_id=notice.guild_id)
        only = discord.AllowedMentions(everyone=False, roles=False, users=[member])
        return Posted((await channel.send(view=panel, nonce=notice.nonce, allowed_mentions=only)).id)

    async def _send(
        self,
        channel: discord.abc.Messageable,
        notice: Notice,
        job: Job | None,
        server: str | None = None,
        shown: ForModerators | None = None,
    ) -> Posted:
        if (self._context.clock.now() - notice.created_at).total_seconds() > NONCE_SECONDS:
            found = await find_notice(channel, self._context.client, notice)
            if found is not None:
                return Posted(found)
        client = self._context.client
        there = client.get_channel(channel.id) if isinstance(channel, discord.PartialMessageable) else None
        hidden = job is not None and stays_there(client, job) and not is_age_restricted(there)
        if shown is not None and job is not None:
            shown = replace(shown, photos=(), result=None) if hidden else shown
            return await self._ask(channel, notice, shown, hidden=hidden)
        guild = client.get_guild(notice.guild_id)
        called = [] if server is not None or guild is None else _called(notice, guild)
        message = await channel.send(
            view=notice_panel(notice, self._context.names, job, server, hidden=hidden, called=called),
            nonce=notice.nonce,
            allowed_mentions=discord.AllowedMentions(everyone=False, users=called, roles=called),
        )
        return Posted(message.id)

    async def _ask(
        self, channel: discord.abc.Messageable, notice: Notice, shown: ForModerators, *, hidden: bool
    ) -> Posted:
        """Post what is to be decided on, with as much of its files as Discord takes."""
        guild = self._context.client.get_guild(notice.guild_id)
        limits = [DEFAULT_LIMIT, 0]  # with nothing, if Discord refuses even that
        if guild is not None and guild.filesize_limit > DEFAULT_LIMIT:
            limits.insert(0, guild.filesize_limit)
        for limit in limits:
            files = await open_files(shown, max(0, limit - MESSAGE_MARGIN_BYTES), self._context.drawing)
            names, mark = self._context.names, notice_mark(notice)
            if notice.kind is NoticeKind.REVIEW:
                view = result_review(shown.jobs[0], names, files, mark=mark, hidden=hidden)
            else:
                view = approval_request(shown, names, mark, files, hidden=hidden)
            try:
                message = await channel.send(
                    view=view, files=files.all, nonce=notice.nonce, allowed_mentions=NO_MENTIONS
                )
                return Posted(message.id)
            except discord.HTTPException as error:
                if outcome_of(error) is not Outcome.TOO_LARGE or not limit:
                    raise
            finally:
                files.close()
        raise AssertionError("the last limit either posts or raises")


def _called(notice: Notice, guild: discord.Guild) -> list[discord.Role | discord.Object]:
    """Return the roles with Manage Server, if those are to read the notice where a member asked.

    The owner too, where Discord notifies no one of these roles.
    """
    if notice.kind is not NoticeKind.CREDITS_ASKED or not notice.details.get("in_place"):
        return []
    own = [role for role in guild.roles if not (role.is_default() or role.managed)]
    named = [one for one in own if is_manager(one.permissions)]
    called: list[discord.Role | discord.Object] = [*named[-MAX_CALLED_ROLES:]]
    if guild.owner_id is not None and not any(role.mentionable for role in named):
        called.append(discord.Object(guild.owner_id, type=discord.User))
    return called
