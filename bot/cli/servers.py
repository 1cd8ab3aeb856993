"""`python -m bot invite` and `forget-servers`: the servers that the bot is in, and those that removed it."""

from functools import partial

import discord

from bot.client.login import application_of, logged_in, was_removed
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import SettingsError
from bot.migrate import schema_of
from bot.services.servers import ServerService
from bot.storage import Storage

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
    async with Storage.open(settings.database_url) as storage:
        servers = ServerService(storage, SystemClock())
        if not await servers.missing():
            return "There are no servers to forget. Nothing was changed."
        async with logged_in(settings.discord_token.reveal(), settings.proxy) as client:
            parted = await servers.forget_missing(partial(was_removed, client))
    told = {
        "Forgotten, and their Studii keys erased": parted.forgotten,
        "Kept, because the bot is still in these servers": parted.kept,
        "Kept, because Discord didn't answer for these servers (run this again)": parted.unanswered,
    }
    return "\n".join(f"{what}: {', '.join(map(str, ids))}." for what, ids in told.items() if ids)
