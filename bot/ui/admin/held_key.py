"""The button that tries a server's key again while jobs are on hold for it."""

import discord

from bot.errors import Refused
from bot.jobs import holds
from bot.languages import gettext as _, lazy, plazy
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import answer
from bot.ui.panels.controls import Press, admin, button
from bot.ui.reading.permissions import server_of

OF_ANOTHER_SERVER = lazy("That button belongs to another server. Nothing was changed.")


@button(
    "tryagain:{guild_id}",
    label=plazy("button", "Try again"),
    style=discord.ButtonStyle.primary,
    who=admin,
)
async def try_again(press: Press, guild_id: int) -> None:
    """Let one waiting job try the server's key now."""
    if server_of(press.interaction) != guild_id:
        raise Refused(OF_ANOTHER_SERVER)
    words = _("The key works, and no jobs are on hold.")
    if await press.host.services.db.write(holds.try_again, guild_id, press.host.clock.now()):
        words = _("The next job will try Studii now. The others follow if it works.")
    await answer(press.interaction, boxed(GOOD, words))
