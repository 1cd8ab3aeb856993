"""The menu and the buttons under a set's results: one picture is chosen, then run again, edited, deleted."""

from typing import Any, Self

import discord
from discord import ui

from bot.errors import Refused
from bot.jobs import queries
from bot.jobs.actions import number_in_set, of_set
from bot.jobs.models import FORGOTTEN_MEMBER, Job
from bot.languages import lazy
from bot.ui.jobs.results.buttons import ANOTHERS_RESULT, JOB_GONE, addressed_to, delete_pressed, job_for
from bot.ui.jobs.sets.removal import PictureGone, remove_picture
from bot.ui.jobs.sets.set_result import (
    DELETE,
    DELETE_ACTION,
    DROP_ACTION,
    PICK_ACTION,
    drop_button,
    one_of_set,
)
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.buttons import LastingButton, LastingSelect
from bot.ui.kit.host import Host
from bot.ui.kit.layout import QUIET, boxed
from bot.ui.kit.responses import acknowledge, answer
from bot.ui.reading.permissions import is_moderator, server_of
from bot.ui.reading.photo_lookup import shown_of

PICTURE_DELETED = lazy("That picture was already deleted.")
DONE = lazy("The picture is deleted. Its cost stays in the ledger.")
OUT_OF_REACH = lazy("I can't change that message any more. Ask a moderator to delete it.")


class PictureMenu(
    LastingSelect, template=rf"studii:set:{PICK_ACTION}:(?P<set>[0-9a-f]{{16}}):(?P<number>[0-9]{{1,4}})"
):
    """Show the chosen picture of a set to who chose it, with the buttons that a single result has."""

    def __init__(self, set_id: str, item: ui.Select[Any]) -> None:
        self._set_id = set_id
        super().__init__(item)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: ui.Item[Any], match: Any, /
    ) -> Self:
        if not isinstance(item, ui.Select):
            raise TypeError("a set's menu is a list")
        return cls(match["set"], item)

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        job = await job_for(interaction, host.services, self.item.values[0])
        if job.set_id != self._set_id:
            raise Refused(JOB_GONE)
        addresses = shown_of(interaction.message, job)
        await answer(interaction, one_of_set(job, ToolNames(host.catalog), addresses))


class DropButton(LastingButton, template=rf"studii:set:{DROP_ACTION}:(?P<job>[0-9a-f]{{16}})"):
    """Delete one picture from the message of its set."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        super().__init__(drop_button(job_id))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await acknowledge(interaction)
        job = await host.services.db.read(queries.get, self._job_id)
        if job is None or job.guild_id != server_of(interaction):
            raise Refused(JOB_GONE)
        if job.user_id != interaction.user.id and not is_moderator(interaction.permissions):
            raise Refused(ANOTHERS_RESULT)
        try:
            await remove_picture(interaction.client, job, await host.services.db.read(number_in_set, job.id))
        except PictureGone:
            raise Refused(PICTURE_DELETED) from None
        except discord.Forbidden:
            raise Refused(OUT_OF_REACH) from None
        await interaction.edit_original_response(view=boxed(QUIET, DONE))


class SetDeleteButton(LastingButton, template=rf"studii:set:{DELETE_ACTION}:(?P<set>[0-9a-f]{{16}})"):
    """Delete the message that the button stands under."""

    def __init__(self, set_id: str) -> None:
        self._set_id = set_id
        super().__init__(ui.Button(label=str(DELETE), custom_id=f"studii:set:{DELETE_ACTION}:{set_id}"))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = interaction.guild_id
        await acknowledge(interaction)
        jobs = await host.services.db.read(of_set, self._set_id, guild_id or 0)
        moderates = guild_id is None or is_moderator(interaction.permissions)
        if not moderates and _owner(jobs, interaction) != interaction.user.id:
            raise Refused(ANOTHERS_RESULT)
        await delete_pressed(interaction)


def _owner(jobs: list[Job], interaction: discord.Interaction) -> int:
    """Return who asked for the set; if the bot has erased that, the message still says so."""
    whose = jobs[0].user_id if jobs else FORGOTTEN_MEMBER
    return addressed_to(interaction.message) if whose == FORGOTTEN_MEMBER else whose


SET_BUTTONS = (DropButton, SetDeleteButton)
