"""Buttons that find their job by their custom id, so that they work after any restart."""

import re
from typing import Any, ClassVar, Protocol, Self, cast

import discord
from discord import ui

from bot.domain import FORGOTTEN_MEMBER, Job
from bot.errors import Refused
from bot.services import Services
from bot.ui.kit.custom_ids import custom_id_of, template_of
from bot.ui.kit.responses import tell
from bot.ui.reading.permissions import moderates, server_of

NOT_YOURS = "Only whoever asked for this, or someone with Manage Messages, can delete it."
_ADDRESSED = re.compile(r"\S+ <@([0-9]+)>, your \*\*")  # how what a job posts begins; see `results`


class Host(Protocol):
    """What a button needs of the client that it is pressed in."""

    @property
    def services(self) -> Services: ...


class JobButton(ui.DynamicItem[ui.Button[Any]], template=template_of("none")):
    """Base of the buttons; a subclass says its action twice, here and in its template, and what it does."""

    action: ClassVar[str] = "none"
    label: ClassVar[str] = ""
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, job_id: str, posting: int) -> None:
        self.job_id = job_id
        self.posting = posting
        custom_id = custom_id_of(self.action, job_id, posting)
        super().__init__(ui.Button(label=self.label, style=self.style, custom_id=custom_id))

    @classmethod
    def of(cls, job: Job) -> Self:
        """The button for what the job posts now."""
        return cls(job.id, job.posting)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(match["job"], int(match["posting"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await self.pressed(interaction, cast(Host, interaction.client).services)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person waiting
            await tell(interaction, error)

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        """Do it, for the person who pressed the button."""
        raise NotImplementedError


class DeleteButton(JobButton, template=template_of("delete")):
    """Takes the message that it stands under out of the channel."""

    action = "delete"
    label = "Delete"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        if not interaction.permissions.manage_messages:
            job = await services.jobs.get(self.job_id)
            of_here = job is not None and interaction.guild_id in {None, job.guild_id}
            whose = job.user_id if job is not None and of_here else FORGOTTEN_MEMBER
            if whose == FORGOTTEN_MEMBER:
                # It was erased here; the message still says whose it is.
                whose = _addressed_to(interaction.message)
            if whose != interaction.user.id:
                raise Refused(NOT_YOURS)
        await interaction.response.defer()
        try:
            await interaction.delete_original_response()
        except discord.NotFound:
            return  # a second click; it is gone


def _addressed_to(message: discord.Message | None) -> int:
    """The member to whom a result or an ending speaks."""
    if message is None:
        return FORGOTTEN_MEMBER
    texts = (one.content for one in message.components if isinstance(one, discord.TextDisplay))
    found = _ADDRESSED.match(next(texts, message.content))
    return int(found[1]) if found else FORGOTTEN_MEMBER


class CancelButton(JobButton, template=template_of("cancel")):
    """Cancels a job that has not gone to Studii yet; its card then says so."""

    action = "cancel"
    label = "Cancel"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        guild_id = server_of(interaction)
        job = await services.jobs.get(self.job_id)
        may = job is not None and moderates(interaction, job)
        await services.jobs.cancel(self.job_id, guild_id, interaction.user.id, moderates=may)
        await interaction.response.defer()


BUTTONS: tuple[type[JobButton], ...] = (DeleteButton, CancelButton)
