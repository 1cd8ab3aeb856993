"""/studii access: who may use what."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.domain.access import Permit, PhotoScope
from bot.errors import Refused
from bot.languages import N_, lazy
from bot.services import MAX_BLOCK_HOURS, MAX_BLOCK_REASON_CHARACTERS, AccessChange
from bot.ui.admin.access import access_panel
from bot.ui.admin.access_changes import AccessOptions, access_changes
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
ROLE_OR_CHANNEL = lazy(
    "Name a role or channel, or open the tool to everyone with `change`. Nothing was changed."
)

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
    async def access(
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
        guild_id = server_of(interaction)
        tool = None if tool is None else bot.catalog.named(tool).slug
        if (private or extra) and (tool or channel or change):
            raise Refused(WITH_ROLE_ALONE)

        given = AccessOptions(
            tool, _id(role), _id(channel), change, photos, portraits, private, extra, _id(block), _id(unblock)
        )
        async with services.access.change(guild_id) as changes:
            if private is None and extra is None:
                await _change_tool(changes, given)
            else:
                await _change_options(changes, given)
            await changes.set_photos(
                photos=None if photos is None else PhotoScope(photos),
                portraits=None if portraits is None else PhotoScope(portraits),
            )
            await _change_blocks(changes, given, reason, hours)
        rules, there = await services.access.rules(guild_id), ids_there(interaction)
        await answer(interaction, access_panel(rules, names, there, access_changes(given, names)))

    return access


def _id(named: discord.abc.Snowflake | None) -> int | None:
    return None if named is None else named.id


async def _change_options(changes: AccessChange, given: AccessOptions) -> None:
    roles = [] if given.role is None else [given.role]
    if given.private is not None:
        await changes.set_private(Permit(given.private), roles)
    if given.extra is not None:
        await changes.set_extra(Permit(given.extra), roles)


async def _change_blocks(
    changes: AccessChange, given: AccessOptions, reason: str | None, hours: int | None
) -> None:
    if given.block is not None and given.block == given.unblock:
        raise Refused(lazy("Use either `block` or `unblock`, not both. Nothing was changed."))
    if given.block is None and (reason or hours):
        raise Refused(lazy("`reason` and `hours` are for `block`: name a member there. Nothing was changed."))
    if given.block is not None:
        await changes.block(given.block, reason=reason, hours=hours)
    if given.unblock is not None:
        await changes.unblock(given.unblock)


async def _change_tool(changes: AccessChange, given: AccessOptions) -> None:
    nothing = given.role is None and given.channel is None
    if given.change == "open":
        await changes.unlimit_tool(given.tool)
    elif nothing and (given.tool is not None or given.change is not None):
        raise Refused(ROLE_OR_CHANNEL)
    elif given.change == "out":
        await changes.unlimit_tool(given.tool, role_id=given.role, channel_id=given.channel)
    elif not nothing:
        await changes.limit_tool(given.tool, role_id=given.role, channel_id=given.channel)


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, access_command(bot))
