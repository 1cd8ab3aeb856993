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
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import NO_MENTIONS, answer, tell
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import ensure_manager

AMOUNT = "amount"  # the custom id of the form's field


@button("charged:{job_id}-{posting}", label=plazy("button", "Mark as charged"))
async def charged(press: Press, job_id: Id, posting: int) -> None:
    """Settle a job as charged: ask what Studii has charged. The default is what was reserved."""
    guild_id = ensure_manager(press.interaction)
    try:
        reading = press.host.services.db.read(actions.ensure_unruled, guild_id, job_id)
        job = await read_before_form(press.interaction, reading)
    except SettledBefore as settled:
        await tell(press.interaction, settled)
        await _remove_buttons(press.interaction, job_id)
        return
    about = _("Look it up in your Studii account. The field shows the reserved credits.")
    amount = ui.TextInput[Any](custom_id=AMOUNT, default=str(job.reserved), max_length=9)
    title = pgettext("title", "What was charged?")
    await press.ask(title, labelled(pgettext("title", "Credits"), amount, about))


@charged.submitted
async def settle_charged(press: Press, job_id: str, posting: int) -> None:
    """Settle the job at the figure."""
    guild_id, charge = ensure_manager(press.interaction), whole_number(press.values[AMOUNT])
    if charge is None:
        raise Refused(lazy("Enter a whole number of credits, such as 8. Nothing was settled."))
    which = guild_id, job_id, charge, press.host.clock.now()
    await _settle(press.interaction, job_id, press.host.services.db.write(actions.rule, *which))


@button("release:{job_id}-{posting}", label=plazy("button", "Release credits"))
async def release(press: Press, job_id: Id, posting: int) -> None:
    """Settle a job as never made: nothing is paid."""
    which = ensure_manager(press.interaction), job_id, None, press.host.clock.now()
    await _settle(press.interaction, job_id, press.host.services.db.write(actions.rule, *which))


def ruling_buttons(job: Job) -> list[ui.Button[Any]]:
    """Return the buttons that settle a job of unknown outcome."""
    return [one.of(job.id, job.posting) for one in (charged, release)]


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
    beginnings = f"studii:charged:{job_id}", f"studii:release:{job_id}"
    for one in list(view.children):
        if not isinstance(one, ui.ActionRow):
            continue
        for piece in list(one.children):
            if isinstance(piece, ui.Button) and (piece.custom_id or "").startswith(beginnings):
                one.remove_item(piece)
        if not one.children:
            view.remove_item(one)
    with suppress(*DISCORD_ERRORS):  # buttons that stay say that the job is settled
        await message.edit(view=view, allowed_mentions=NO_MENTIONS)
