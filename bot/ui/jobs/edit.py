"""The button that shows a job's inputs in a form, to be changed and sent anew."""

from typing import Any, cast

import discord

from bot.errors import Refused
from bot.services import Services
from bot.ui.jobs.buttons import JobButton
from bot.ui.jobs.result_buttons import Workshop, job_of, terms_of
from bot.ui.kit.custom_ids import template_of
from bot.ui.kit.layout import EDIT, EDIT_LABEL, EDIT_STYLE
from bot.ui.reading.age import ensure_stays_there
from bot.ui.reading.photo_lookup import source_of


class EditButton(JobButton, template=template_of(EDIT)):
    """Shows the form with what a job was asked for; handing it in starts a new one."""

    action = EDIT
    label = EDIT_LABEL
    style = EDIT_STYLE

    async def pressed(self, interaction: discord.Interaction[Any], services: Services) -> None:
        job = await job_of(interaction, services, self.job_id)
        ensure_stays_there(interaction, job)
        workshop = cast(Workshop, interaction.client)
        tool = workshop.catalog.get(job.tool)
        if not tool.inputs:
            raise Refused(f"{tool.title} has nothing to edit. Run `/{tool.slug}` with another photo.")
        source = await source_of(interaction, job, workshop.forms.now)
        pictures = [] if source is None else [source]
        await workshop.forms.ask(interaction, tool, pictures, job.inputs, terms_of(job, tool))
