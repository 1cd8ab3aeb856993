"""The server in which the bot is tried: its people, its channel, and photos that members have posted."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import PurePath

import discord
from simcord import ChannelHandle, Env, GuildHandle, MemberActor

from bot.clock import Clock
from tests.support.simulated.cdn import SimulatedCdn
from tests.support.simulated.clock import catch_up

SERVER = "Harbour Street Studio"
BOT = "Studii"


@dataclass(frozen=True)
class SimulatedServer:
    """A server on the simulated Discord.

    The simulation lets one person act at a time: hold `turn` around everything that an actor does while a
    page is open, as the page itself does.
    """

    env: Env
    guild: GuildHandle
    channel: ChannelHandle
    admin: MemberActor
    maya: MemberActor
    tom: MemberActor
    cdn: SimulatedCdn
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


async def build_server(
    env: Env,
    clock: Clock,
    photos: Mapping[str, bytes],
    *,
    bot_permissions: discord.Permissions | None = None,
) -> SimulatedServer:
    """Make the server and let its members post the photos, which are given by file name.

    The bot may do what bot_permissions say; without them, everything but administer.
    """
    await catch_up(env, clock)
    env.backend.edit_bot_profile(BOT)
    guild = env.create_guild(SERVER, description="Photos of homes, people and products")
    if bot_permissions is not None:
        _limit_bot(env, guild, bot_permissions)
    admins = guild.create_role("Studio admin", permissions=discord.Permissions(manage_guild=True))
    admin = guild.add_member(env.create_user("nora", global_name="Nora"), roles=[admins])
    maya = guild.add_member(env.create_user("maya", global_name="Maya"))
    tom = guild.add_member(env.create_user("tom", global_name="Tom"))
    channel = guild.create_text_channel(
        "photo-desk", topic="Post a photo, then type / to see what you can make from it"
    )
    await env.settle()
    for author, (name, data) in zip(cycle((maya, tom)), photos.items(), strict=False):
        await author.send(channel, _caption(name), attachments=[(name, data)])
    return SimulatedServer(env, guild, channel, admin, maya, tom, SimulatedCdn(env))


def _limit_bot(env: Env, guild: GuildHandle, permissions: discord.Permissions) -> None:
    state = env.backend.get_guild(guild.id)
    (own_role,) = (state.roles[role] for role in state.members[env.backend.bot_user.id].role_ids)
    env.backend.edit_role(guild.id, own_role.id, {"permissions": permissions.value})


def _caption(file_name: str) -> str:
    return PurePath(file_name).stem.replace("-", " ").replace("_", " ").capitalize()
