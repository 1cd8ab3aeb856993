"""What can be done with a result: the same again, or another tool on it."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

import discord

from bot.catalog import Catalog, Tool
from bot.domain import Job, SourcePhoto
from bot.errors import Refused
from bot.services import Services
from bot.ui.jobs.buttons import JobButton
from bot.ui.jobs.tool_form import Terms, ToolForms
from bot.ui.kit.custom_ids import template_of
from bot.ui.reading.age import ensure_stays_there
from bot.ui.reading.authors import author_of
from bot.ui.reading.permissions import ensure_can_post
from bot.ui.reading.photo_lookup import is_before, source_of
from bot.ui.reading.pictures import pictures_in

JOB_GONE = "That job is no longer known here. Use the command instead."
PRIVATE = "That was made for somebody else alone. Use the command to make your own."
RESULT_GONE = (
    "There is no picture in this message any more, or it was too large to be posted. Post it here as a photo "
    "and use its menu. Nothing was charged."
)
INPUTS_ERASED = (
    "What this was asked for with has been erased since, as it is after a while. Edit lets you choose anew "
    "where the photo before stands here still; else use the command. Nothing was charged."
)
USE_IN = "### Use this picture in…"


class Workshop(Protocol):
    """What these buttons need of the client that they are pressed in."""

    @property
    def catalog(self) -> Catalog: ...
    @property
    def forms(self) -> ToolForms: ...


class AgainButton(JobButton, template=template_of("again")):
    """Does once more what was done, for whoever presses it."""

    action = "again"
    label = "Again"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        job = await job_of(interaction, services, self.job_id)
        ensure_stays_there(interaction, job)
        workshop = cast(Workshop, interaction.client)
        tool = workshop.catalog.get(job.tool)
        if job.scrubbed_at is not None and tool.inputs:
            raise Refused(INPUTS_ERASED)
        source = await source_of(interaction, job, workshop.forms.now)
        await workshop.forms.start(interaction, tool, job.inputs, source, terms_of(job, tool))


class UseInButton(JobButton, template=template_of("use")):
    """Makes the result the photo that another tool starts from."""

    action = "use"
    label = "Use in…"

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        job = await job_of(interaction, services, self.job_id)
        ensure_stays_there(interaction, job)
        ensure_can_post(interaction)
        made = [photo for photo in _pictures(interaction.message) if not is_before(photo)]
        if not made:
            raise Refused(RESULT_GONE)
        forms = cast(Workshop, interaction.client).forms
        await forms.choose(interaction, made[:1], USE_IN, Terms(photo_author=author_of(job)))


async def job_of(interaction: discord.Interaction[Any], services: Services, job_id: str) -> Job:
    """The job that a button belongs to; raises `Refused` when it is not for this person, or gone."""
    job = await services.jobs.get(job_id)
    if job is None or job.guild_id != interaction.guild_id:
        raise Refused(JOB_GONE)
    if job.private and job.user_id != interaction.user.id:
        raise Refused(PRIVATE)
    return job


def terms_of(job: Job, tool: Tool) -> Terms:
    """The job's, for another one like it. What the catalogue does not know stays as it was."""
    of_a_photo = job.source is not None or job.scrubbed_at is not None
    extra = {name: job.inputs[name] for name in tool.undeclared(job.inputs)}
    return Terms(author_of(job) if of_a_photo else None, job.private, extra)


def _pictures(message: discord.Message | None) -> Sequence[SourcePhoto]:
    return pictures_in(message) if message is not None else ()


RESULT_BUTTONS: tuple[type[JobButton], ...] = (AgainButton, UseInButton)
