"""A bot that does just enough to try the simulated Discord with."""

import discord
from discord import app_commands
from discord.ext import commands


class StudioBot(commands.AutoShardedBot):
    """Answers /ask, to the one who asked or to everyone, and keeps the interactions."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned, intents=discord.Intents(guilds=True), shard_count=1
        )
        self.asked: list[discord.Interaction] = []

    async def setup_hook(self) -> None:
        self.tree.add_command(app_commands.Command(name="ask", description="Ask", callback=self._ask))
        await self.tree.sync()

    async def _ask(self, interaction: discord.Interaction, private: bool = False) -> None:
        self.asked.append(interaction)
        await interaction.response.send_message("Working on it", ephemeral=private)
