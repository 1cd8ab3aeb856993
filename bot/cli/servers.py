"""`python -m bot invite` and `forget-servers`: the servers that the bot is in, and those that removed it."""

import discord

from bot.client.login import application_of, logged_in, was_removed
from bot.clock import SystemClock
from bot.config import Settings
from bot.db import Database
from bot.errors import SettingsError
from bot.migrate import schema_of
from bot.servers import privacy, settings as server_settings

# What the bot uses, and nothing else. Looking for its own last posting and at a replied-to photo is reading
# the history; offers are reactions, with a server's own emoji among them.
INVITE_PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
    use_external_emojis=True,
)


async def invitation(settings: Settings) -> str:
    """Return the URL with which an admin adds the bot to a server.

    Raises `SettingsError` if Discord refuses the token, `StudiiBotError` if Discord can't be reached.
    """
    application = await application_of(settings.discord_token.reveal(), settings.proxy)
    scopes = ("bot", "applications.commands")
    return discord.utils.oauth_url(application.id, permissions=INVITE_PERMISSIONS, scopes=scopes)


async def forget_servers(settings: Settings) -> str:
    """Erase the Studii keys of the servers that `doctor` names, if Discord still says that the bot is not in
    them, and let the rest of what is kept of them go as after any removal.

    Works while the bot runs, which takes notice within seconds. Raises `SettingsError`, and `StudiiBotError`
    if Discord can't be reached; nothing is changed then.
    """
    if not (await schema_of(settings.database_url)).current:
        raise SettingsError(
            "There is no database of this version yet. Start the bot once, then run this again."
        )
    async with Database.open(settings.database_url) as db:
        missing = await db.read(server_settings.missing)
        if not missing:
            return "There are no servers to forget. Nothing was changed."
        found: dict[bool | None, list[int]] = {}
        async with logged_in(settings.discord_token.reveal(), settings.proxy) as client:
            for guild_id in missing:
                removed = await was_removed(client, guild_id)
                found.setdefault(removed, []).append(guild_id)
                if removed:
                    await db.write(privacy.left, guild_id, SystemClock().now())
        await db.write(server_settings.set_missing, found.get(False, ()), None)
    told = {
        True: "Forgotten, and their Studii keys erased",
        False: "Kept, because the bot is still in these servers",
        None: "Kept, because Discord didn't answer for these servers (run this again)",
    }
    return "\n".join(
        f"{what}: {', '.join(map(str, found[one]))}." for one, what in told.items() if one in found
    )
