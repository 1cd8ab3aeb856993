"""The login without the gateway: whose token it is, and which intents the application may use."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import aiohttp
import discord

from bot.aio.net import NO_CONNECTION, Connector, Proxy
from bot.clock import SystemClock
from bot.config import LOOKS_LIKE
from bot.connections import reason_in_words
from bot.errors import SettingsError, Unavailable
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS

_log = logging.getLogger(__name__)

LOGIN_SECONDS = 30.0
_NOT_THERE = frozenset({10004, 50001})  # Unknown Guild, Missing Access
# What discord.py raises for a body that it can't read: a hotel's page instead of Discord's answer.
_NOT_DISCORD = (AttributeError, LookupError, TypeError, ValueError)


async def choose_intents(
    token: str, wanted: Literal["auto", "off"], proxy: Proxy | None = None
) -> discord.Intents:
    """Return the intents to ask for, so that Discord does not refuse the connection.

    A login without the gateway first proves the token, and tells which intents the application may use.
    Raises `SettingsError` if Discord refuses the token, `Unavailable` if it can't be reached.
    """
    granted = (await application_of(token, proxy)).reads_messages
    if wanted == "auto" and not granted:
        _log.info(
            "The application doesn't have the message content intent. Reactions and photo channels "
            "are off; everything else works. Switch it on at discord.com/developers/applications, "
            "Bot, Privileged Gateway Intents."
        )
    return intents_for(photos=wanted == "auto" and granted)


def intents_for(*, photos: bool) -> discord.Intents:
    """Return the intents for mentions, of which Discord shows the content, and for stars under results.

    `photos` in channels and the emoji under them need one more, which has to be granted. Commands, menus,
    buttons and forms need no more than `guilds`.
    """
    return discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, message_content=photos)


@dataclass(frozen=True, slots=True)
class Application:
    """The application that a token belongs to, as Discord describes it."""

    id: int
    name: str
    reads_messages: bool  # it may have the message content intent
    clock_ahead: float | None = None  # seconds of this machine's clock before Discord's, if Discord tells its


async def application_of(token: str, proxy: Proxy | None) -> Application:
    """Log in and ask, without connecting to the gateway.

    Raises `SettingsError` when Discord refuses the token, `Unavailable` when it cannot be reached.
    """
    trace, ahead = aiohttp.TraceConfig(), list[float]()

    async def compare(_: object, __: object, end: aiohttp.TraceRequestEndParams) -> None:
        with suppress(KeyError, TypeError, ValueError):
            told = parsedate_to_datetime(end.response.headers["Date"])
            # Not an injected clock: the machine's own is what is looked at.
            ahead.append((SystemClock().now() - told).total_seconds())

    trace.on_request_end.append(compare)
    async with logged_in(token, proxy, trace) as client:
        user = client.user
        name = user.name if user is not None else ""
        flags = client.application_flags
        reads = flags.gateway_message_content or flags.gateway_message_content_limited
        return Application(client.application_id or 0, name, reads, ahead[-1] if ahead else None)


async def recommended_shards(token: str, proxy: Proxy | None) -> int:
    """Return how many shards Discord recommends for the bot. Raises as `application_of`."""
    async with logged_in(token, proxy) as client, asyncio.timeout(LOGIN_SECONDS):
        recommended, _, _ = await client.http.get_bot_gateway()
    return recommended


async def was_removed(client: discord.Client, guild_id: int) -> bool | None:
    """Return whether the server has removed the bot, or is gone. None if Discord does not say."""
    if client.get_guild(guild_id) is not None:
        return False
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            await client.fetch_guild(guild_id, with_counts=False)
    except NO_ACCESS as error:
        # A proxy may answer with the same status, but not with Discord's own codes.
        return True if error.code in _NOT_THERE else None
    except (*DISCORD_ERRORS, *_NOT_DISCORD) as error:
        _log.info("Discord could not be asked for server %d: %s", guild_id, type(error).__name__)
        return None
    return False


@contextmanager
def told_in_words() -> Generator[None]:
    """Raise what a login meets as a sentence for the operator, as `application_of` does."""
    try:
        yield
    except discord.LoginFailure as error:
        raise SettingsError(
            "Discord refused DISCORD_TOKEN. Copy it again from your application's Bot page "
            f"(discord.com/developers/applications), or reset it there. {LOOKS_LIKE}."
        ) from error
    except discord.HTTPException as error:
        raise Unavailable(
            # Untranslated: the operator reads it.
            f"Discord answered the login with status {error.status}. Check discordstatus.com, and "
            "start again in a few minutes."
        ) from error
    except discord.GatewayNotFound as error:
        raise Unavailable(
            # Untranslated: the operator reads it.
            "Discord didn't say where its gateway is. Check discordstatus.com, and start again in a few "
            "minutes."
        ) from error
    except NO_CONNECTION as error:
        met: Exception = getattr(error, "os_error", error)
        raise Unavailable(
            # Untranslated: the operator reads it.
            f"Discord couldn't be reached: {reason_in_words(met)}. Check this machine's network (the bot "
            "calls discord.com and gateway.discord.gg, port 443) and discordstatus.com, then start again."
        ) from error


@asynccontextmanager
async def logged_in(
    token: str, proxy: Proxy | None = None, trace: aiohttp.TraceConfig | None = None
) -> AsyncGenerator[discord.Client]:
    """Provide a client that is logged in and not connected. Raises as `application_of`."""
    client = discord.Client(
        intents=discord.Intents(guilds=True),
        connector=Connector(proxy, limit=0),
        http_trace=trace or aiohttp.TraceConfig(),
    )
    try:
        with told_in_words():
            try:
                async with asyncio.timeout(LOGIN_SECONDS):
                    await client.login(token)
            except _NOT_DISCORD as error:
                raise Unavailable(
                    # Untranslated: the operator reads it.
                    "Something other than Discord answered at discord.com, such as a proxy or your network's "
                    "login page. Open https://discord.com from this machine, then start again."
                ) from error
            yield client
    finally:
        await client.close()
