"""/privacy: what others can do with a member's pictures. /forget-me: erase a member's data."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.jobs import best_results
from bot.languages import N_
from bot.servers import access, privacy
from bot.services import Services
from bot.ui.account.forget_me import ask_to_forget_me
from bot.ui.account.privacy import privacy_panel_for
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of


class PrivacyCommands(commands.Cog):
    """The commands with which members decide about their own pictures and data."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(
        name="privacy", description=N_("Show or change what others can do with your pictures")
    )
    @app_commands.describe(
        others_may_use_my_photos=N_("Whether others can use the tools on photos you post"),
        show_my_starred_results=N_(
            "Whether results that members star can be shown in a channel, with your name"
        ),
    )
    @app_commands.guild_only()
    async def privacy(
        self,
        interaction: discord.Interaction,
        others_may_use_my_photos: bool | None = None,
        show_my_starred_results: bool | None = None,
    ) -> None:
        user_id = interaction.user.id
        if others_may_use_my_photos is not None:
            await self._services.db.write(
                access.refuse_photos,
                user_id,
                self._services.clock.now(),
                refuses=not others_may_use_my_photos,
                within=COMMAND_WRITE_TIMEOUT,
            )
        if show_my_starred_results is not None:
            await self._services.db.write(
                best_results.answer, user_id, self._services.clock.now(), agreed=show_my_starred_results
            )
        await answer(interaction, await privacy_panel_for(self._services, user_id))

    @app_commands.command(
        name="forget-me", description=N_("Erase your prompts, links and pictures from this bot; asks first")
    )
    async def forget_me(self, interaction: discord.Interaction) -> None:
        user_id, guild_id = interaction.user.id, server_of(interaction)
        erasable = await self._services.db.read(privacy.erasable, user_id, guild_id)
        await answer(interaction, ask_to_forget_me(*erasable))


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(PrivacyCommands(bot.services))
