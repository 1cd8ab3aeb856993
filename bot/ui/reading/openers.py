"""Tell who opened a panel that only they see, with its forms.

A server can let people without Manage Server run `/studii` (Server Settings, Integrations). Discord checks
that for the command, not for the buttons and forms that follow it. Those are open to the person who ran the
command, until the panel is an hour old.
"""

import discord

from bot.errors import Refused
from bot.languages import lazy
from bot.ui.reading.permissions import MANAGERS_ONLY, manages, server_of

PANEL_SECONDS = 60 * 60
LET_IN = ":let"  # ends the custom id of a button in a panel that a person without Manage Server opened
TOO_OLD = lazy("This panel was open for over an hour. Run the command again. Nothing was changed.")


def ensure_panel_opener(interaction: discord.Interaction, *, let_in: bool) -> int:
    """Return the id of the server. Raises `Refused` unless the person may press the button of a panel.

    People with Manage Server may. Others may if they opened the panel: the button is marked with `LET_IN`,
    and its message is ours, visible to them alone and not older than an hour. The client chooses the custom
    id that it sends, but discord.py calls a button only if the message, as Discord tells of it, holds it.
    """
    guild_id = server_of(interaction)
    if manages(interaction):
        return guild_id
    message = interaction.message
    if not let_in or message is None or not _opened_by_presser(interaction, message):
        raise Refused(MANAGERS_ONLY)
    # Both times are in Discord's ids, so no clock of ours is compared with Discord's.
    age = discord.utils.snowflake_time(interaction.id) - discord.utils.snowflake_time(message.id)
    if age.total_seconds() > PANEL_SECONDS:
        raise Refused(TOO_OLD)
    return guild_id


def _opened_by_presser(interaction: discord.Interaction, message: discord.Message) -> bool:
    opened_by, us = message.interaction_metadata, interaction.client.user
    return (
        message.flags.ephemeral
        and us is not None
        and message.author.id == us.id
        and (opened_by is None or opened_by.user.id == interaction.user.id)
    )
