"""The buttons under progress and results that cancel jobs, or start others like them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import discord

from bot.catalog import SourceRule, Tool
from bot.errors import Refused
from bot.jobs import actions, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import Job, JobState, SourcePhoto
from bot.jobs.progress import subject_of
from bot.languages import gettext as _, lazy, plazy
from bot.services import Services
from bot.ui.jobs.forms.open_form import ask
from bot.ui.jobs.forms.tool_form import FormStart
from bot.ui.jobs.forms.tool_picker import choose
from bot.ui.jobs.start import Terms, start_once
from bot.ui.jobs.wording import again_price
from bot.ui.kit.first_answer import expect_job, read_before_form
from bot.ui.kit.host import Host, in_order
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import acknowledge
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import ensure_can_post, ensure_stays_there, moderates, server_of
from bot.ui.reading.photo_lookup import PhotoGone, author_of, is_beside, source_of
from bot.ui.reading.pictures import pictures_in

JOB_GONE = lazy("There's no such job here. Use the command instead.")
PRIVATE_RESULT = lazy("That result is private to someone else. Use the command to make your own.")
NO_PICTURE_LEFT = lazy(
    "This message has no picture any more, or the picture was too large to post. Post it here "
    "as a photo and use its menu. Nothing was charged."
)
NOTHING_TO_EDIT = lazy("{tool} has nothing to edit. Run `/{command}` again.")
INPUTS_ERASED = lazy("The original request has expired. Use Edit and choose again. Nothing was charged.")
SET_ERASED = lazy("The original request has expired. Start it again with the photos. Nothing was charged.")
NOTHING_TO_CANCEL = lazy("All of them were sent to Studii already. The results will arrive automatically.")
NOTHING_FAILED = lazy("None of them has failed. Nothing was started.")


@button("cancel:{job_id}-{posting}", label=plazy("button", "Cancel job"))
async def cancel(press: Press, job_id: Id, posting: int) -> None:
    """Cancel a job that has not gone to Studii yet; its progress then says so."""
    interaction, host = press.interaction, press.host
    guild_id = server_of(interaction)
    await acknowledge(interaction)
    job = await host.services.db.read(queries.get, job_id)
    may = job is not None and moderates(interaction, job)
    await _follow_pressed(interaction, host, job)
    which = job_id, guild_id, interaction.user.id, host.clock.now()
    ensure_cancelled(await host.services.db.write(actions.cancel, *which, moderates=may))


@button("set:cancel:{set_id}", label=lazy("Cancel what hasn't started"))
async def cancel_set(press: Press, set_id: Id) -> None:
    """Cancel those of a set that have not started."""
    interaction, host = press.interaction, press.host
    await acknowledge(interaction)
    first = (await _set_for(interaction, host, set_id))[0]
    await _follow_pressed(interaction, host, first)
    which = set_id, first.guild_id, interaction.user.id, host.clock.now()
    may = moderates(interaction, first)
    if not await host.services.db.write(actions.cancel_set, *which, moderates=may):
        raise Refused(NOTHING_TO_CANCEL)


@button("again:{job_id}-{posting}")
async def again(press: Press, job_id: Id, posting: int) -> None:
    """Do the same again, for the person who presses it."""
    with in_order(press.interaction):
        expect_job(press.interaction)
        await run_again(
            press.interaction, press.host, [await job_for(press.interaction, press.host.services, job_id)]
        )


@button("set:again:{set_id}[:{each}]")
async def set_again(press: Press, set_id: Id, each: int | None = None) -> None:
    """Run those of a set that failed again. `each`: the price of one that an earlier version has named."""
    with in_order(press.interaction):
        expect_job(press.interaction)
        jobs = await _set_for(press.interaction, press.host, set_id)
        failed = [job for job in jobs if job.state is JobState.FAILED]
        if not failed:
            raise Refused(NOTHING_FAILED)
        await run_again(press.interaction, press.host, failed, each)


@button("edit:{job_id}-{posting}", label=plazy("button", "Edit"))
async def edit(press: Press, job_id: Id, posting: int) -> None:
    """Show the form with a job's inputs; handing it in starts a new job."""
    interaction, host = press.interaction, press.host
    job = await read_before_form(interaction, job_for(interaction, host.services, job_id))
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


@button("use:{job_id}-{posting}", label=plazy("button", "Use in…"))
async def use_in(press: Press, job_id: Id, posting: int) -> None:
    """Start another tool from the result."""
    job = await job_for(press.interaction, press.host.services, job_id)
    ensure_stays_there(press.interaction, job)
    ensure_can_post(press.interaction)
    message = press.interaction.message
    made = next((photo for photo in pictures_in(message) if not is_beside(photo)), None)
    if made is None:
        raise Refused(NO_PICTURE_LEFT)
    if message is not None and message.flags.ephemeral:  # where it can't be looked up again
        there = None if job.private else job.result_message_id
        made = replace(made, message_id=there, channel_id=job.result_channel_id)
    terms = Terms(photo_author=author_of(job), private=job.private)
    await choose(press.interaction, [made], f"### {_('Use this picture in…')}", terms)


async def run_again(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], each: int | None = None
) -> None:
    """Start jobs with the same inputs and photos, at the price that the pressed button names, or at `each`.

    To be called within `in_order`.
    """
    first, tool = jobs[0], host.catalog.get(jobs[0].tool)
    ensure_stays_there(interaction, first)
    if any(job.scrubbed_at is not None for job in jobs) and (tool.inputs or first.set_id is not None):
        raise Refused(INPUTS_ERASED if len(jobs) == 1 else SET_ERASED)
    now = host.clock.now()
    photos = await asyncio.gather(*(source_of(interaction, job, now) for job in jobs))
    terms = replace(terms_of(first, tool), shown_price=each or max(again_price(job).amount for job in jobs))
    await start_once(interaction, tool, first.inputs, [one for one in photos if one is not None], terms)


async def job_for(interaction: discord.Interaction, services: Services, job_id: str) -> Job:
    """Return the job that a button belongs to. Raises `Refused` if it is gone, or not for this person."""
    job = await services.db.read(queries.get, job_id)
    return _for_person(interaction, [] if job is None or job.guild_id != interaction.guild_id else [job])[0]


def terms_of(job: Job, tool: Tool) -> Terms:
    """Return the job's terms, for another one like it. Inputs that the catalogue does not know are kept."""
    of_a_photo = job.source is not None or job.scrubbed_at is not None
    extra = {name: job.inputs[name] for name in tool.undeclared(job.inputs)}
    return Terms(author_of(job) if of_a_photo else None, job.private, extra)


async def _set_for(interaction: discord.Interaction, host: Host, set_id: str) -> list[Job]:
    jobs = await host.services.db.read(actions.of_set, set_id, server_of(interaction))
    return _for_person(interaction, jobs)


def _for_person(interaction: discord.Interaction, jobs: list[Job]) -> list[Job]:
    if not jobs:
        raise Refused(JOB_GONE)
    if jobs[0].private and jobs[0].user_id != interaction.user.id:
        raise Refused(PRIVATE_RESULT)
    return jobs


async def _follow_pressed(interaction: discord.Interaction, host: Host, job: Job | None) -> None:
    """Let the pressed progress be edited for another quarter of an hour; its press is acknowledged."""
    # A message that others see is of a version before.
    if job is not None and interaction.message is not None and interaction.message.flags.ephemeral:
        # Not what it shows, but that it is there.
        await host.answers.show(interaction, subject_of(job), Panel())
