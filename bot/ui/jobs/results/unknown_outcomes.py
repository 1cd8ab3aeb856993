"""The buttons with which admins settle a job whose outcome is unknown, and try a held key again."""

from collections.abc import Awaitable
from re import Match
from typing import Any, Self

import discord
from discord import ui

from bot.domain import Job
from bot.errors import Refused
from bot.languages import gettext as _, lazy, pgettext, plazy, sentences, whole_number
from bot.services.unknown_outcomes import SettledBefore
from bot.ui.jobs.forms.fields import DESCRIPTION_LENGTH
from bot.ui.jobs.wording import cost_words
from bot.ui.kit.buttons import JobButton, LastingButton
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host, done_in_time
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import NO_MENTIONS, answer, tell
from bot.ui.kit.text import shortened
from bot.ui.reading.openers import LET_IN, ensure_panel_opener
from bot.ui.reading.permissions import ensure_manager

OF_ANOTHER_SERVER = lazy("That button belongs to another server. Nothing was changed.")


class ChargedButton(JobButton, action="charged"):
    """Settle a job as charged: ask for the figure."""

    label = plazy("button", "Mark as charged")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_manager(interaction)
        try:
            job = await host.services.rulings.ensure_open(guild_id, self.job_id)
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
        await _settle(interaction, self.job_id, host.services.rulings.release(guild_id, self.job_id))


class ChargedForm(Form):
    """Asks what Studii has charged. The default is what was reserved."""

    def __init__(self, job: Job) -> None:
        super().__init__(pgettext("title", "What was charged?"))
        self._job = job
        self._amount = ui.TextInput[Any](custom_id="amount", default=str(job.reserved), max_length=9)
        about = _("Look it up in your Studii account. The field shows the reserved credits.")
        self.add_item(
            ui.Label(
                text=pgettext("title", "Credits"),
                description=shortened(about, DESCRIPTION_LENGTH),
                component=self._amount,
            )
        )

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_manager(interaction)
        charge = whole_number(self._amount.value)
        if charge is None:
            raise Refused(lazy("Enter a whole number of credits, such as 8. Nothing was settled."))
        settling = host.services.rulings.charged(guild_id, self._job.id, charge)
        await _settle(interaction, self._job.id, settling)


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
        if await done_in_time(interaction, host.services.keys.try_again(guild_id)):
            words = _("The next job will try Studii now. The others follow if it works.")
        await answer(interaction, boxed(GOOD, words))


async def _settle(interaction: discord.Interaction, job_id: str, settling: Awaitable[Job]) -> None:
    """Tell what came of it, and remove the buttons from the message, which has nothing to decide any more."""
    try:
        job = await done_in_time(interaction, settling)
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
    beginnings = tuple(f"studii:{button.action}:{job_id}-" for button in RULING_BUTTONS)
    for one in list(view.children):
        if not isinstance(one, ui.ActionRow):
            continue
        for button in list(one.children):
            if isinstance(button, ui.Button) and (button.custom_id or "").startswith(beginnings):
                one.remove_item(button)
        if not one.children:
            view.remove_item(one)
    try:
        await message.edit(view=view, allowed_mentions=NO_MENTIONS)
    except DISCORD_ERRORS:
        return  # the buttons stay, and say that the job is settled


RULING_BUTTONS: tuple[type[JobButton], ...] = (ChargedButton, ReleaseButton)
