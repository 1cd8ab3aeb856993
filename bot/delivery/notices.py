"""Make the messages of notices, for channels, owners and members."""

from dataclasses import replace

import discord

from bot.delivery.context import DeliveryContext
from bot.delivery.posts import Content, Recipient, Renderer
from bot.engine.workers.notices import Told
from bot.jobs.models import Job
from bot.jobs.results import ForModerators
from bot.posts import Post
from bot.servers.notices import NoticeKind
from bot.ui.admin.credits.credit_requests import answer_panel
from bot.ui.admin.moderation.deciding import asks, nothing_to_decide
from bot.ui.admin.moderation.request_files import open_files
from bot.ui.admin.moderation.requests import approval_request
from bot.ui.admin.moderation.results import result_review
from bot.ui.admin.notices import blocked_panel, notice_panel
from bot.ui.jobs.results.result import ended_elsewhere
from bot.ui.reading.permissions import is_age_restricted, is_manager, stays_there

MAX_CALLED_ROLES = 5  # mentioned in a request; the highest


class NoticeMessages(Renderer):
    """Makes the messages of notices."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    def is_outdated(self, message: discord.Message) -> bool:
        """Return whether it asks for a decision: else it shows that already."""
        return asks(message)

    async def message(self, post: Post, told: Told, there: Recipient, room: int) -> Content:
        """Return the message of a notice."""
        names, guild = self._context.names, self._context.client.get_guild(post.guild_id)
        server = None if there.person is None or guild is None else guild.name
        match NoticeKind(post.kind):
            case NoticeKind.APPROVAL | NoticeKind.REVIEW as kind if told.job is not None:
                if told.shown is not None:
                    return await self._request(post, told.job, told.shown, there, room)
                return Content(nothing_to_decide(told.job, names, result=kind is NoticeKind.REVIEW))
            case NoticeKind.BLOCKED:
                return Content(blocked_panel(post.details, server or ""))
            case NoticeKind.ENDED:
                return Content(ended_elsewhere(server or ""))
            case NoticeKind.CREDITS_ANSWER:
                known = server if guild is None else guild.name
                member = discord.Object(int(post.details.get("user") or 0), type=discord.User)
                return Content(answer_panel(post.details, names, known or ""), mentions=_mentions([member]))
            case _:
                called = [] if server is not None or guild is None else _called(post, guild)
                hidden = told.job is not None and self._is_hidden(told.job, there)
                panel = notice_panel(post, names, told.job, server, hidden=hidden, called=called)
                return Content(panel, mentions=_mentions(called))

    async def _request(
        self, post: Post, job: Job, shown: ForModerators, there: Recipient, room: int
    ) -> Content:
        """Return what is to be decided on, with as much of its files as there is room for."""
        hidden, names = self._is_hidden(job, there), self._context.names
        shown = replace(shown, photos=(), result=None) if hidden else shown
        files = await open_files(shown, max(0, room), self._context.drawing)
        if post.kind == NoticeKind.REVIEW:
            view = result_review(job, names, files, mark=post.mark, hidden=hidden)
        else:
            view = approval_request(shown, names, post.mark, files, hidden=hidden)
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
