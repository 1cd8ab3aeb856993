"""Handle what is pressed and chosen in the list of jobs, and show what has changed."""

from dataclasses import replace
from re import Match
from typing import Self

import discord
from discord import ui

from bot.errors import Refused
from bot.features import moderation
from bot.jobs import actions, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import ACTIVE_STATES, Job
from bot.languages import gettext as _, lazy, sentences
from bot.servers import access
from bot.ui.jobs.answer import show_progress
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
from bot.ui.jobs.results.buttons import JOB_GONE, PRIVATE_RESULT, run_again
from bot.ui.jobs.start import CHANNELS_ONLY
from bot.ui.jobs.wording import ToolNames, cost_words
from bot.ui.kit.buttons import LastingButton, LastingSelect
from bot.ui.kit.first_answer import expect_job
from bot.ui.kit.host import Host, host_of, in_order
from bot.ui.kit.reasons import error_words
from bot.ui.kit.responses import acknowledge, answer, answer_in_place
from bot.ui.kit.text import plain, sentence
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


class PageButton(LastingButton, template=rf"studii:jobs:{QUERY}"):
    """Turn to a page, or show it as it is now."""

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        super().__init__(ui.Button(custom_id=f"studii:jobs:{query}"))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(ListQuery.of_match(match))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await show_list(interaction, self._query, instead=True)


class FilterSelect(LastingSelect, template=rf"studii:jobsby:(?P<by>state|tool):{QUERY}"):
    """Show the jobs in one state, or of one tool."""

    def __init__(self, by: str, query: ListQuery) -> None:
        self._by = by
        self._query = query
        super().__init__(ui.Select(custom_id=f"studii:jobsby:{by}:{query}"))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(match["by"], ListQuery.of_match(match))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await show_list(interaction, self._query.by(self._by, self.item.values[0]), instead=True)


class ListedButton(
    LastingButton,
    template=rf"studii:listed:(?P<action>{CANCEL_LISTED}|{POST}|{SHOW}|{RUN_LISTED_AGAIN}):(?P<job>[0-9a-f]{{16}}):{QUERY}",
):
    """Do something with a job in the list: cancel it, post or show its result here, run it again.

    If that is not possible any more, the list says so, and shows what is there now.
    """

    def __init__(self, action: str, job_id: str, query: ListQuery) -> None:
        self._action = action
        self._job_id = job_id
        self._query = query
        super().__init__(ui.Button(custom_id=f"studii:listed:{action}:{job_id}:{query}"))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(match["action"], match["job"], ListQuery.of_match(match))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        if self._action == RUN_LISTED_AGAIN:
            with in_order(interaction):
                expect_job(interaction)
                await self._do(interaction, host)
            return
        if self._action != SHOW:  # which is answered with a message of its own
            await acknowledge(interaction)
        await self._do(interaction, host)

    async def _do(self, interaction: discord.Interaction, host: Host) -> None:
        job = await self._job(interaction, host)
        if job is None:
            await self._over(interaction, Refused(JOB_GONE))
        elif self._action == RUN_LISTED_AGAIN:
            await run_again(interaction, host, job)
        elif self._action == CANCEL_LISTED:
            await self._cancel(interaction, host, job)
        elif self._action == POST:
            await self._post(interaction, host, job)
        else:
            await self._show(interaction, host, job)

    async def _job(self, interaction: discord.Interaction, host: Host) -> Job | None:
        """Return the job, or None if it was erased since. An admin may cancel what is private to others."""
        job = await host.services.db.read(queries.get, self._job_id)
        if job is None or job.guild_id != interaction.guild_id:
            return None
        cancels = self._action == CANCEL_LISTED and moderates(interaction, job)
        if job.private and job.user_id != interaction.user.id and not cancels:
            raise Refused(PRIVATE_RESULT)
        return job

    async def _cancel(self, interaction: discord.Interaction, host: Host, job: Job) -> None:
        try:
            which = (job.id, job.guild_id, interaction.user.id, host.clock.now())
            may = moderates(interaction, job)
            cancelled = ensure_cancelled(await host.services.db.write(actions.cancel, *which, moderates=may))
        except Refused as over:
            await self._over(interaction, over)
            return
        name = job_name(job, ToolNames(host.catalog), readable=may_read(interaction, job))
        said = sentences(_("Cancelled: **{job}**.", job=plain(name, 100)), cost_words(cancelled))
        await show_list(interaction, self._query, note=f"✅ {said}", instead=True)

    async def _post(self, interaction: discord.Interaction, host: Host, job: Job) -> None:
        ensure_can_post(interaction)
        channel_id = _channel_for(interaction, job)
        try:
            here = (job.id, interaction.user.id, channel_id, host.clock.now())
            await host.services.db.write(actions.post_here, *here)
        except Refused as over:
            await self._over(interaction, over)
            return
        name = job_name(job, ToolNames(host.catalog), readable=True)
        said = _("**{job}** will be posted here.", job=plain(name, 100))
        await show_list(interaction, self._query, note=f"✅ {said}", instead=True)

    async def _show(self, interaction: discord.Interaction, host: Host, job: Job) -> None:
        """Answer with the job's progress; the result then takes its place."""
        channel_id = _channel_for(interaction, job)
        if action_for(job, MINE) != SHOW:
            await self._over(interaction, Refused(SHOWN_OR_GONE))
            return
        await show_progress(interaction, host, [replace(job, posting=job.posting + 1)])
        here = (job.id, interaction.user.id, channel_id, host.clock.now())
        await host.services.db.write(actions.post_here, *here)

    async def _over(self, interaction: discord.Interaction, over: Refused) -> None:
        """Say above the list as it is now what is no longer possible."""
        if not _is_list(interaction.message):
            raise over
        await show_list(interaction, self._query, note=f"⚠️ {sentence(error_words(over))}", instead=True)


def _channel_for(interaction: discord.Interaction, job: Job) -> int:
    """Return the channel in which the result may be posted or shown now. Raises `Refused`."""
    if interaction.channel_id is None:
        raise Refused(CHANNELS_ONLY)
    ensure_stays_there(interaction, job)
    return interaction.channel_id


LIST_BUTTONS = (PageButton, ListedButton)
LIST_SELECTS = (FilterSelect,)
