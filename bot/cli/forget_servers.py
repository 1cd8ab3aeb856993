"""`python -m bot forget-servers`: confirm that servers have removed the bot."""

from collections.abc import Sequence
from functools import partial

from bot.client.login import logged_in, was_removed
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import SettingsError
from bot.services.servers import ServerService
from bot.storage import Storage, schema_of

NOTHING_TO_FORGET = "There are no servers to forget. Nothing was changed."


async def forget_servers(settings: Settings) -> str:
    """Erase the Studii keys of the servers that `doctor` names, if Discord still says that the bot is not in
    them, and let the rest of what is kept of them go as after any removal.

    Works while the bot runs, which takes notice within seconds. Raises `SettingsError`, and `StudiiBotError`
    if Discord can't be reached; nothing is changed then.
    """
    schema = await schema_of(settings.database_url)
    if not schema.current:
        raise SettingsError(
            "There is no database of this version yet. Start the bot once, then run this again."
        )
    async with Storage.open(settings.database_url) as storage:
        servers = ServerService(storage, SystemClock())
        if not await servers.missing():
            return NOTHING_TO_FORGET
        async with logged_in(settings.discord_token.reveal(), settings.proxy) as client:
            parted = await servers.forget_missing(partial(was_removed, client))
    told = [
        _said(parted.forgotten, "Forgotten, and their Studii keys erased"),
        _said(parted.kept, "Kept, because the bot is still in these servers"),
        _said(parted.unanswered, "Kept, because Discord didn't answer for these servers (run this again)"),
    ]
    return "\n".join(filter(None, told))


def _said(guild_ids: Sequence[int], what: str) -> str:
    return f"{what}: {', '.join(map(str, guild_ids))}." if guild_ids else ""
