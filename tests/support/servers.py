"""A server takes the bot in and throws it out, as Discord tells it."""

from typing import Any

from simcord import ChannelHandle
from simcord.backend import serializers

from tests.support.desk import Desk


def cog(desk: Desk) -> Any:
    """Return the cog that handles events of servers. Its module is loaded again for each bot."""
    return desk.bot.get_cog("ServerEvents")


async def leave(desk: Desk) -> None:
    """Remove the bot from the server, as Discord tells it."""
    desk.env.backend.emit("GUILD_DELETE", {"id": str(desk.guild.id)})
    await desk.env.settle()


async def come(desk: Desk) -> None:
    """Add the bot to a server: without a word of whether it was unavailable, Discord means a new one."""
    server = desk.env.backend.get_guild(desk.guild.id)
    payload = dict(serializers.guild_create_payload(desk.env.backend, server))
    del payload["unavailable"]
    desk.env.backend.emit("GUILD_CREATE", payload)
    await desk.env.settle()


async def rejoin(desk: Desk, system_channel: ChannelHandle | None = None) -> None:
    if system_channel is not None:
        desk.env.backend.edit_guild(desk.guild.id, {"system_channel_id": system_channel.id})
    await leave(desk)
    await come(desk)


def greetings(desk: Desk) -> int:
    return sum("Studii is here" in str(one.json) for one in desk.env.http_requests if one.method == "POST")
