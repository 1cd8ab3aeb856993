"""A request that waits for approval, in the moderators' channel: Approve and Decline, once."""

from collections.abc import Mapping
from typing import Any

import discord

from bot.catalog import Tool
from bot.domain import ForModerators, JobState
from bot.domain.approvals import APPROVAL_HOURS
from bot.domain.words import MAX_RULE_CHARACTERS, matcher_of
from bot.reasons import ReasonCode
from bot.services import credit_words, discord_timestamp
from bot.ui.admin.moderation.deciding import (
    MAX_PROMPT_CHARACTERS,
    ReasonForm,
    decision_panel,
    declined_words,
    requester_of,
    show_decision,
)
from bot.ui.admin.moderation.files import OpenedFiles
from bot.ui.jobs.wording import ToolNames, cost_words, prompt_of, settings_words
from bot.ui.kit.buttons import JobButton, template_of
from bot.ui.kit.host import Host, done_in_time
from bot.ui.kit.layout import BAD, GOING, GOOD, QUIET, Panel, box, lines, row, sentence_panel, small
from bot.ui.kit.text import plain
from bot.ui.reading.member import approver_of
from bot.ui.reading.permissions import server_of

HIDDEN_REQUEST = (
    "The request isn't shown here, because it comes from an age-restricted channel. To see such requests, "
    "make this channel age-restricted."
)
NO_PHOTO = "The photo is too large to show here."
NOT_ALL_PHOTOS = "Not all of the photos can be shown here: they are too large."
TOGETHER = "Your decision counts for all {} photos."
# What ended a request that a moderator was about to approve.
ENDED_WORDS: Mapping[str, str] = {
    ReasonCode.REQUESTER_LEFT: "<@{}> has left the server, so the request was ended. Nothing was charged.",
    ReasonCode.BLOCKED_MEANWHILE: (
        "<@{}> has been blocked since they asked, so the request was ended. Nothing was charged."
    ),
    ReasonCode.ACCESS_CHANGED: (
        "The rules have changed since <@{}> asked and no longer allow this, so the request was ended. "
        "Nothing was charged."
    ),
    ReasonCode.WORDS_CHANGED: (
        "A word rule added since <@{}> asked doesn't allow this, so the request was ended. Nothing was "
        "charged."
    ),
}
_ENDS = f"ends unpaid after {APPROVAL_HOURS} hours"


class ApproveButton(JobButton, template=template_of("approve")):
    """Let the job go on."""

    action = "approve"
    label = "Approve"
    style = discord.ButtonStyle.success

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        guild_id, approver = server_of(interaction), approver_of(interaction)
        job = await host.services.approvals.open_request(guild_id, self.job_id, approver)
        requester = await requester_of(interaction, job)
        jobs = await done_in_time(
            interaction, host.services.approvals.approve(guild_id, self.job_id, approver, requester)
        )
        job = jobs[0]
        if job.state is JobState.FAILED:
            said = ENDED_WORDS.get("" if job.failure_text is None else job.failure_text.code, "")
            await show_decision(interaction, sentence_panel(said.format(job.user_id), QUIET))
            return
        await show_decision(interaction, decision_panel(jobs, interaction, host, "✅ Approved by {}", GOOD))


class DeclineButton(JobButton, template=template_of("decline")):
    """Ask for a reason, and end the job."""

    action = "decline"
    label = "Decline"
    style = discord.ButtonStyle.danger

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await host.services.approvals.open_request(
            server_of(interaction), self.job_id, approver_of(interaction)
        )
        await ReasonForm("Decline request", self._decline).show(interaction)

    async def _decline(self, interaction: discord.Interaction[Any], host: Host, reason: str | None) -> None:
        guild_id, approver = server_of(interaction), approver_of(interaction)
        jobs = await done_in_time(
            interaction, host.services.approvals.decline(guild_id, self.job_id, approver, reason)
        )
        await show_decision(interaction, decision_panel(jobs, interaction, host, declined_words(reason), BAD))


def approval_request(
    shown: ForModerators, names: ToolNames, mark: int, files: OpenedFiles, *, hidden: bool
) -> Panel:
    """Return a request as moderators see it: who, what and where, the prompt and the photos hidden at first.

    It is about one job, or those of a set on which they decide together. The files are sent with it.
    `hidden`: nothing of it may be shown here.
    """
    jobs = shown.jobs
    job, count = jobs[0], len(jobs)
    tool, several = names.tool(job), count > 1
    what = f"**{names.title(job)}**" + (f" with {count} photos" if several else "")
    private = ". It's private: only they get the result" if job.private else ""
    prompt = prompt_of(tool, job.inputs)
    reserved = credit_words(sum(one.reserved for one in jobs))
    cost = f"{reserved} reserved for all" if several else cost_words(job)
    lacking = len(files.photos) < sum(one.source is not None for one in jobs)
    container = box(
        GOING,
        lines(
            "### 🛂 A request waits for approval",
            f"<@{job.user_id}> asks for {what} in <#{job.channel_id}>{private}.",
            TOGETHER.format(count) if several else "",
            HIDDEN_REQUEST if hidden else "",
            "" if hidden or not prompt else f"> ||{plain(prompt, MAX_PROMPT_CHARACTERS) or '…'}||",
            "" if hidden else settings_words(tool, job),
            "" if hidden else _rule_words(shown, tool),
            (NOT_ALL_PHOTOS if several else NO_PHOTO) if lacking and not hidden else "",
            small(f"{cost} · asked {discord_timestamp(job.created_at)} · {_ENDS}"),
        ),
        *files.gallery(),
    )
    container.id = mark
    return Panel(container, row(*(button.of(job) for button in REQUEST_BUTTONS)))


def _rule_words(shown: ForModerators, tool: Tool | None) -> str:
    """Return the word rule that sends the request here; empty if none does."""
    inputs = shown.jobs[0].inputs
    said = list(inputs.values()) if tool is None else tool.texts(inputs)
    rule = matcher_of(shown.rules).met(said)
    return "" if rule is None else small(f"Word rule: ||{plain(rule.words, MAX_RULE_CHARACTERS)}||")


REQUEST_BUTTONS: tuple[type[JobButton], ...] = (ApproveButton, DeclineButton)
