"""/studii language: what the server's channels show is in this language."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.languages import N_, Language
from bot.servers import settings
from bot.services import Services
from bot.ui.admin.language import language_panel
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from cogs.studii.group import Command, add_to_studii, function_command

AUTOMATIC = "automatic"
_CHOICES = [
    app_commands.Choice(name=N_("Automatic"), value=AUTOMATIC),
    *(app_commands.Choice(name=one.own_name, value=one.value) for one in Language),
]


def language_command(services: Services) -> Command:
    """Build `/studii language`."""

    @function_command(name="language", description=N_("Show or set the language in this server's channels"))
    @app_commands.describe(language=N_("Leave out to see the current one"))
    @app_commands.choices(language=_CHOICES)
    async def language(interaction: discord.Interaction, language: str | None = None) -> None:
        guild_id = server_of(interaction)
        if language is not None:
            chosen = None if language == AUTOMATIC else Language(language)
            await services.db.write(settings.change, guild_id, language=chosen)
        kept = (await services.db.read(settings.of, guild_id)).language
        await answer(interaction, language_panel(kept, interaction.guild))

    return language


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, language_command(bot.services))
