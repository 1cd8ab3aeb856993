"""Make the messages for those who have no interaction: questions, and why nothing was started."""

from typing import Any

import discord

from bot.delivery.context import DeliveryContext
from bot.delivery.destination import reply_to
from bot.delivery.posts import Content, Recipient, Renderer
from bot.features.refusals import wanted_credits
from bot.jobs.confirm import Confirmation
from bot.languages import lazy
from bot.posts import Post
from bot.ui.jobs.confirmation import question_panel
from bot.ui.kit.layout import BAD, boxed, lines, row, server_line
from bot.ui.kit.responses import ask_button

DMS_CLOSED = lazy(
    "{member}, nothing was started, and your DMs are closed, so I can't tell you why. Run the tool from the "
    "photo's menu (Apps) to see the reason."
)


class AsideMessages(Renderer):
    """Makes these messages: questions as silent replies, refusals by direct message or without the reason."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    async def message(self, post: Post, shown: Any, there: Recipient, room: int) -> Content:
        """Return the question or the refusal."""
        if isinstance(shown, Confirmation):
            above = reply_to(post.guild_id, shown.channel_id, shown.origin_message_id)
            return Content(question_panel(shown, self._context.names), reply_to=above, silent=True)
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
