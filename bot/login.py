"""What Discord tells of the bot's token before the bot connects: whose it is, and what it may ask for."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import aiohttp
import discord

from bot.aio.proxy import NoTunnel, Proxy, connector
from bot.config import LOOKS_LIKE
from bot.errors import SettingsError, StudiiBotError

log = logging.getLogger(__name__)

LOGIN_SECONDS = 30.0
_NO_WAY = (aiohttp.ClientError, TimeoutError, OSError)


async def choose_intents(
    token: str, wanted: Literal["auto", "off"], proxy: Proxy | None = None
) -> discord.Intents:
    """What to ask of the gateway, so that Discord does not refuse the connection.

    A client that asks for nothing logs in first: that proves the token, and tells what the application
    may have. Raises `SettingsError` when Discord refuses the token, `StudiiBotError` when it cannot be
    reached.
    """
    granted = (await application_of(token, proxy)).reads_messages
    if wanted == "auto" and not granted:
        log.info(
            "The application has no message content intent: reactions and photo channels are off; "
            "everything else works. It is on your application's Bot page "
            "(discord.com/developers/applications), under Privileged Gateway Intents."
        )
    return photo_intents() if wanted == "auto" and granted else discord.Intents(guilds=True)


def photo_intents() -> discord.Intents:
    """What it takes to see photos in channels and the emoji under them.

    Commands, menus, buttons and forms need no more than `guilds`.
    """
    return discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, message_content=True)


@dataclass(frozen=True, slots=True)
class Application:
    """What Discord tells of a token's application."""

    id: int
    name: str
    reads_messages: bool  # it may have the message content intent


async def application_of(token: str, proxy: Proxy | None = None) -> Application:
    """Log in and ask, without connecting to the gateway.

    Raises `SettingsError` when Discord refuses the token, `StudiiBotError` when it cannot be reached.
    """
    async with _logged_in(token, proxy) as client:
        user = client.user
        name = user.name if user is not None else ""
        flags = client.application_flags
        reads = flags.gateway_message_content or flags.gateway_message_content_limited
        return Application(client.application_id or 0, name, reads)


async def has_commands_in(token: str, guild_id: int, proxy: Proxy | None = None) -> bool:
    """Whether the bot may register commands in that server. Raises as `application_of`."""
    async with _logged_in(token, proxy) as client:
        try:
            await client.http.get_guild_commands(client.application_id or 0, guild_id)
        except (discord.Forbidden, discord.NotFound):
            return False
    return True


@asynccontextmanager
async def _logged_in(token: str, proxy: Proxy | None) -> AsyncGenerator[discord.Client]:
    client = discord.Client(intents=discord.Intents(guilds=True), connector=connector(proxy, limit=0))
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            await client.login(token)
            yield client
    except discord.LoginFailure as error:
        raise SettingsError(
            "DISCORD_TOKEN was refused by Discord. Copy it again from your application's Bot page "
            f"(discord.com/developers/applications), or reset it there. {LOOKS_LIKE}."
        ) from error
    except discord.HTTPException as error:
        raise StudiiBotError(
            f"Discord answered the login with status {error.status}. Look at discordstatus.com, and start "
            "again in a few minutes."
        ) from error
    except _NO_WAY as error:
        raise StudiiBotError(
            f"Discord could not be reached: {_why(error)}. Look at this machine's network (the bot calls "
            "discord.com and gateway.discord.gg, port 443) and at discordstatus.com, and start again."
        ) from error
    finally:
        await client.close()


def _why(error: Exception) -> str:
    match error:
        case NoTunnel():
            return str(error)
        case TimeoutError():
            return f"no answer within {LOGIN_SECONDS:.0f} s"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "the connection is not safe, something on the way answers in its place"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known here"
        case _:
            return "there is no connection to it"
