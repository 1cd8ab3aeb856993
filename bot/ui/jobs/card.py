"""The job card: the answer to a command, with the inputs and the state of its job."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import ui

from bot.jobs import actions, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import KEPT_DAYS, UNSENT_STATES, FailureCode, Job, JobState, Progress
from bot.languages import gettext as _, lazy, nlazy, plazy
from bot.ui.jobs.wording import ToolNames, cost_words, message_link, prompt_words, settings_words, state_words
from bot.ui.kit.buttons import JobButton, look_of
from bot.ui.kit.host import Host
from bot.ui.kit.layout import (
    BAD,
    GOING,
    GOOD,
    NEUTRAL,
    QUIET,
    UNSURE,
    Panel,
    box,
    lines,
    row,
    rule,
    small,
    text,
)
from bot.ui.kit.marks import card_mark
from bot.ui.kit.responses import acknowledge
from bot.ui.reading.permissions import moderates, server_of

EDIT, EDIT_LABEL, EDIT_STYLE = "edit", plazy("button", "Edit"), discord.ButtonStyle.primary
KEPT_IN_JOBS = nlazy(
    "I couldn't post it here or send it to you. Get it with `/jobs` within a day.",
    "I couldn't post it here or send it to you. Get it with `/jobs` within {count} days.",
    KEPT_DAYS,
)
BY_DM = lazy("I couldn't post it here, so I sent it to {member} by direct message.")
SEE_RESULT = lazy("see the result")
STATE_LOOKS: Mapping[JobState, tuple[str, discord.Colour]] = {
    JobState.RECEIVED: ("⏳", NEUTRAL),
    JobState.PENDING: ("🛂", NEUTRAL),
    JobState.WAITING: ("⏳", NEUTRAL),
    JobState.UPLOADING: ("📤", GOING),
    JobState.SUBMITTING: ("📤", GOING),
    JobState.RUNNING: ("✨", GOING),
    JobState.REVIEWING: ("🛂", NEUTRAL),
    JobState.SUCCEEDED: ("✅", GOOD),
    JobState.WITHHELD: ("🚫", BAD),
    JobState.FAILED: ("❌", BAD),
    JobState.CANCELLED: ("🚫", QUIET),
    JobState.UNKNOWN: ("❔", UNSURE),
}


class CancelButton(JobButton, action="cancel"):
    """Cancel a job that has not gone to Studii yet; its card then says so."""

    label = plazy("button", "Cancel job")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = server_of(interaction)
        await acknowledge(interaction)
        job = await host.services.db.read(queries.get, self.job_id)
        may = job is not None and moderates(interaction, job)
        by, at = interaction.user.id, host.clock.now()
        ensure_cancelled(
            await host.services.db.write(actions.cancel, self.job_id, guild_id, by, at, moderates=may)
        )


def job_card(job: Job, names: ToolNames, progress: Progress) -> Panel:
    """Return the card of a job as it is now. Send it without pinging whom it mentions.

    It carries the job's mark, by which it can be found again if Discord's answer got lost.
    """
    tool = names.tool(job.tool)
    title, settings = f"### {names.emoji(job.tool)} {names.title(job.tool)}", settings_words(tool, job.inputs)
    asked = _("for {member}", member=f"<@{job.user_id}>") + (f" · {settings}" if settings else "")
    buttons = [row(edit_button(job))] if can_be_edited(job) else []
    return Panel(
        box(
            STATE_LOOKS[job.state][1],
            lines(title, small(asked), prompt_words(tool, job.inputs)),
            rule(),
            lines(f"{sign_of(job)} {state_words(job, progress)}{where_words(job)}", small(cost_words(job))),
            *([row(CancelButton.of(job))] if job.state in UNSENT_STATES else []),
        ),
        *buttons,
        mark=card_mark(job),
    )


def sign_of(job: Job) -> str:
    """Return the sign of the job's state."""
    return "🚫" if job.not_approved else STATE_LOOKS[job.state][0]


def can_be_edited(job: Job) -> bool:
    """Return whether the job failed because of its inputs, so that others may succeed."""
    return job.state is JobState.FAILED and job.failure in {FailureCode.INPUTS, FailureCode.PLAN}


def edit_button(job: Job, style: discord.ButtonStyle = EDIT_STYLE) -> ui.Button[Any]:
    """Return the look of `bot.ui.jobs.results.buttons.EditButton`, which finds its code by the custom id."""
    return look_of(EDIT, job, EDIT_LABEL, style)


def moved_card(job: Job, names: ToolNames) -> Panel:
    """Return the one line to which a card is reduced that can't be removed: where its posting is."""
    what = _("{tool} for {member}", tool=names.title(job.tool), member=f"<@{job.user_id}>")
    said = f"{names.emoji(job.tool)} {what} · [{SEE_RESULT}]({message_link(job)})"
    return Panel(text(small(said)), mark=card_mark(job))


def where_words(job: Job) -> str:
    """Return where the job's last word is, for a card that stays."""
    if job.result_message_id is not None:
        see = SEE_RESULT if job.state is JobState.SUCCEEDED else _("see the message")
        return f" · [{see}]({message_link(job)})"
    if job.announced_at is None:
        return ""
    if job.result_by_dm:
        return f"\n{BY_DM.using(member=f'<@{job.user_id}>')}"
    return f"\n{KEPT_IN_JOBS}" if job.state is JobState.SUCCEEDED and job.output_file is not None else ""
