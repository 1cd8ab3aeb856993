"""The least that a bot can do: discord.py alone, which answers each command at once.

It imports nothing of the bot, and takes the same arguments as `counted`.
"""

import sys
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from sandbox.discord.emulator import TOKEN


class Floor(commands.AutoShardedBot):
    """Knows one command."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
        )

    async def setup_hook(self) -> None:
        studio: app_commands.Command[Any, ..., None] = app_commands.Command(
            name="studio", description="Answer", callback=_answer
        )
        self.tree.add_command(studio)


async def _answer(interaction: discord.Interaction[Floor], prompt: str) -> None:
    await interaction.response.send_message(f"Cancel: {prompt}")


if __name__ == "__main__":
    Route.BASE = sys.argv[2]
    Floor().run(TOKEN, log_handler=None)
