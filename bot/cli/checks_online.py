"""Doctor's checks of Discord, Studii, the catalogue, and the health port."""

import socket
from functools import partial

from bot.aio.net import Connector
from bot.catalog import Catalog
from bot.cli.checks_cluster import processes
from bot.cli.checks_machine import runs
from bot.cli.findings import Finding, Verdict
from bot.client.login import app_reach, application_of, has_commands_in
from bot.config import Settings
from bot.errors import StudiiBotError
from bot.services import count_words
from bot.storage import sqlite_file
from bot.studii import KeyRefused, NotSent, StudiiClient
from bot.ui.kit.reasons import error_words

CLOCK_MAY_DIFFER = 30.0  # seconds
# Discord requires shards from SERVERS on, and a review from USERS on.
SERVERS, NEAR_SERVERS = 2_500, 2_000
USERS, NEAR_USERS = 10_000, 8_000
NO_KEY_OF_ANYONE = "stu_doctor_asks_whether_you_are_there"


async def discord(settings: Settings) -> list[Finding]:
    """Check the token, DEV_GUILD_ID, and the allowed intents."""
    token = settings.discord_token.reveal()
    application = await application_of(token, settings.proxy)
    found = [Finding("Discord", Verdict.GOOD, f"The token belongs to {application.name} ({application.id}).")]
    if application.clock_ahead is not None:
        found.append(_clock(application.clock_ahead))
    server = settings.dev_guild_id
    if server is not None and not await has_commands_in(token, server, settings.proxy):
        words = (
            f"DEV_GUILD_ID: the bot isn't in server {server}. Invite it there, or leave the setting empty."
        )
        found.append(Finding("Commands", Verdict.STOPS, words))
    if settings.message_content == "off":
        words = (
            "MESSAGE_CONTENT is off. Everything works except reactions under members' photos and "
            "photo channels."
        )
        return [*found, Finding("Intents", Verdict.GOOD, words)]
    if application.reads_messages:
        words = "Message content is switched on for the application."
        return [*found, Finding("Intents", Verdict.GOOD, words)]
    words = (
        "Message content is off. Commands, menus and buttons work; reactions under members' "
        "photos and photo channels don't. Switch it on at discord.com/developers/applications, "
        "Bot, Privileged Gateway Intents."
    )
    return [*found, Finding("Intents", Verdict.WARN, words)]


async def reach(settings: Settings) -> list[Finding]:
    """Say how near the bot is to Discord's limits for large bots."""
    try:
        there = await app_reach(settings.discord_token.reveal(), settings.proxy)
    except StudiiBotError:
        # What is in the way of the login is told by the check of Discord.
        return [Finding("Reach", Verdict.WARN, "Discord couldn't be asked for the bot's servers.")]
    servers = count_words(there.servers, "server", "servers")
    words = f"The bot is in {servers} with about {there.members:,} members."
    advice: list[str] = []
    if there.servers >= NEAR_SERVERS:
        advice.append(
            f"From {SERVERS:,} servers on, Discord wants several connections (shards). The bot opens them "
            "automatically when it starts. Restart it then."
        )
    if there.members >= NEAR_USERS and settings.message_content != "off":
        advice.append(
            f"From {USERS:,} users on, Discord reviews every year why the bot needs the Message Content "
            "Intent. Apply in the developer portal before that, or set MESSAGE_CONTENT to off."
        )
    return [Finding("Reach", Verdict.WARN if advice else Verdict.GOOD, " ".join((words, *advice)))]


async def catalogue(settings: Settings) -> list[Finding]:
    """Check that the catalogue can be loaded."""
    catalog = Catalog.load(settings.studii_tools_file)
    where = settings.studii_tools_file or "the built-in file"
    return [Finding("Catalogue", Verdict.GOOD, f"{len(catalog.tools)} tools from {where}.")]


async def bot(settings: Settings) -> list[Finding]:
    """Check whether the bot runs; if not, that its health port is free."""
    if sqlite_file(settings.database_url) is None:
        return await processes(settings)
    if await runs(settings):
        words = (
            "Running on this database. A second bot wouldn't start. Stop it before restore and rotate-keys."
        )
        return [Finding("Bot", Verdict.GOOD, words)]
    return [Finding("Bot", Verdict.GOOD, "No bot is running on this database."), *_health_port(settings)]


def _health_port(settings: Settings) -> list[Finding]:
    """Check that the port can be had, if no bot runs."""
    if settings.health_port is None:
        return []
    where = f"HEALTH_PORT {settings.health_port} on {settings.health_address}"
    if reason := _taken(settings.health_address, settings.health_port):
        words = f"{where} can't be used ({reason}). Set another port, or stop the program that uses it."
        return [Finding("Health port", Verdict.STOPS, words)]
    return [Finding("Health port", Verdict.GOOD, f"{where} is free.")]


async def studii(settings: Settings) -> list[Finding]:
    """Check that the API answers."""
    where = settings.studii_api_url
    async with StudiiClient(where, connect=partial(Connector, settings.proxy)) as client:
        try:
            # No server's key is used up for this: being refused is the answer that shows it is there.
            await client.check_key(NO_KEY_OF_ANYONE)
        except KeyRefused:
            return [Finding("Studii", Verdict.GOOD, f"{where} answers.")]
        except StudiiBotError as error:
            words = (
                f"{where} can't be reached ({_short(error)}). Check STUDII_API_URL and this machine's "
                "network. The bot starts anyway, and jobs wait."
            )
            return [Finding("Studii", Verdict.WARN, words)]
    words = f"{where} accepts an invalid key. Check that STUDII_API_URL is right."
    return [Finding("Studii", Verdict.WARN, words)]


def _clock(ahead: float) -> Finding:
    if abs(ahead) <= CLOCK_MAY_DIFFER:
        return Finding("Clock", Verdict.GOOD, "It agrees with Discord's.")
    where = "ahead of" if ahead > 0 else "behind"
    words = (
        f"This machine's clock is {abs(ahead):,.0f} seconds {where} Discord's. "
        "Budget periods start at the wrong time, and links expire too early or too late. Let the system "
        "set the clock from the network (timedatectl set-ntp true)."
    )
    return Finding("Clock", Verdict.WARN, words)


def _short(error: StudiiBotError) -> str:
    """Return what was in the way, or else the first sentence of the error's message."""
    if isinstance(error, NotSent) and error.reason:
        return error.reason
    return error_words(error).split(". ", maxsplit=1)[0].rstrip(".")


def _taken(address: str, port: int) -> str | None:
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in found:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(place)
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    return None
