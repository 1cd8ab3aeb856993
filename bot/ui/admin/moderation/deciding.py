"""What deciding on requests and on results has in common: who decides, the reason, and what is shown then."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.domain import Job, JobState
from bot.domain.access import MemberContext
from bot.domain.approvals import APPROVAL_HOURS, Approval
from bot.errors import Refused
from bot.reasons import ReasonCode
from bot.services import MAX_DECLINE_REASON_CHARACTERS, count_words
from bot.ui.jobs.wording import ToolNames, member_words
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host
from bot.ui.kit.layout import QUIET, Panel, box, lines, sentence_panel
from bot.ui.kit.responses import NO_MENTIONS, answer
from bot.ui.kit.text import plain
from bot.ui.reading.member import member_context_in, roles_of

MAX_PROMPT_CHARACTERS = 2000
ERASED_MEMBER = "a member whose data was erased"
_DECIDING = ("studii:approve", "studii:decline")
NOT_REACHED = "I can't reach Discord right now. Try again in a moment. Nothing was decided."

Decline = Callable[[discord.Interaction[Any], Host, str | None], Awaitable[None]]


class ReasonForm(Form):
    """Asks for the reason to decline, which the member reads. `decline` then gets it, or None."""

    def __init__(self, title: str, decline: Decline) -> None:
        super().__init__(title)
        self._decline = decline
        self._reason: ui.TextInput[Any] = ui.TextInput(
            required=False, max_length=MAX_DECLINE_REASON_CHARACTERS
        )
        about = "The member reads it. Leave empty to give none."
        self.add_item(ui.Label(text="Reason", description=about, component=self._reason))

    async def submitted(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await self._decline(interaction, host, " ".join(self._reason.value.split()) or None)


def declined_words(reason: str | None, declined: str = "Declined") -> str:
    """Return how a decision begins that declined something; `{}` is the moderator."""
    return f"🚫 {declined} by {{}}" + (f": {plain(reason, MAX_DECLINE_REASON_CHARACTERS)}" if reason else "")


def decision_panel(
    jobs: Sequence[Job], interaction: discord.Interaction[Any], host: Host, said: str, colour: discord.Colour
) -> Panel:
    """Return who decided what, without what the jobs were about."""
    names, job = ToolNames(host.catalog), jobs[0]
    several = f" · {count_words(len(jobs), 'photo', 'photos')}" if len(jobs) > 1 else ""
    what = f"**{names.title(job)}**{several} for <@{job.user_id}> in <#{job.channel_id}>"
    return Panel(box(colour, lines(f"### {said.replace('{}', interaction.user.mention, 1)}", what)))


def nothing_to_decide(job: Job, names: ToolNames, *, result: bool) -> Panel:
    """Return what becomes of a question to moderators that ended without a button under it."""
    who = ERASED_MEMBER if job.scrubbed_at is not None else member_words(job.user_id)
    what = f"**{names.title(job)}** for {who} in <#{job.channel_id}>"
    return Panel(box(QUIET, lines(f"### {_ended_words(job, result=result)}", what)))


def _ended_words(job: Job, *, result: bool) -> str:
    code = "" if job.failure_text is None else job.failure_text.code
    if code in {ReasonCode.NOT_APPROVED, ReasonCode.RESULT_NOT_SEEN}:
        return f"⌛ No one decided within {APPROVAL_HOURS} hours"
    if job.state is JobState.WITHHELD:
        return "🚫 This result isn't posted"
    if result:
        return "✅ This result was approved"
    if job.approval is Approval.GIVEN:
        return "✅ This request was approved"
    return "🚫 This request was cancelled" if job.state is JobState.CANCELLED else "🚫 This request has ended"


def asks(message: discord.Message) -> bool:
    """Return whether a message still has the buttons to decide something."""
    return any(
        isinstance(part, discord.Button) and (part.custom_id or "").startswith(_DECIDING)
        for component in message.components
        if isinstance(component, discord.ActionRow)
        for part in component.children
    )


async def show_decision(interaction: discord.Interaction[Any], panel: Panel) -> None:
    """Show the decision in place of what was to be decided on, whose prompt and files go."""
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
        return  # the message stays, and its buttons say that there is nothing to decide any more


async def requester_of(interaction: discord.Interaction[Any], job: Job) -> MemberContext | None:
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
