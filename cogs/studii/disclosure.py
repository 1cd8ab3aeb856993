"""/studii disclosure: what results say of how they were made."""

from typing import Any

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.features import posting
from bot.features.posting import MAX_DISCLOSURE_CHARACTERS
from bot.languages import N_
from bot.services import Services
from bot.ui.admin.disclosure import CORNER_NAMES, disclosure_panel, words_for_pictures, words_or_off
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from cogs.studii.group import Command, add_to_studii, function_command

_CORNERS = [app_commands.Choice(name=name, value=one) for one, name in CORNER_NAMES.items()]


def disclosure_command(services: Services) -> Command:
    """Build `/studii disclosure`."""

    @function_command(name="disclosure", description=N_("Show or set the AI label on results"))
    @app_commands.describe(
        line=N_("The line under each result: words of your own, or off"),
        staging=N_("Words on a copy of each staged picture, such as Virtually staged; or off"),
        place=N_("The corner of the picture for these words"),
    )
    @app_commands.choices(place=_CORNERS)
    async def disclosure(
        interaction: discord.Interaction,
        line: app_commands.Range[str, 1, MAX_DISCLOSURE_CHARACTERS] | None = None,
        staging: app_commands.Range[str, 1, MAX_DISCLOSURE_CHARACTERS] | None = None,
        place: str | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        changes: dict[str, Any] = {}
        if line is not None:
            changes["disclosure"] = words_or_off(line)
        if staging is not None:
            changes["staging_label"] = words_for_pictures(staging)
        if place is not None:
            changes["staging_corner"] = place
        rules = await services.db.write(posting.change, guild_id, **changes)
        await answer(interaction, disclosure_panel(rules, changed=bool(changes)))

    return disclosure


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, disclosure_command(bot.services))
