"""/studii approval: which requests a moderator decides on first."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.errors import Refused
from bot.features import approvals
from bot.languages import N_, lazy
from bot.servers import access
from bot.ui.admin.log import everyone_reads
from bot.ui.admin.moderation.approval_panel import approval_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import ensure_can_post_in, server_of
from cogs.studii.group import Command, add_to_studii, function_command, suggesting_tools

OFF_OR_OPTIONS = lazy("Use either `off` or other options, not both. Nothing was changed.")
NOTHING_TO_REMOVE = lazy("Name the `role` or the `tool` to remove. Nothing was changed.")


# Long: eight options, each declared and described.
def approval_command(bot: StudiiBot) -> Command:
    """Build `/studii approval`."""
    db, names = bot.services.db, ToolNames(bot.catalog)

    @function_command(name="approval", description=N_("Show or change what moderators approve first"))
    @app_commands.describe(
        channel=N_("Where requests are posted for moderators"),
        everyone=N_("Whether everyone's requests wait for approval"),
        role=N_("Requests of members with this role wait"),
        tool=N_("Requests for this tool wait"),
        remove=N_("Remove the role or the tool instead"),
        results=N_("Whether their results wait too, before they are posted"),
        approver=N_("The role that can approve; @everyone for members with Manage Messages"),
        off=N_("Turn approval off"),
    )
    @app_commands.autocomplete(tool=suggesting_tools(bot.catalog))
    async def approval(
        interaction: discord.Interaction,
        channel: discord.TextChannel | discord.Thread | None = None,
        everyone: bool | None = None,
        role: discord.Role | None = None,
        tool: str | None = None,
        remove: bool = False,
        results: bool | None = None,
        approver: discord.Role | None = None,
        off: bool = False,
    ) -> None:
        guild_id = server_of(interaction)
        given = (channel, everyone, role, tool, results, approver)
        listed = None if tool is None else bot.catalog.named(tool)
        if off and any(one is not None for one in given):
            raise Refused(OFF_OR_OPTIONS)
        if remove and role is None and tool is None:
            raise Refused(NOTHING_TO_REMOVE)
        if channel is not None:
            ensure_can_post_in(channel)
        if off:
            rules = await db.write(approvals.turn_off, guild_id)
        elif any(one is not None for one in given):
            rules = await db.write(
                approvals.change,
                guild_id,
                channel_id=None if channel is None else channel.id,
                everyone=everyone,
                role_id=None if role is None else role.id,
                tool=listed,
                approver_role=None if approver is None else approver.id,
                results=results,
                remove=remove,
            )
        else:
            rules = await db.read(access.approvals, guild_id)
        public = everyone_reads(interaction.guild, rules.channel_id)
        await answer(interaction, approval_panel(rules, names, public=public))

    return approval


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, approval_command(bot))
