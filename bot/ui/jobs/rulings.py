"""The buttons with which admins settle a job whose outcome nobody knows, and try a held key again."""

from typing import Any, Self, cast

import discord
from discord import ui

from bot.domain import Job
from bot.errors import Refused
from bot.services import Services
from bot.ui.jobs.buttons import Host, JobButton
from bot.ui.jobs.wording import cost_words
from bot.ui.kit.custom_ids import template_of
from bot.ui.kit.forms import show_form
from bot.ui.kit.layout import GOOD, notice
from bot.ui.kit.responses import answer, tell, telling
from bot.ui.reading.openers import LET_IN, ensure_panel_opener
from bot.ui.reading.permissions import ensure_manager

OPEN_FOR = 15 * 60.0  # seconds
OF_ANOTHER_SERVER = "That button belongs to another server. Nothing was changed."


class ChargedButton(JobButton, template=template_of("charged")):
    """It was made and paid: asks for the figure."""

    action = "charged"
    label = "It was charged"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        guild_id = ensure_manager(interaction)
        job = await services.rulings.ensure_open(guild_id, self.job_id)
        await show_form(interaction, ChargedModal(services, job))


class ReleaseButton(JobButton, template=template_of("release")):
    """It was never made: nothing is paid."""

    action = "release"
    label = "Release"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        guild_id = ensure_manager(interaction)
        job = await services.rulings.release(guild_id, self.job_id)
        await answer(interaction, notice(f"Settled. {cost_words(job)}", GOOD))


class ChargedModal(ui.Modal):
    """Asks what Studii has charged; by default what was set aside."""

    def __init__(self, services: Services, job: Job) -> None:
        super().__init__(title="What was charged?", timeout=OPEN_FOR)
        self._services = services
        self._job = job
        self._amount: ui.TextInput[Any] = ui.TextInput(
            custom_id="amount", default=str(job.reserved), max_length=9
        )
        about = "As your Studii account shows it; filled in is what was set aside."
        self.add_item(ui.Label(text="Credits", description=about, component=self._amount))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        async with telling(interaction):
            guild_id = ensure_manager(interaction)
            typed = self._amount.value.strip().replace(",", "")
            if not (typed.isascii() and typed.isdecimal()):
                raise Refused("Type a whole number of credits, such as 8. Nothing was settled.")
            job = await self._services.rulings.charged(guild_id, self._job.id, int(typed))
            await answer(interaction, notice(f"Settled. {cost_words(job)}", GOOD))

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        await tell(interaction, error)


class TryAgainButton(
    ui.DynamicItem[ui.Button[Any]], template=rf"studii:tryagain:(?P<guild>[0-9]{{1,20}})(?P<let>{LET_IN})?"
):
    """Lets one waiting job try the server's key at once.

    It is in the log channel, where it asks for Manage Server, and in the panel of `/studii setup`. `let_in`:
    the panel was opened by a person whom the server lets run `/studii` without Manage Server.
    """

    def __init__(self, guild_id: int, *, let_in: bool = False) -> None:
        self._guild_id = guild_id
        self._let_in = let_in
        custom_id = f"studii:tryagain:{guild_id}{LET_IN if let_in else ''}"
        super().__init__(ui.Button(label="Try again", style=discord.ButtonStyle.primary, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["guild"]), let_in=match["let"] is not None)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await self._press(interaction)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person waiting
            await tell(interaction, error)

    async def _press(self, interaction: discord.Interaction[Any]) -> None:
        guild_id = ensure_panel_opener(interaction, let_in=self._let_in)
        if guild_id != self._guild_id:
            raise Refused(OF_ANOTHER_SERVER)
        services = cast(Host, interaction.client).services
        words = "Nothing is held any more: the key works."
        if await services.keys.try_again(guild_id):
            words = "The next job tries Studii again now; the others follow once that works."
        await answer(interaction, notice(words, GOOD))


RULING_BUTTONS: tuple[type[JobButton], ...] = (ChargedButton, ReleaseButton)
