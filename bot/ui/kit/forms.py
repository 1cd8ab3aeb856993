"""The bases of forms and lists, which tell the person what went wrong."""

from typing import Any

import discord
from discord import ui

from bot.ui.kit.host import Host, host_of
from bot.ui.kit.responses import tell

OPEN_FOR = 15 * 60.0  # seconds; as long as Discord lets an interaction be answered


class Form(ui.Modal):
    """Base of forms. A subclass adds its fields, and implements `submitted`.

    Each form that is shown has a custom id of its own.
    """

    def __init__(self, title: str) -> None:
        super().__init__(title=title, timeout=OPEN_FOR)

    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction with this form."""
        host_of(interaction).open_forms.add(self.custom_id, self)
        await interaction.response.send_modal(self)

    async def submitted(self, interaction: discord.Interaction[Any], host: Host) -> None:
        """Do what the person asks for; an error is told to them."""
        raise NotImplementedError

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await self.submitted(interaction, host_of(interaction))

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        self.stop()  # the person's app has closed it; discord.py stops it only without an error
        await tell(interaction, error)


class OpenView(ui.LayoutView):
    """Base of messages with a list that is waited for in memory, not found by its custom id."""

    def __init__(self) -> None:
        super().__init__(timeout=OPEN_FOR)

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, item: ui.Item[Any], /
    ) -> None:
        await tell(interaction, error)
