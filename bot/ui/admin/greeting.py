"""Post a message that no person has asked for: in a server's system channel, else to its owner."""

from collections.abc import Callable

import discord

from bot.languages import ReaderLanguages, speaking
from bot.ui.kit.discord_errors import tolerated
from bot.ui.kit.layout import Panel


async def greet(
    client: discord.Client, readers: ReaderLanguages, guild: discord.Guild, message: Callable[..., Panel]
) -> None:
    """Post the message in the system channel, else send it to the owner; `in_server` tells it which."""
    channel = guild.system_channel
    if channel is not None and guild.me is not None:  # pyright: ignore[reportUnnecessaryComparison]
        may = channel.permissions_for(guild.me)
        if may.view_channel and may.send_messages:
            with tolerated("Server %d could not be greeted in its channel", guild.id):
                with speaking(await readers.in_server(guild.id)):
                    panel = message(in_server=True)
                await channel.send(view=panel)
                return
    if guild.owner_id is None:
        return
    with tolerated("The owner of server %d could not be greeted", guild.id):
        owner = await client.fetch_user(guild.owner_id)
        with speaking(await readers.of_person(owner.id, guild.id)):
            panel = message(in_server=False)
        await owner.send(view=panel)
