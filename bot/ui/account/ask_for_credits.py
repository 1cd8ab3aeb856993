"""The button with which a member who lacks credits asks an admin for more."""

import asyncio
from re import Match
from typing import Self

import discord

from bot.credits import requests
from bot.errors import CreditsWanted, Refused
from bot.languages import lazy
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.discord_errors import refused_as
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import acknowledge, ask_button
from bot.ui.reading.member import roles_of

ASKED = lazy("An admin was asked for more credits. You'll be told what they decide.")
NOT_IN_A_SERVER = lazy("Ask in a channel of the server. No admin was asked.")
DM_LOOKUP_SECONDS = 8.0  # the press is answered before


class AskAdminButton(
    LastingButton,
    template=(
        r"studii:ask:(?P<guild>[0-9]{1,20}):(?P<tool>[a-z0-9_-]{1,32}):(?P<price>[0-9]{1,9})"
        r"(?::(?P<channel>[0-9]{1,20}))?"
    ),
):
    """Ask the server's admins for the credits that a job lacked. The refusal then says so.

    A refusal under a photo comes by DM, and is answered there.
    """

    def __init__(self, wanted: CreditsWanted) -> None:
        self._wanted = wanted
        super().__init__(ask_button(wanted))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        channel_id = None if match["channel"] is None else int(match["channel"])
        return cls(CreditsWanted(int(match["guild"]), match["tool"], int(match["price"]), channel_id))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        wanted = self._wanted
        await acknowledge(interaction)
        if interaction.guild_id is None:
            member, channel_id = await _from_dm(interaction, wanted)
        elif interaction.guild_id == wanted.guild_id and interaction.channel_id is not None:
            member, channel_id = interaction.user, interaction.channel_id
        else:
            raise Refused(NOT_IN_A_SERVER)
        roles = roles_of(member) if isinstance(member, discord.Member) else frozenset[int]()
        slug, price, now = host.catalog.get(wanted.tool).slug, wanted.price, host.clock.now()
        await host.services.db.write(
            requests.ask, wanted.guild_id, member.id, roles, channel_id, slug, price, now
        )
        await interaction.edit_original_response(view=boxed(GOOD, ASKED))


async def _from_dm(interaction: discord.Interaction, wanted: CreditsWanted) -> tuple[discord.Member, int]:
    """Return who asks, as a member of the server, and the channel of theirs that it was for.

    With several processes, another one may know the server: then Discord is asked.
    """
    client = interaction.client
    with refused_as(
        lazy("Discord didn't answer. Try again in a moment. No admin was asked."), gone=NOT_IN_A_SERVER
    ):
        async with asyncio.timeout(DM_LOOKUP_SECONDS):
            guild = client.get_guild(wanted.guild_id)
            guild = guild or await client.fetch_guild(wanted.guild_id, with_counts=False)
            channel = guild.get_channel_or_thread(wanted.channel_id or 0)
            channel = channel or await client.fetch_channel(wanted.channel_id or 0)
            of_server = isinstance(channel, discord.abc.GuildChannel | discord.Thread)
            if not of_server or channel.guild.id != guild.id:
                raise Refused(NOT_IN_A_SERVER)
            return await guild.fetch_member(interaction.user.id), channel.id
