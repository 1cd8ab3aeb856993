"""/studii access: who may use what."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.errors import Refused
from bot.languages import N_, lazy
from bot.servers import access
from bot.servers.access import MAX_BLOCK_HOURS, MAX_BLOCK_REASON_CHARACTERS, Permit, PhotoScope
from bot.ui.admin.access import access_panel
from bot.ui.admin.access_changes import access_changes
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import ids_there, server_of
from cogs.studii.group import Command, add_to_studii, function_command, suggesting_tools

WHOSE = [
    app_commands.Choice(name=N_("anyone's photos"), value=PhotoScope.ANYONE.value),
    app_commands.Choice(name=N_("your own photos only"), value=PhotoScope.OWN.value),
]
WHO = [
    app_commands.Choice(name=N_("everyone"), value=Permit.EVERYONE.value),
    app_commands.Choice(name=N_("Manage Server, or the role"), value=Permit.MANAGERS.value),
    app_commands.Choice(name=N_("no one, or the role"), value=Permit.NOBODY.value),
]
CHANGES = [
    app_commands.Choice(name=N_("allow only this role or channel"), value="only"),
    app_commands.Choice(name=N_("remove this role or channel"), value="out"),
    app_commands.Choice(name=N_("open to everyone, everywhere"), value="open"),
]

WITH_ROLE_ALONE = lazy(
    "For `private` and `extra`, give only a `role`, without a tool, channel or change. Nothing was changed."
)
BLOCK_OR_UNBLOCK = lazy("Use either `block` or `unblock`, not both. Nothing was changed.")
FOR_BLOCK = lazy("`reason` and `hours` are for `block`: name a member there. Nothing was changed.")
DESCRIPTION = N_("Show or change who can use what, where, and on whose photos")


# Long: twelve options, each declared and described.
def access_command(bot: StudiiBot) -> Command:
    """Build `/studii access`."""
    services, names = bot.services, ToolNames(bot.catalog)

    @function_command(name="access", description=DESCRIPTION)
    @app_commands.describe(
        tool=N_("The tool for `role` and `channel`; leave out for every tool"),
        role=N_("A role that can use the tool (or `private`, or `extra`)"),
        channel=N_("A channel where the tool works; add more one by one"),
        change=N_("Allow or remove the role or channel, or open the tool"),
        photos=N_("Whose photos members can use the tools on"),
        portraits=N_("Whose photos members can use with tools that change a person"),
        private=N_("Who can get results that only they see"),
        extra=N_("Who can send inputs that the bot doesn't know"),
        block=N_("Block a member from starting jobs here"),
        unblock=N_("Unblock a member"),
        reason=N_("Why you block the member; they read it"),
        hours=N_("For how many hours; leave out to block until you unblock"),
    )
    @app_commands.choices(change=CHANGES, photos=WHOSE, portraits=WHOSE, private=WHO, extra=WHO)
    @app_commands.autocomplete(tool=suggesting_tools(bot.catalog))
    async def command(
        interaction: discord.Interaction,
        tool: str | None = None,
        role: discord.Role | None = None,
        channel: discord.abc.GuildChannel | None = None,
        change: str | None = None,
        photos: str | None = None,
        portraits: str | None = None,
        private: str | None = None,
        extra: str | None = None,
        block: discord.User | None = None,
        unblock: discord.User | None = None,
        reason: app_commands.Range[str, 1, MAX_BLOCK_REASON_CHARACTERS] | None = None,
        hours: app_commands.Range[int, 1, MAX_BLOCK_HOURS] | None = None,
    ) -> None:
        guild_id, now = server_of(interaction), services.clock.now()
        named = None if tool is None else bot.catalog.named(tool)
        tool = None if named is None else named.slug
        if (private or extra) and (tool or channel or change):
            raise Refused(WITH_ROLE_ALONE)

        member, pardoned = _id(block), _id(unblock)
        if member is not None and member == pardoned:
            raise Refused(BLOCK_OR_UNBLOCK)
        if member is None and (reason or hours):
            raise Refused(FOR_BLOCK)
        role_id, channel_id, options = _id(role), _id(channel), (photos, portraits, private, extra)
        given = access.AccessOptions(
            tool, role_id, channel_id, change, *options, member, pardoned, reason, hours
        )
        await services.db.write(
            access.change_rules, guild_id, named, given, now, within=COMMAND_WRITE_TIMEOUT
        )
        rules, there = await services.db.read(access.of, guild_id, now), ids_there(interaction)
        await answer(interaction, access_panel(rules, names, there, access_changes(given, names)))

    return command


def _id(named: discord.abc.Snowflake | None) -> int | None:
    return None if named is None else named.id


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, access_command(bot))
