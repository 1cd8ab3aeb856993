"""Handle what is pressed and chosen in the list of jobs, and show what has changed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Literal

import discord

from bot.errors import Refused
from bot.features import moderation
from bot.jobs import actions, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import ACTIVE_STATES, Job
from bot.languages import gettext as _, lazy, sentences
from bot.servers import access
from bot.ui.jobs.answer import show_progress
from bot.ui.jobs.buttons import JOB_GONE, PRIVATE_RESULT, Id, run_again
from bot.ui.jobs.listing.panel import (
    CANCEL_LISTED,
    POST,
    RUN_LISTED_AGAIN,
    SHOW,
    Shown,
    action_for,
    job_name,
    jobs_panel,
)
from bot.ui.jobs.listing.query import MINE, QUERY, SERVER, UNPOSTED, ListQuery
from bot.ui.jobs.listing.thumbnails import posted_results
from bot.ui.jobs.start import CHANNELS_ONLY
from bot.ui.jobs.wording import ToolNames, cost_words
from bot.ui.kit.first_answer import expect_job
from bot.ui.kit.host import Host, host_of, in_order
from bot.ui.kit.reasons import error_words
from bot.ui.kit.responses import acknowledge, answer, answer_in_place
from bot.ui.kit.text import plain, sentence
from bot.ui.panels.controls import Press, button
from bot.ui.reading.member import approver_in
from bot.ui.reading.permissions import (
    MANAGERS_ONLY,
    ensure_can_post,
    ensure_stays_there,
    manages,
    may_read,
    moderates,
    server_of,
)

Query = Annotated[str, QUERY]
NOT_DECIDING = lazy(
    "Only members who decide on results here can see these, and there are none to decide on now."
)
SHOWN_OR_GONE = lazy("That result was already shown, or has been deleted. Run it again to get a new one.")


async def show_list(
    interaction: discord.Interaction, query: ListQuery, *, note: str = "", instead: bool = False
) -> None:
    """Show a page to the person alone, with `instead` in place of the page that they see.

    `note` says what has just happened. Raises `Refused`.
    """
    guild_id = server_of(interaction)
    host = host_of(interaction)
    manager = manages(interaction)
    if query.whose == SERVER and not manager:
        raise Refused(MANAGERS_ONLY)
    rules = await host.services.db.read(access.approvals, guild_id)
    approver = approver_in(interaction, rules.channel_id)
    decides = await host.services.db.read(moderation.decides, guild_id, approver, rules)
    if query.whose == UNPOSTED and not decides:
        raise Refused(NOT_DECIDING)
    user_id = interaction.user.id if query.whose == MINE else None
    wanted = (guild_id, user_id, query.number, query.states, query.tool)
    page = await host.services.db.read(actions.page, *wanted)
    readable = [job for job in page.jobs if may_read(interaction, job)]
    reads = frozenset(job.id for job in readable)
    posted = await posted_results(interaction.client, readable)
    ways = {job.id: await host.progress(job.id) for job in page.jobs if job.state in ACTIVE_STATES}
    shown = Shown(page, query, manager, reads, decides, posted, note, ways)
    panel = jobs_panel(shown, ToolNames(host.catalog), tuple(host.catalog.tools.values()))
    if instead and _is_list(interaction.message):
        await answer_in_place(interaction, panel)
    else:
        await answer(interaction, panel)


def _is_list(message: discord.Message | None) -> bool:
    """Return whether the message is for its reader alone, as the list is. A changed app may name another."""
    return message is not None and message.flags.ephemeral


@button("jobs:{query}")
async def turn_page(press: Press, query: Query) -> None:
    """Turn to a page, or show it as it is now."""
    await show_list(press.interaction, ListQuery.of(query), instead=True)


@button("jobsby:{by}:{query}")
async def filter_by(press: Press, by: Literal["state", "tool"], query: Query) -> None:
    """Show the jobs in one state, or of one tool."""
    await show_list(press.interaction, ListQuery.of(query).by(by, press.values[0]), instead=True)


@button("listed:{action}:{job_id}:{query}")
async def listed(
    press: Press, action: Literal["cancel", "post", "show", "again"], job_id: Id, query: Query
) -> None:
    """Do something with a job in the list: cancel it, post or show its result here, run it again.

    If that is not possible any more, the list says so, and shows what is there now.
    """
    interaction, page = press.interaction, ListQuery.of(query)
    if action == RUN_LISTED_AGAIN:
        with in_order(interaction):
            expect_job(interaction)
            await _do(interaction, press.host, action, job_id, page)
        return
    if action != SHOW:  # which is answered with a message of its own
        await acknowledge(interaction)
    await _do(interaction, press.host, action, job_id, page)


async def _do(
    interaction: discord.Interaction, host: Host, action: str, job_id: str, page: ListQuery
) -> None:
    job = await host.services.db.read(queries.get, job_id)
    if job is None or job.guild_id != interaction.guild_id:  # it was erased since
        await _over(interaction, page, Refused(JOB_GONE))
        return
    may = moderates(interaction, job)
    # An admin may cancel what is private to others.
    if job.private and job.user_id != interaction.user.id and not (may and action == CANCEL_LISTED):
        raise Refused(PRIVATE_RESULT)
    now = host.clock.now()
    if action == RUN_LISTED_AGAIN:
        await run_again(interaction, host, [job])
    elif action == CANCEL_LISTED:
        which = job.id, job.guild_id, interaction.user.id, now
        cancelling = host.services.db.write(actions.cancel, *which, moderates=may)
        if (done := await _tried(interaction, page, cancelling, ensure_cancelled)) is not None:
            name = job_name(job, ToolNames(host.catalog), readable=may_read(interaction, job))
            said = sentences(_("Cancelled: **{job}**.", job=plain(name, 100)), cost_words(done))
            await show_list(interaction, page, note=f"✅ {said}", instead=True)
    elif action == POST:
        ensure_can_post(interaction)
        here = job.id, interaction.user.id, _channel_for(interaction, job), now
        if await _tried(interaction, page, host.services.db.write(actions.post_here, *here)) is not None:
            name = job_name(job, ToolNames(host.catalog), readable=True)
            said = _("**{job}** will be posted here.", job=plain(name, 100))
            await show_list(interaction, page, note=f"✅ {said}", instead=True)
    else:
        await _show(interaction, host, job, page)


async def _show(interaction: discord.Interaction, host: Host, job: Job, page: ListQuery) -> None:
    """Answer with the job's progress; the result then takes its place."""
    channel_id = _channel_for(interaction, job)
    if action_for(job, MINE) != SHOW:
        await _over(interaction, page, Refused(SHOWN_OR_GONE))
        return
    await show_progress(interaction, host, [replace(job, posting=job.posting + 1)])
    here = job.id, interaction.user.id, channel_id, host.clock.now()
    await host.services.db.write(actions.post_here, *here)


async def _tried(
    interaction: discord.Interaction,
    page: ListQuery,
    deed: Awaitable[Job],
    ensure: Callable[[Job], Job] = lambda job: job,
) -> Job | None:
    """Return the job after the deed, or None if that is no longer possible and the list says so."""
    try:
        return ensure(await deed)
    except Refused as over:
        await _over(interaction, page, over)
        return None


async def _over(interaction: discord.Interaction, page: ListQuery, over: Refused) -> None:
    """Say above the list as it is now what is no longer possible."""
    if not _is_list(interaction.message):
        raise over
    await show_list(interaction, page, note=f"⚠️ {sentence(error_words(over))}", instead=True)


def _channel_for(interaction: discord.Interaction, job: Job) -> int:
    """Return the channel in which the result may be posted or shown now. Raises `Refused`."""
    if interaction.channel_id is None:
        raise Refused(CHANNELS_ONLY)
    ensure_stays_there(interaction, job)
    return interaction.channel_id
