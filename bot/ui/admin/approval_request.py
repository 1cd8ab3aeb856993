"""A request that waits for approval, in the moderators' channel: Approve and Decline, once."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import ui

from bot.domain import Job, JobState
from bot.domain.access import MemberContext
from bot.domain.approvals import APPROVAL_HOURS
from bot.errors import Refused
from bot.reasons import ReasonCode
from bot.services import MAX_DECLINE_REASON_CHARACTERS, Approver, discord_timestamp
from bot.ui.jobs.wording import ToolNames, cost_words, prompt_of, settings_words
from bot.ui.kit.buttons import JobButton, template_of
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host, done_in_time
from bot.ui.kit.layout import BAD, GOING, GOOD, QUIET, Panel, box, lines, row, sentence_panel, small
from bot.ui.kit.responses import NO_MENTIONS, answer
from bot.ui.kit.text import plain
from bot.ui.reading.member import member_context, member_context_in, roles_of
from bot.ui.reading.permissions import server_of

HIDDEN = (
    "The request isn't shown here, because it comes from an age-restricted channel. To see such requests, "
    "make this channel age-restricted."
)
NOT_REACHED = "I can't reach Discord right now. Try again in a moment. Nothing was decided."
NO_PHOTO = "The photo is too large to show here."
# What ended a request that a moderator was about to approve.
ENDED: Mapping[str, str] = {
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
_MAX_PROMPT_CHARACTERS = 2000


class ApproveButton(JobButton, template=template_of("approve")):
    """Let the job go on."""

    action = "approve"
    label = "Approve"
    style = discord.ButtonStyle.success

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        guild_id, approver = server_of(interaction), _approver(interaction)
        job = await host.services.approvals.open_request(guild_id, self.job_id, approver)
        requester = await _requester(interaction, job)
        job = await done_in_time(
            interaction, host.services.approvals.approve(guild_id, self.job_id, approver, requester)
        )
        if job.state is JobState.FAILED:
            said = ENDED.get("" if job.failure_text is None else job.failure_text.code, "")
            await _decided(interaction, sentence_panel(said.format(job.user_id), QUIET))
            return
        await _decided(interaction, _decision(job, interaction, host, "✅ Approved by {}", GOOD))


class DeclineButton(JobButton, template=template_of("decline")):
    """Ask for a reason, and end the job."""

    action = "decline"
    label = "Decline"
    style = discord.ButtonStyle.danger

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await host.services.approvals.open_request(
            server_of(interaction), self.job_id, _approver(interaction)
        )
        await _DeclineForm(self.job_id).show(interaction)


class _DeclineForm(Form):
    def __init__(self, job_id: str) -> None:
        super().__init__("Decline request")
        self._job_id = job_id
        self._reason: ui.TextInput[Any] = ui.TextInput(
            required=False, max_length=MAX_DECLINE_REASON_CHARACTERS
        )
        about = "The member reads it. Leave empty to give none."
        self.add_item(ui.Label(text="Reason", description=about, component=self._reason))

    async def submitted(self, interaction: discord.Interaction[Any], host: Host) -> None:
        guild_id, reason = server_of(interaction), " ".join(self._reason.value.split()) or None
        job = await done_in_time(
            interaction,
            host.services.approvals.decline(guild_id, self._job_id, _approver(interaction), reason),
        )
        said = "🚫 Declined by {}" + (f": {plain(reason, MAX_DECLINE_REASON_CHARACTERS)}" if reason else "")
        await _decided(interaction, _decision(job, interaction, host, said, BAD))


def approval_request(job: Job, names: ToolNames, mark: int, *, photo: str | None, hidden: bool) -> Panel:
    """Return the request as moderators see it: who, what and where, the prompt and the photo hidden at first.

    `photo` is the name of the file that is sent with it. `hidden`: nothing of it may be shown here.
    """
    tool = names.tool(job)
    about = f"<@{job.user_id}> asks for **{names.title(job)}** in <#{job.channel_id}>" + (
        ", for themselves only." if job.private else "."
    )
    prompt = prompt_of(tool, job.inputs)
    pieces: list[Any] = [
        lines(
            "### 🛂 A request waits for approval",
            about,
            HIDDEN if hidden else "",
            "" if hidden or not prompt else f"> ||{plain(prompt, _MAX_PROMPT_CHARACTERS) or '…'}||",
            "" if hidden else settings_words(tool, job),
            NO_PHOTO if job.source is not None and photo is None and not hidden else "",
            small(f"{cost_words(job)} · asked {discord_timestamp(job.created_at)} · {_ENDS}"),
        )
    ]
    if photo is not None:
        picture = discord.MediaGalleryItem(f"attachment://{photo}", spoiler=True)
        pieces.append(ui.MediaGallery(picture))
    container = box(GOING, *pieces)
    container.id = mark
    return Panel(container, row(*(button.of(job) for button in APPROVAL_BUTTONS)))


def _decision(
    job: Job, interaction: discord.Interaction[Any], host: Host, said: str, colour: discord.Colour
) -> Panel:
    names = ToolNames(host.catalog)
    what = f"**{names.title(job)}** for <@{job.user_id}> in <#{job.channel_id}>"
    return Panel(box(colour, lines(f"### {said.format(interaction.user.mention)}", what)))


async def _decided(interaction: discord.Interaction[Any], panel: Panel) -> None:
    """Show the decision in place of the request, whose prompt and photo go."""
    message = interaction.message
    if message is None:
        await answer(interaction, panel)
        return
    if not interaction.response.is_done():
        await interaction.response.edit_message(view=panel, attachments=[], allowed_mentions=NO_MENTIONS)
        return
    await answer(interaction, sentence_panel("Done.", QUIET))
    try:
        await message.edit(view=panel, attachments=[], allowed_mentions=NO_MENTIONS)
    except DISCORD_ERRORS:
        return  # the message stays, and its buttons say that the request is over


def _approver(interaction: discord.Interaction[Any]) -> Approver:
    context = member_context(interaction)
    return Approver(interaction.user.id, context.roles, context.manages, context.moderates)


async def _requester(interaction: discord.Interaction[Any], job: Job) -> MemberContext | None:
    """Return the requester's context as it is now, or None if they have left the server."""
    guild = interaction.guild
    if guild is None:
        raise Refused(NOT_REACHED)
    try:
        member = guild.get_member(job.user_id) or await guild.fetch_member(job.user_id)
    except discord.NotFound:
        return None
    except DISCORD_ERRORS as error:
        raise Refused(NOT_REACHED) from error
    channel = guild.get_channel_or_thread(job.channel_id)
    if channel is not None:
        return member_context_in(member, channel)
    permissions = member.guild_permissions
    return MemberContext(
        roles_of(member),
        frozenset({job.channel_id}),
        manages=permissions.manage_guild,
        moderates=permissions.manage_messages,
    )


APPROVAL_BUTTONS: tuple[type[JobButton], ...] = (ApproveButton, DeclineButton)
