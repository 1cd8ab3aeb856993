"""The button that shows a job's inputs in a form, to be changed and sent anew."""

from typing import Any, Protocol, cast

import discord

from bot.catalog import Catalog
from bot.errors import Refused
from bot.model import SourcePhoto
from bot.services import Services
from bot.ui.buttons import JobButton, template_of
from bot.ui.layout import EDIT, EDIT_LABEL, EDIT_STYLE
from bot.ui.starting import Cards, JobStarter
from bot.ui.tool_modal import ToolModal, Values

JOB_GONE = "That job is no longer known here. Please run the command again."
PRIVATE = "That was made for somebody else's eyes. Run the command yourself to make one of your own."


class Workshop(Protocol):
    """What a form that starts jobs needs of the client that it is shown by."""

    @property
    def catalog(self) -> Catalog: ...
    @property
    def cards(self) -> Cards: ...


class EditButton(JobButton, template=template_of(EDIT)):
    """Shows the form with what a job was asked for; handing it in starts a new one."""

    action = EDIT
    label = EDIT_LABEL
    style = EDIT_STYLE

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        job = await services.jobs.get(self.job_id)
        if job is None:
            raise Refused(JOB_GONE)
        if job.private and job.user_id != interaction.user.id:
            raise Refused(PRIVATE)
        client = cast(Workshop, interaction.client)
        tool = client.catalog.get(job.tool)
        if not tool.inputs:
            raise Refused(f"{tool.title} has nothing to edit. Run `/{tool.slug}` with another photo.")
        starter = JobStarter(services.jobs, client.catalog, client.cards)

        async def submit(
            interaction: discord.Interaction[Any], values: Values, source: SourcePhoto | None
        ) -> None:
            # Of what the catalogue does not know nothing can be typed in the form: it stays as it was.
            extra = {name: job.inputs[name] for name in tool.undeclared(job.inputs)}
            await starter.start(interaction, tool, values, source, private=job.private, extra=extra)

        pictures = [] if job.source is None else [job.source]
        await interaction.response.send_modal(ToolModal(tool, pictures, submit, job.inputs))
