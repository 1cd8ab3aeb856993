"""The buttons under what a job has posted: Delete, Again, Edit, Use in…"""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Self

import discord

from bot.catalog import SourceRule, Tool
from bot.errors import Refused
from bot.jobs import queries
from bot.jobs.models import FORGOTTEN_MEMBER, Job, SourcePhoto
from bot.languages import gettext as _, lazy, plazy
from bot.services import Services
from bot.ui.jobs.forms.open_form import ask
from bot.ui.jobs.forms.tool_form import FormStart
from bot.ui.jobs.forms.tool_picker import choose
from bot.ui.jobs.progress import AGAIN, EDIT, EDIT_LABEL, EDIT_STYLE
from bot.ui.jobs.results.staged_listing import StagedButton
from bot.ui.jobs.start import Terms, start_once
from bot.ui.jobs.wording import again_label, again_price
from bot.ui.kit.buttons import JobButton
from bot.ui.kit.first_answer import expect_job, read_before_form
from bot.ui.kit.host import Host, in_order
from bot.ui.kit.responses import acknowledge
from bot.ui.reading.authors import author_of
from bot.ui.reading.permissions import ensure_can_post, ensure_stays_there, is_moderator
from bot.ui.reading.photo_lookup import PhotoGone, is_beside, source_of
from bot.ui.reading.pictures import pictures_in

ANOTHERS_RESULT = lazy(
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can delete it."
)
JOB_GONE = lazy("There's no such job here. Use the command instead.")
PRIVATE_RESULT = lazy("That result is private to someone else. Use the command to make your own.")
NO_PICTURE_LEFT = lazy(
    "This message has no picture any more, or the picture was too large to post. Post it here "
    "as a photo and use its menu. Nothing was charged."
)
NOTHING_TO_EDIT = lazy("{tool} has nothing to edit. Run `/{command}` again.")
INPUTS_ERASED = lazy("The original request has expired. Use Edit and choose again. Nothing was charged.")
# The first line of a result or an ending names its member, in any language; see `bot.ui.jobs.results.result`.
_ADDRESSED = re.compile(r"[^\n]*?<@([0-9]+)>")


class DeleteButton(JobButton, action="delete"):
    """Delete the message that the button stands under."""

    label = plazy("button", "Delete")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await acknowledge(interaction)
        await _ensure_may_delete(interaction, host, self.job_id, interaction.message)
        await delete_pressed(interaction)


async def delete_pressed(interaction: discord.Interaction) -> None:
    """Delete the message under which a button was pressed that is acknowledged."""
    with suppress(discord.NotFound):  # a second click: the message is gone
        await interaction.delete_original_response()


async def _ensure_may_delete(
    interaction: discord.Interaction, host: Host, job_id: str, message: discord.Message | None
) -> None:
    """Raise `Refused` unless it is the presser's own, or they are a moderator."""
    if is_moderator(interaction.permissions):
        return
    job = await host.services.db.read(queries.get, job_id)
    of_here = job is not None and interaction.guild_id in {None, job.guild_id}
    whose = job.user_id if job is not None and of_here else FORGOTTEN_MEMBER
    if whose == FORGOTTEN_MEMBER:
        # The bot has erased it; the message still says whose it is.
        whose = addressed_to(message)
    if whose != interaction.user.id:
        raise Refused(ANOTHERS_RESULT)


def addressed_to(message: discord.Message | None) -> int:
    """Return the member whom a result or an ending addresses."""
    if message is None:
        return FORGOTTEN_MEMBER
    texts = (one.content for one in message.components if isinstance(one, discord.TextDisplay))
    found = _ADDRESSED.match(next(texts, message.content))
    return int(found[1]) if found else FORGOTTEN_MEMBER


class AgainButton(JobButton, action=AGAIN):
    """Do the same again, for the person who presses it."""

    label = plazy("button", "Run again")

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the button with what the job will probably cost again."""
        return cls(job.id, job.posting, again_label(job))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        with in_order(interaction):
            expect_job(interaction)
            job = await job_for(interaction, host.services, self.job_id)
            await run_again(interaction, host, job)


async def run_again(interaction: discord.Interaction, host: Host, job: Job) -> None:
    """Start a job with the same inputs and photo, at the price that the pressed button names.

    To be called within `in_order`.
    """
    ensure_stays_there(interaction, job)
    tool = host.catalog.get(job.tool)
    if job.scrubbed_at is not None and tool.inputs:
        raise Refused(INPUTS_ERASED)
    source = await source_of(interaction, job, host.clock.now())
    terms = replace(terms_of(job, tool), shown_price=again_price(job).amount)
    await start_once(interaction, tool, job.inputs, [] if source is None else [source], terms)


class UseInButton(JobButton, action="use"):
    """Start another tool from the result."""

    label = plazy("button", "Use in…")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        job = await job_for(interaction, host.services, self.job_id)
        ensure_stays_there(interaction, job)
        ensure_can_post(interaction)
        made = [photo for photo in pictures_in(interaction.message) if not is_beside(photo)]
        if not made:
            raise Refused(NO_PICTURE_LEFT)
        terms = Terms(photo_author=author_of(job), private=job.private)
        await choose(interaction, made[:1], f"### {_('Use this picture in…')}", terms)


async def job_for(interaction: discord.Interaction, services: Services, job_id: str) -> Job:
    """Return the job that a button belongs to. Raises `Refused` if it is gone, or not for this person."""
    job = await services.db.read(queries.get, job_id)
    if job is None or job.guild_id != interaction.guild_id:
        raise Refused(JOB_GONE)
    if job.private and job.user_id != interaction.user.id:
        raise Refused(PRIVATE_RESULT)
    return job


def terms_of(job: Job, tool: Tool) -> Terms:
    """Return the job's terms, for another one like it. Inputs that the catalogue does not know are kept."""
    of_a_photo = job.source is not None or job.scrubbed_at is not None
    extra = {name: job.inputs[name] for name in tool.undeclared(job.inputs)}
    return Terms(author_of(job) if of_a_photo else None, job.private, extra)


class EditButton(JobButton, action=EDIT):
    """Show the form with a job's inputs; handing it in starts a new job."""

    label = EDIT_LABEL
    style = EDIT_STYLE

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        job = await read_before_form(interaction, job_for(interaction, host.services, self.job_id))
        ensure_stays_there(interaction, job)
        tool = host.catalog.get(job.tool)
        if not tool.inputs and tool.source is SourceRule.NONE:
            raise Refused(NOTHING_TO_EDIT.using(tool=tool.title, command=tool.slug))
        terms, pictures = terms_of(job, tool), list[SourcePhoto]()
        try:
            source = await read_before_form(interaction, source_of(interaction, job, host.clock.now()))
        except PhotoGone:
            terms = replace(terms, photo_author=None)  # another one can be attached
        else:
            pictures = [] if source is None else [source]
        await ask(interaction, tool, FormStart(pictures, job.inputs, replaceable=True), terms)


BUTTONS: tuple[type[JobButton], ...] = (DeleteButton, AgainButton, UseInButton, EditButton, StagedButton)
