"""`python -m bot invite`: the URL with which an admin adds the bot to a server."""

import discord

from bot.aio.net import Proxy
from bot.client.login import application_of

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
SCOPES = ("bot", "applications.commands")


async def invitation(token: str, proxy: Proxy | None) -> str:
    """Return the invitation's URL.

    Raises `SettingsError` if Discord refuses the token, `StudiiBotError` if Discord can't be reached.
    """
    application = await application_of(token, proxy)
    return discord.utils.oauth_url(application.id, permissions=INVITE_PERMISSIONS, scopes=SCOPES)
