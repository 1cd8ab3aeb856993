"""The progress of a job, for its person alone: the answer to a command, with its inputs and its state."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import ui

from bot.catalog import Tool
from bot.jobs import actions, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import KEPT_DAYS, UNSENT_STATES, FailureCode, Job, JobState, Progress
from bot.jobs.progress import subject_of
from bot.languages import lazy, nlazy, plazy
from bot.ui.jobs.results.links import link_words
from bot.ui.jobs.wording import (
    ToolNames,
    again_label,
    cost_words,
    message_link,
    prompt_words,
    settings_words,
    state_words,
)
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
    Piece,
    boxed,
    lines,
    row,
    rule,
    small,
)
from bot.ui.kit.responses import acknowledge
from bot.ui.reading.permissions import moderates, server_of

EDIT, EDIT_LABEL, EDIT_STYLE = "edit", plazy("button", "Edit"), discord.ButtonStyle.primary
KEPT_IN_JOBS = nlazy(
    "I couldn't post it here or send it to you. Get it with `/jobs` within a day.",
    "I couldn't post it here or send it to you. Get it with `/jobs` within {count} days.",
    KEPT_DAYS,
)
BY_DM = lazy("I sent it to you by direct message.")
CHARGED_AGAIN = lazy("Running it again may be charged again.")
NOT_UPDATED_ANY_MORE = lazy("This message won't be updated any more. See `/jobs`.")
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


# After these, the same request may succeed.
_MAY_WORK_LATER = frozenset(FailureCode) - {FailureCode.INPUTS, FailureCode.PLAN, FailureCode.PHOTO}
_MAY_BE_ITS_INPUTS = frozenset({FailureCode.STUDII, FailureCode.DECLINED})
AGAIN = "again"


class CancelButton(JobButton, action="cancel"):
    """Cancel a job that has not gone to Studii yet; its progress then says so."""

    label = plazy("button", "Cancel job")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = server_of(interaction)
        await acknowledge(interaction)
        job = await host.services.db.read(queries.get, self.job_id)
        may = job is not None and moderates(interaction, job)
        await follow_pressed(interaction, host, job)
        by, at = interaction.user.id, host.clock.now()
        ensure_cancelled(
            await host.services.db.write(actions.cancel, self.job_id, guild_id, by, at, moderates=may)
        )


async def follow_pressed(interaction: discord.Interaction, host: Host, job: Job | None) -> None:
    """Let the pressed progress be edited for another quarter of an hour; its press is acknowledged."""
    # A message that others see is of a version before.
    if job is not None and interaction.message is not None and interaction.message.flags.ephemeral:
        await host.answers.show(interaction, subject_of(job))


def job_progress(job: Job, names: ToolNames, progress: Progress, *, last: bool = False) -> Panel:
    """Return the progress of a job as it is now. `last`: it is not updated any more."""
    tool = names.tool(job.tool)
    title, settings = f"### {names.emoji(job.tool)} {names.title(job.tool)}", settings_words(tool, job.inputs)
    said = f"{sign_of(job)} {state_words(job, progress)}{where_words(job)}"
    there = link_words(job) if job.failure is FailureCode.OUTPUT and job.output_url is not None else ""
    again = CHARGED_AGAIN if may_be_charged_again(job) else ""
    left = NOT_UPDATED_ANY_MORE if last and not job.over else ""
    buttons = [CancelButton.of(job)] if job.state in UNSENT_STATES else another_try(job, tool)
    return boxed(
        STATE_LOOKS[job.state][1],
        lines(title, small(settings), prompt_words(tool, job.inputs)),
        rule(),
        lines(said, there, small(cost_words(job)), small(again), small(left)),
        *([row(*buttons)] if buttons else []),
    )


def may_be_charged_again(job: Job) -> bool:
    """Return whether the job was charged although there is no result, and so may be the next one."""
    paid_for = job.state is JobState.WITHHELD or job.failure is FailureCode.STUDII
    return job.state in {JobState.FAILED, JobState.WITHHELD} and paid_for and job.settled > 0


def another_try(job: Job, tool: Tool | None) -> list[Piece]:
    """Return what may help a job that ended without a result: other inputs, or the same again."""
    if can_be_edited(job):
        return [edit_button(job)]
    if job.state not in {JobState.FAILED, JobState.WITHHELD} or job.failure not in _MAY_WORK_LATER:
        return []
    has_inputs = tool is not None and bool(tool.inputs)
    # It may be the prompt that Studii or a moderator refused: another one may pass.
    edit = [edit_button(job)] if has_inputs and job.failure in _MAY_BE_ITS_INPUTS else []
    # The look of `bot.ui.jobs.results.buttons.AgainButton`.
    return [*edit, look_of(AGAIN, job, again_label(job))]


def sign_of(job: Job) -> str:
    """Return the sign of the job's state."""
    return "🚫" if job.not_approved else STATE_LOOKS[job.state][0]


def can_be_edited(job: Job) -> bool:
    """Return whether the job failed because of its inputs, so that others may succeed."""
    return job.state is JobState.FAILED and job.failure in {FailureCode.INPUTS, FailureCode.PLAN}


def edit_button(job: Job, style: discord.ButtonStyle = EDIT_STYLE) -> ui.Button[Any]:
    """Return the look of `bot.ui.jobs.results.buttons.EditButton`, which finds its code by the custom id."""
    return look_of(EDIT, job, EDIT_LABEL, style)


def where_words(job: Job) -> str:
    """Return where the job's result is."""
    if job.result_message_id is not None:
        return f" · [{SEE_RESULT}]({message_link(job)})"
    if job.announced_at is None or job.state is not JobState.SUCCEEDED:
        return ""
    if job.result_by_dm:
        return f"\n{BY_DM}"
    return f"\n{KEPT_IN_JOBS}" if job.output_file is not None else ""
