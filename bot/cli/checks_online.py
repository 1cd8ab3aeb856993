"""Doctor's checks of Discord, of Studii, and of the bot's processes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from bot.aio.net import Connector
from bot.cli.checks_machine import runs
from bot.cli.output import Finding, Verdict
from bot.client.login import app_reach, application_of, has_commands_in, recommended_shards
from bot.cluster import all_processes, free_shards, lease_database, shard_counts
from bot.config import Settings
from bot.db_failures import usable_database
from bot.errors import StudiiBotError
from bot.migrate import schema_of
from bot.monitoring import port_taken
from bot.services import count_words
from bot.sqlite_file import sqlite_file
from bot.studii import KeyRefused, NotSent, StudiiClient
from bot.ui.kit.reasons import error_words

CLOCK_MAY_DIFFER = 30.0  # seconds
# Discord requires shards from SERVERS on, and a review from USERS on.
SERVERS, NEAR_SERVERS = 2_500, 2_000
USERS, NEAR_USERS = 10_000, 8_000
NO_KEY_OF_ANYONE = "stu_doctor_asks_whether_you_are_there"


async def discord(settings: Settings) -> list[Finding]:
    """Check the token, the clock, DEV_GUILD_ID, and the allowed intents."""
    token = settings.discord_token.reveal()
    application = await application_of(token, settings.proxy)
    found = [Finding("Discord", Verdict.GOOD, f"The token belongs to {application.name} ({application.id}).")]
    if (ahead := application.clock_ahead) is not None:
        found.append(_clock(ahead))
    server = settings.dev_guild_id
    if server is not None and not await has_commands_in(token, server, settings.proxy):
        words = (
            f"DEV_GUILD_ID: the bot isn't in server {server}. Invite it there, or leave the setting empty."
        )
        found.append(Finding("Commands", Verdict.STOPS, words))
    verdict, words = Verdict.GOOD, "Message content is switched on for the application."
    if settings.message_content == "off":
        words = (
            "MESSAGE_CONTENT is off. Everything works except reactions under members' photos and "
            "photo channels."
        )
    elif not application.reads_messages:
        verdict = Verdict.WARN
        words = (
            "Message content is off. Commands, menus and buttons work; reactions under members' "
            "photos and photo channels don't. Switch it on at discord.com/developers/applications, "
            "Bot, Privileged Gateway Intents."
        )
    return [*found, Finding("Intents", verdict, words)]


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


async def reach(settings: Settings) -> list[Finding]:
    """Say how near the bot is to Discord's limits for large bots."""
    try:
        there = await app_reach(settings.discord_token.reveal(), settings.proxy)
    except StudiiBotError:
        # What is in the way of the login is told by the check of Discord.
        return [Finding("Reach", Verdict.WARN, "Discord couldn't be asked for the bot's servers.")]
    servers = count_words(there.servers, "server", "servers")
    told = [f"The bot is in {servers} with about {there.members:,} members."]
    if there.servers >= NEAR_SERVERS:
        told.append(
            f"From {SERVERS:,} servers on, Discord wants several connections (shards). The bot opens them "
            "automatically when it starts. Restart it then."
        )
    if there.members >= NEAR_USERS and settings.message_content != "off":
        told.append(
            f"From {USERS:,} users on, Discord reviews every year why the bot needs the Message Content "
            "Intent. Apply in the developer portal before that, or set MESSAGE_CONTENT to off."
        )
    return [Finding("Reach", Verdict.WARN if told[1:] else Verdict.GOOD, " ".join(told))]


async def studii(settings: Settings) -> list[Finding]:
    """Check that the API answers."""
    where = settings.studii_api_url
    words = f"{where} accepts an invalid key. Check that STUDII_API_URL is right."
    async with StudiiClient(where, connect=partial(Connector, settings.proxy)) as client:
        try:
            # No server's key is used up for this: being refused is the answer that shows it is there.
            await client.check_key(NO_KEY_OF_ANYONE)
        except KeyRefused:
            return [Finding("Studii", Verdict.GOOD, f"{where} answers.")]
        except StudiiBotError as error:
            reason = error.reason if isinstance(error, NotSent) else ""
            reason = reason or error_words(error).split(". ")[0].rstrip(".")
            words = (
                f"{where} can't be reached ({reason}). Check STUDII_API_URL and this machine's "
                "network. The bot starts anyway, and jobs wait."
            )
    return [Finding("Studii", Verdict.WARN, words)]


async def bot(settings: Settings) -> list[Finding]:
    """Check whether the bot runs; if not, that its health port is free."""
    if sqlite_file(settings.database_url) is None:
        return await processes(settings)
    if await runs(settings):
        words = (
            "Running on this database. A second bot wouldn't start. Stop it before restore and rotate-keys."
        )
        return [Finding("Bot", Verdict.GOOD, words)]
    found = [Finding("Bot", Verdict.GOOD, "No bot is running on this database.")]
    address, port = settings.health_address, settings.health_port
    if port is None:
        return found
    verdict, words = Verdict.GOOD, f"HEALTH_PORT {port} on {address} is free."
    try:
        (await asyncio.get_running_loop().create_server(asyncio.Protocol, address, port)).close()
    except OSError as error:
        verdict, words = Verdict.STOPS, port_taken(address, port, error)
    return [*found, Finding("Health port", verdict, words)]


async def processes(settings: Settings) -> list[Finding]:
    """List the processes that share a PostgreSQL, the shards of each, and those that no process serves.

    Raises `SettingsError` if the database can't be reached.
    """
    url = settings.database_url
    if not (await schema_of(url)).current:
        return [Finding("Bot", Verdict.GOOD, "No bot of this version is running on this database.")]
    with usable_database(url):
        async with lease_database(url) as db:
            known, free = await db.read(all_processes), await db.read(free_shards)
            counts = await db.read(shard_counts)
    alive = any(one.alive for one in known)
    found = [] if alive else [Finding("Bot", Verdict.GOOD, "No bot is running on this database.")]
    for one in known:
        who = f"{one.name} (number {one.epoch}, version {one.version})"
        verdict, words = Verdict.GOOD, f"{who} has stood by since {_time(one.started_at)}."
        if not one.alive:
            verdict, words = Verdict.WARN, f"{who} has ended without giving its shards back."
        elif one.since is not None:
            words = f"{who} has served {_shards(one.shards)} of {counts.shards} since {_time(one.since)}."
        found.append(Finding("Process", verdict, words))
    if alive and free:
        words = (
            f"No process serves {_shards(free)} of {counts.shards}, so the servers there get no answer. "
            "Start another process, or raise SHARDS_PER_PROCESS."
        )
        found.append(Finding("Shards", Verdict.STOPS, words))
    wanted = 0
    if counts.shards:
        with suppress(StudiiBotError):  # what is in the way of the login is told by the check of Discord
            wanted = await recommended_shards(settings.discord_token.reveal(), settings.proxy)
    if wanted > counts.shards:
        words = (
            f"Discord recommends {wanted} shards, and there are {counts.shards}. Stop all processes, set "
            f"SHARD_COUNT to {wanted}, and start them again."
        )
        found.append(Finding("Shards", Verdict.WARN, words))
    return found


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _shards(shards: Sequence[int]) -> str:
    return f"{'shard' if len(shards) == 1 else 'shards'} {', '.join(map(str, shards))}"
