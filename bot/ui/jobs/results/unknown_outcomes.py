"""The buttons with which admins settle a job whose outcome is unknown."""

from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import discord
from discord import ui

from bot.errors import Refused
from bot.jobs import actions
from bot.jobs.actions import SettledBefore
from bot.jobs.models import Job
from bot.languages import gettext as _, lazy, pgettext, plazy, sentences, whole_number
from bot.ui.jobs.wording import cost_words
from bot.ui.kit.buttons import JobButton
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import NO_MENTIONS, answer, tell
from bot.ui.reading.permissions import ensure_manager


class ChargedButton(JobButton, action="charged"):
    """Settle a job as charged: ask for the figure."""

    label = plazy("button", "Mark as charged")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_manager(interaction)
        try:
            reading = host.services.db.read(actions.ensure_unruled, guild_id, self.job_id)
            job = await read_before_form(interaction, reading)
        except SettledBefore as settled:
            await tell(interaction, settled)
            await _remove_buttons(interaction, self.job_id)
        else:
            await ChargedForm(job).show(interaction)


class ReleaseButton(JobButton, action="release"):
    """Settle a job as never made: nothing is paid."""

    label = plazy("button", "Release credits")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_manager(interaction)
        which = (guild_id, self.job_id, None, host.clock.now())
        await _settle(interaction, self.job_id, host.services.db.write(actions.rule, *which))


class ChargedForm(Form):
    """Asks what Studii has charged. The default is what was reserved."""

    def __init__(self, job: Job) -> None:
        super().__init__(pgettext("title", "What was charged?"))
        self._job = job
        self._amount = ui.TextInput[Any](custom_id="amount", default=str(job.reserved), max_length=9)
        about = _("Look it up in your Studii account. The field shows the reserved credits.")
        self.add_field(pgettext("title", "Credits"), self._amount, about)

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_manager(interaction)
        charge = whole_number(self._amount.value)
        if charge is None:
            raise Refused(lazy("Enter a whole number of credits, such as 8. Nothing was settled."))
        which = (guild_id, self._job.id, charge, host.clock.now())
        settling = host.services.db.write(actions.rule, *which)
        await _settle(interaction, self._job.id, settling)


async def _settle(interaction: discord.Interaction, job_id: str, settling: Awaitable[Job]) -> None:
    """Tell what came of it, and remove the buttons from the message, which has nothing to decide any more."""
    try:
        job = await settling
    except SettledBefore as settled:
        await tell(interaction, settled)
    else:
        await answer(interaction, boxed(GOOD, sentences(_("Settled."), cost_words(job))))
    await _remove_buttons(interaction, job_id)


async def _remove_buttons(interaction: discord.Interaction, job_id: str) -> None:
    message = interaction.message
    if message is None or message.flags.ephemeral:  # a list of jobs, which its person refreshes
        return
    view = ui.LayoutView.from_message(message, timeout=None)
    view.stop()  # discord.py keeps nothing of it
    beginnings = tuple(f"studii:{button.action}:{job_id}" for button in RULING_BUTTONS)
    for one in list(view.children):
        if not isinstance(one, ui.ActionRow):
            continue
        for button in list(one.children):
            if isinstance(button, ui.Button) and (button.custom_id or "").startswith(beginnings):
                one.remove_item(button)
        if not one.children:
            view.remove_item(one)
    with suppress(*DISCORD_ERRORS):  # buttons that stay say that the job is settled
        await message.edit(view=view, allowed_mentions=NO_MENTIONS)


RULING_BUTTONS: tuple[type[JobButton], ...] = (ChargedButton, ReleaseButton)
