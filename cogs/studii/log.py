"""/studii log: the channel for warnings."""

from dataclasses import replace

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.errors import NotAllowed, Refused
from bot.languages import N_, lazy
from bot.servers import settings
from bot.servers.settings import LogSettings
from bot.services import Services
from bot.ui.admin.log import LogChannel, everyone_reads, log_panel, post_greeting, trouble_there
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import ensure_can_post_in, server_of
from cogs.studii.group import Command, add_to_studii, function_command

OFF_OR_CHANNEL = lazy("Use either `off` or a channel and what to post, not both. Nothing was changed.")
NOT_NOW = lazy("Set a channel first, with `/studii log channel:`.")


def log_command(services: Services) -> Command:
    """Build `/studii log`."""

    @function_command(name="log", description=N_("Show, set or clear the log channel for warnings"))
    @app_commands.describe(
        channel=N_("Where to post warnings"),
        results=N_("Also post who made what, with a link and a delete button"),
        off=N_("Stop posting"),
    )
    async def log(
        interaction: discord.Interaction,
        channel: LogChannel | None = None,
        results: bool | None = None,
        off: bool = False,
    ) -> None:
        guild_id = server_of(interaction)
        if off and (channel is not None or results):
            raise Refused(OFF_OR_CHANNEL)
        if channel is not None:
            ensure_can_post_in(channel, warnings=True)
        now = await services.db.read(settings.log_of, guild_id)
        place = channel.id if channel else now.channel_id
        wanted = replace(now, channel_id=place, results=now.results if results is None else results)
        if off:
            wanted = replace(now, channel_id=None, results=False)
        elif results is not None and place is None:
            raise Refused(NOT_NOW)
        if wanted != now or channel is not None:
            await _set(interaction, services, now, wanted, channel)
        guild = interaction.guild
        panel = log_panel(
            wanted, trouble_there(guild, wanted), public=everyone_reads(guild, wanted.channel_id)
        )
        await answer(interaction, panel)

    return log


async def _set(
    interaction: discord.Interaction,
    services: Services,
    now: LogSettings,
    wanted: LogSettings,
    channel: LogChannel | None,
) -> None:
    """Store the settings, then greet the channel, if one is given.

    If Discord keeps the bot out of it, the settings are again those of `now`, and `NotAllowed` is raised.
    """
    await _store(services, wanted, works=channel is not None)
    if channel is None:
        return
    try:
        await post_greeting(interaction, channel)
    except NotAllowed:
        await _store(services, now)
        raise


async def _store(services: Services, log: LogSettings, *, works: bool = False) -> None:
    kept = {"results": log.results, "works": works}
    await services.db.write(settings.set_log, log.guild_id, log.channel_id, **kept)


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, log_command(bot.services))
