"""The list of jobs: a person's own, or for admins the server's; each with a button for what can be done."""

from typing import Any, Self

import discord
from discord import ui

from bot.domain import UNSENT_STATES, Job, JobState, Progress
from bot.errors import Refused
from bot.services import JobPage
from bot.ui.jobs.buttons import job_for, terms_of
from bot.ui.jobs.card import job_card
from bot.ui.jobs.result import link_button
from bot.ui.jobs.rulings import RULING_BUTTONS
from bot.ui.jobs.start import start_once
from bot.ui.jobs.wording import ToolNames, job_line, member_words
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import NEUTRAL, Panel, Piece, box, row, small, text
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import (
    MANAGERS_ONLY,
    ensure_can_post,
    ensure_stays_there,
    manages,
    moderates,
    server_of,
)
from bot.ui.reading.photo_lookup import source_of

MINE, SERVER = "mine", "server"
NOTHING_YET = "You haven't made anything here yet. Type `/` and pick a tool."
NOTHING_AT_ALL = "No one has made anything here yet."
SHOWN_OR_GONE = "That result was already shown, or has been deleted. Run it again to get a new one."
NO_MORE = "This page is empty now."


def jobs_panel(page: JobPage, names: ToolNames, *, manager: bool) -> Panel:
    """Return a page of jobs. `manager`: the reader may see those of the server."""
    whose = MINE if page.user_id is not None else SERVER
    title = "Your jobs" if whose == MINE else "Server jobs"
    rows = [piece for job in page.jobs for piece in _rows(job, names, whose, page.number, manager=manager)]
    empty = "" if rows else NO_MORE if page.number else NOTHING_YET if whose == MINE else NOTHING_AT_ALL
    turning: list[Piece] = []
    if page.number:
        turning.append(PageButton("Newer", whose, page.number - 1))
    if page.more:
        turning.append(PageButton("Older", whose, page.number + 1))
    if manager:
        other = SERVER if whose == MINE else MINE
        turning.append(PageButton("Server jobs" if other == SERVER else "My jobs", other, 0))
    head = f"### 🗂️ {title}" + (f"\n{small(f'Page {page.number + 1}')}" if page.number or page.more else "")
    return Panel(box(NEUTRAL, head, *rows, empty, *([row(*turning)] if turning else [])))


async def show_page(
    interaction: discord.Interaction[Any], whose: str, number: int, *, instead: bool = False
) -> None:
    """Show a page to the person alone, with `instead` in place of the page that they see.

    Raises `Refused`.
    """
    guild_id = server_of(interaction)
    host = host_of(interaction)
    manager = manages(interaction)
    if whose == SERVER and not manager:
        raise Refused(MANAGERS_ONLY)
    user_id = interaction.user.id if whose == MINE else None
    page = await host.services.jobs.page(guild_id, user_id, number)
    panel = jobs_panel(page, ToolNames(host.catalog), manager=manager)
    if instead and interaction.response.is_done():
        await interaction.edit_original_response(view=panel)
    elif instead:
        await interaction.response.edit_message(view=panel)
    else:
        await answer(interaction, panel)


class PageButton(
    LastingButton,
    template=rf"studii:jobs:(?P<whose>{MINE}|{SERVER}):(?P<number>[0-9]{{1,6}})",
):
    """Turn to a page."""

    def __init__(self, label: str, whose: str, number: int) -> None:
        self._whose = whose
        self._number = number
        super().__init__(ui.Button(label=label, custom_id=f"studii:jobs:{whose}:{number}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls("", match["whose"], int(match["number"]))

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await show_page(interaction, self._whose, self._number, instead=True)


class ListedButton(
    LastingButton,
    template=(
        r"studii:listed:(?P<action>cancel|post|show|again):(?P<job>[0-9a-f]{16})"
        rf":(?P<whose>{MINE}|{SERVER}):(?P<number>[0-9]{{1,6}})"
    ),
):
    """Do something with a job in the list: cancel it, post or show its result here, run it again."""

    labels = {  # noqa: RUF012 - never changed
        "cancel": "Cancel job",
        "post": "Post here",
        "show": "Show result",
        "again": "Run again",
    }

    def __init__(self, action: str, job_id: str, whose: str, number: int) -> None:
        self._action = action
        self._job_id = job_id
        self._whose = whose
        self._number = number
        custom_id = f"studii:listed:{action}:{job_id}:{whose}:{number}"
        super().__init__(ui.Button(label=self.labels[action], custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(match["action"], match["job"], match["whose"], int(match["number"]))

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        job = await job_for(interaction, host.services, self._job_id)
        if self._action == "again":
            _channel_for(interaction, job)
            tool = host.catalog.get(job.tool)
            source = await source_of(interaction, job, host.clock.now())
            await start_once(interaction, tool, job.inputs, source, terms_of(job, tool))
            return
        if self._action == "show":
            await self._show(interaction, host, job)
            return
        # First: it shows nothing, and what follows may have to wait for others who write.
        await interaction.response.defer()
        if self._action == "cancel":
            await host.services.jobs.cancel(
                job.id, job.guild_id, interaction.user.id, moderates=moderates(interaction, job)
            )
        else:
            await self._post(interaction, host, job)
        await show_page(interaction, self._whose, self._number, instead=True)

    async def _post(self, interaction: discord.Interaction[Any], host: Host, job: Job) -> None:
        ensure_can_post(interaction)
        channel_id = _channel_for(interaction, job)
        await host.services.jobs.post_here(job.id, interaction.user.id, channel_id)

    async def _show(self, interaction: discord.Interaction[Any], host: Host, job: Job) -> None:
        """Answer with a new card for the person alone; the result then takes its place."""
        channel_id = _channel_for(interaction, job)
        if _action_for(job, MINE) != "show":
            raise Refused(SHOWN_OR_GONE)
        card = job_card(job, ToolNames(host.catalog), Progress())
        shown = await interaction.response.send_message(view=card, ephemeral=True)
        host.cards.remember(job.id, interaction)
        await host.services.jobs.post_here(job.id, interaction.user.id, channel_id, shown.message_id)


def _channel_for(interaction: discord.Interaction[Any], job: Job) -> int:
    """Return the channel in which the result may be posted or shown now. Raises `Refused`."""
    if interaction.channel_id is None:
        raise Refused("This only works in a channel.")
    ensure_stays_there(interaction, job)
    return interaction.channel_id


def _rows(job: Job, names: ToolNames, whose: str, number: int, *, manager: bool) -> list[Piece]:
    """Return a job's row, and for managers the buttons that settle a job whose outcome is unknown."""
    ruling = manager and job.state is JobState.UNKNOWN
    settling: list[Piece] = [row(*(button.of(job) for button in RULING_BUTTONS))] if ruling else []
    return [_row(job, names, whose, number), *settling]


def _row(job: Job, names: ToolNames, whose: str, number: int) -> Piece:
    # Only the requester can open a message that they alone were shown.
    # What somebody had erased is not led to.
    line = job_line(job, names, linked=whose == MINE or not (job.private or job.scrubbed_at))
    if whose == SERVER:
        line = f"{line} · {member_words(job.user_id)}"
    action = _action_for(job, whose)
    accessory: Any = ListedButton(action, job.id, whose, number) if action else None
    posted = job.result_message_id is not None
    if accessory is None and whose == MINE and not posted and job.state is JobState.SUCCEEDED:
        # A private result disappears when its message is closed; some came by DM, or could not be sent.
        accessory = link_button(job, "Open")
    return text(line) if accessory is None else ui.Section(line, accessory=accessory)


def _action_for(job: Job, whose: str) -> str | None:
    if job.state in UNSENT_STATES:
        return "cancel"
    if whose == SERVER:
        return None
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        return "again"
    kept = job.state is JobState.SUCCEEDED and job.output_file is not None and job.announced_at is not None
    if not kept:
        return None
    return "show" if job.private else "post"


LIST_BUTTONS = (PageButton, ListedButton)
