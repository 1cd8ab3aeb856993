"""Buttons of the log channel."""

from typing import Any

import discord

from bot.errors import Refused
from bot.services import Services
from bot.ui.jobs.buttons import JobButton
from bot.ui.kit.custom_ids import template_of
from bot.ui.kit.layout import QUIET, notice
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import moderates

NOT_YOURS = "To delete it from here you need Manage Server, or Manage Messages in the result's channel."
GONE = "That result is not there any more: it was deleted before."
MAY_NOT = "I may not delete it: in its channel I lack **View Channel**. Delete it there yourself."


class LogDeleteButton(JobButton, template=template_of("logdelete")):
    """Takes a result out of the channel in which it was posted; its line in the log stays."""

    action = "logdelete"
    label = "Delete it"
    style = discord.ButtonStyle.danger

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        job = await services.jobs.get(self.job_id)
        if job is None or job.guild_id != interaction.guild_id or job.result_message_id is None:
            raise Refused(GONE)
        if not moderates(interaction, job):
            raise Refused(NOT_YOURS)
        # Discord may take longer than an interaction waits.
        await interaction.response.defer(ephemeral=True, thinking=True)
        channel = interaction.client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        try:
            await channel.get_partial_message(job.result_message_id).delete()
        except discord.NotFound:
            raise Refused(GONE) from None
        except discord.Forbidden:
            raise Refused(MAY_NOT) from None
        await answer(interaction, notice("The result is deleted. What it cost stays in the ledger.", QUIET))


LOG_BUTTONS: tuple[type[JobButton], ...] = (LogDeleteButton,)
