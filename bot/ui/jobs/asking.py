"""The button with which a member who lacks credits asks an admin for more."""

from typing import Any, Self

import discord
from discord import ui

from bot.errors import CreditsWanted, Refused
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, sentence_panel
from bot.ui.kit.responses import ask_button
from bot.ui.reading.member import roles_of

ASKED = "An admin was asked for more credits. You'll be told what they decide."
NOT_THERE = "Ask from a channel of the server. Nothing was asked."


class AskAdminButton(
    LastingButton,
    template=r"studii:ask:(?P<guild>[0-9]{1,20}):(?P<tool>[a-z0-9_-]{1,32}):(?P<price>[0-9]{1,9})",
):
    """Ask the server's admins for the credits that a job lacked. The refusal then says so."""

    def __init__(self, wanted: CreditsWanted) -> None:
        self._wanted = wanted
        super().__init__(ask_button(wanted))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(CreditsWanted(int(match["guild"]), match["tool"], int(match["price"])))

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        wanted, user = self._wanted, interaction.user
        if interaction.guild_id != wanted.guild_id or interaction.channel_id is None:
            raise Refused(NOT_THERE)
        roles = roles_of(user) if isinstance(user, discord.Member) else frozenset[int]()
        await interaction.response.defer()  # what follows may have to wait for others who write
        await host.services.credit_requests.ask(wanted, user.id, roles, interaction.channel_id)
        await interaction.edit_original_response(view=sentence_panel(ASKED, GOOD))
