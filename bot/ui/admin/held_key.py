"""The button that tries a server's key again while jobs are on hold for it."""

from re import Match
from typing import Self

import discord
from discord import ui

from bot.errors import Refused
from bot.jobs import holds
from bot.languages import gettext as _, lazy, pgettext
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import answer
from bot.ui.reading.openers import LET_IN, ensure_panel_opener

OF_ANOTHER_SERVER = lazy("That button belongs to another server. Nothing was changed.")


class TryAgainButton(LastingButton, template=rf"studii:tryagain:(?P<guild>[0-9]{{1,20}})(?P<let>{LET_IN})?"):
    """Let one waiting job try the server's key now.

    The button is in the log channel, where it requires Manage Server, and in the panel of `/studii setup`.
    `let_in`: the panel was opened by a person whom the server lets run `/studii` without Manage Server.
    """

    def __init__(self, guild_id: int, *, let_in: bool = False) -> None:
        self._guild_id = guild_id
        self._let_in = let_in
        custom_id = f"studii:tryagain:{guild_id}{LET_IN if let_in else ''}"
        label = pgettext("button", "Try again")
        super().__init__(ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=custom_id))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(int(match["guild"]), let_in=match["let"] is not None)

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_panel_opener(interaction, let_in=self._let_in)
        if guild_id != self._guild_id:
            raise Refused(OF_ANOTHER_SERVER)
        words = _("The key works, and no jobs are on hold.")
        if await host.services.db.write(holds.try_again, guild_id, host.clock.now()):
            words = _("The next job will try Studii now. The others follow if it works.")
        await answer(interaction, boxed(GOOD, words))
