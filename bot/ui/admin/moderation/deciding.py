"""Do what deciding on requests and results has in common: who decides, why, and what is shown then."""

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import discord
from discord import ui

from bot.catalog import Tool
from bot.errors import Refused
from bot.features.moderation import MAX_DECLINE_REASON_CHARACTERS, Approver
from bot.jobs.models import APPROVAL_HOURS, FORGOTTEN_MEMBER, Approval, Job, JobState, MemberContext
from bot.jobs.results import ForModerators
from bot.languages import Message, gettext as _, lazy, ngettext, speaking, spoken
from bot.media.kinds import DRAWN, suffix_of
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.reasons import ReasonCode
from bot.servers import access
from bot.ui.jobs.wording import ToolNames, member_words, prompt_of, settings_words
from bot.ui.kit.answers import DISCORD_ERRORS, NO_MENTIONS, answer, answer_in_place, answering, refused_as
from bot.ui.kit.host import Host, custom_ids, file_of, labelled
from bot.ui.kit.layout import BAD, QUIET, Panel, Piece, boxed, lines, plain
from bot.ui.panels.controls import Press
from bot.ui.reading.permissions import approver_in, channel_in, fetched_member, member_context_in, server_of

MAX_PROMPT_CHARACTERS = 2000
_DECIDING = ("studii:approve", "studii:decline")
NOT_REACHED = lazy("The bot can't reach Discord right now. Try again in a moment. Nothing was decided.")


async def ask_why(press: Press, title: str) -> None:
    """Ask for the reason to decline, which the member reads."""
    typed = ui.TextInput[Any](custom_id="reason", required=False, max_length=MAX_DECLINE_REASON_CHARACTERS)
    await press.ask(
        title, labelled(lazy("Reason"), typed, lazy("The member sees it. Leave empty to give none."))
    )


def reason_in(press: Press) -> str | None:
    """Return the reason that was entered, if there is one."""
    return " ".join(str(press.values.get("reason") or "").split()) or None


async def approver_by_rules(press: Press) -> Approver:
    """Return the person, with what they may do in the channel for approvals, wherever the press is."""
    rules = await press.host.services.db.read(access.approvals, server_of(press.interaction))
    return approver_in(press.interaction, rules.channel_id)


async def show_decided(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], said: Message, colour: discord.Colour
) -> None:
    """Show who decided what, without what the jobs were about. `said` lacks the `{moderator}`."""

    def panel() -> Panel:
        emoji = "🚫" if colour == BAD else "✅"
        title = f"### {emoji} {said.using(moderator=interaction.user.mention)}"
        return boxed(colour, lines(title, _about(jobs, ToolNames(host.catalog))))

    await show_decision(interaction, host, panel)


async def show_declined(
    interaction: discord.Interaction,
    host: Host,
    jobs: Sequence[Job],
    reason: str | None,
    said: tuple[Message, Message],
) -> None:
    """Show who declined. `said` are the words without and with a `{reason}`."""
    bare, reasoned = said
    words = reasoned.using(reason=plain(reason, MAX_DECLINE_REASON_CHARACTERS)) if reason else bare
    await show_decided(interaction, host, jobs, words, BAD)


def asked_for(tool: Tool | None, job: Job) -> list[str]:
    """Return what a job was asked for with: the prompt, hidden until it is clicked, and the other inputs."""
    prompt = prompt_of(tool, job.inputs)
    hidden = f"> ||{plain(prompt, MAX_PROMPT_CHARACTERS) or '…'}||" if prompt else ""
    return [hidden, settings_words(tool, job.inputs)]


def nothing_to_decide(job: Job, names: ToolNames, *, result: bool) -> Panel:
    """Return what becomes of a question to moderators that ended without a button under it."""
    return boxed(QUIET, lines(f"### {_ended_words(job, result=result)}", _about([job], names)))


def _about(jobs: Sequence[Job], names: ToolNames) -> str:
    job = jobs[0]
    tool, channel = names.title(job.tool), f"<#{job.channel_id}>"
    member = member_words(FORGOTTEN_MEMBER if job.scrubbed_at is not None else job.user_id)
    if len(jobs) == 1:
        return _("**{tool}** for {member} in {channel}", tool=tool, member=member, channel=channel)
    return ngettext(
        "**{tool}** · {count} photo for {member} in {channel}",
        "**{tool}** · {count} photos for {member} in {channel}",
        len(jobs),
        tool=tool,
        member=member,
        channel=channel,
    )


def _ended_words(job: Job, *, result: bool) -> str:
    code = "" if job.failure_text is None else job.failure_text.code
    if code in {ReasonCode.NOT_APPROVED, ReasonCode.RESULT_NOT_SEEN}:
        return "⌛ " + ngettext(
            "No one decided within {count} hour", "No one decided within {count} hours", APPROVAL_HOURS
        )
    if job.state is JobState.WITHHELD:
        return "🚫 " + _("This result isn't posted")
    if result:
        return "✅ " + _("This result was approved")
    if job.approval is Approval.GIVEN:
        return "✅ " + _("This request was approved")
    if job.state is JobState.CANCELLED:
        return "🚫 " + _("This request was cancelled")
    return "🚫 " + _("This request has ended")


def asks(message: discord.Message) -> bool:
    """Return whether a message still has the buttons to decide something."""
    return any((one or "").startswith(_DECIDING) for one in custom_ids(message.components))


async def show_decision(interaction: discord.Interaction, host: Host, build: Callable[[], Panel]) -> None:
    """Show the decision in place of what was to be decided on, whose prompt and files go.

    In a channel it is built in the server's language.
    """
    message = interaction.message
    alone = message is None or message.flags.ephemeral
    with speaking(spoken() if alone else await host.readers.in_server(server_of(interaction))):
        panel = build()
    if message is None:
        await answer(interaction, panel)
        return
    if await answering(interaction) is None and not interaction.response.is_done():
        await answer_in_place(interaction, panel, attachments=[])
        return
    await answer(interaction, boxed(QUIET, _("Done.")))
    with suppress(*DISCORD_ERRORS):  # the buttons of one that stays say that there is nothing to decide
        await message.edit(view=panel, attachments=[], allowed_mentions=NO_MENTIONS)


async def requester_of(interaction: discord.Interaction, job: Job) -> MemberContext | None:
    """Return the requester's context as it is now, or None if they have left the server."""
    guild = interaction.guild
    if guild is None:
        raise Refused(NOT_REACHED)
    with refused_as(NOT_REACHED):
        member = guild.get_member(job.user_id) or await fetched_member(guild, job.user_id)
    if member is None:
        return None
    context = member_context_in(member, channel_in(guild, job.channel_id))
    return replace(context, channels=context.channels | {job.channel_id})


_log = logging.getLogger(__name__)

MIN_SHOWN_BYTES = 16 * 1024  # a picture in fewer shows nothing
RESULT_SHARE = 0.75  # of the room, where a photo is shown beside the result


@dataclass
class OpenedFiles:
    """Files to be sent with a message."""

    photos: list[discord.File] = field(default_factory=list[discord.File])
    result: discord.File | None = None

    @property
    def all(self) -> list[discord.File]:
        return [*([] if self.result is None else [self.result]), *self.photos]

    def gallery(self) -> list[Piece]:
        """Return the files, each hidden until it is clicked; nothing if there are none."""
        items = [discord.MediaGalleryItem(f"attachment://{file.filename}", spoiler=True) for file in self.all]
        return [ui.MediaGallery(*items)] if items else []

    def close(self) -> None:
        for file in self.all:
            file.close()


async def open_files(shown: ForModerators, room: int, drawing: Drawing | None = None) -> OpenedFiles:
    """Open what can be shown in `room` bytes together; pictures are made smaller if `drawing` can."""
    opened = OpenedFiles()
    if shown.result is not None:
        most = int(room * RESULT_SHARE) if shown.photos else room
        opened.result = await _open(shown.result, "result", most, drawing, made=True)
        room -= 0 if opened.result is None else most
    for number, photo in enumerate(shown.photos, 1):
        name = "photo" if len(shown.photos) == 1 else f"photo-{number}"
        file = await _open(photo, name, room // len(shown.photos), drawing)
        opened.photos += [] if file is None else [file]
    return opened


async def _open(
    file: OutputFile, name: str, most: int, drawing: Drawing | None, *, made: bool = False
) -> discord.File | None:
    """Open the file, which the caller closes. None if it can't be shown in `most` bytes."""
    drawn = file.kind != "image" or file.content_type in DRAWN
    try:
        if drawn and file.size <= most:
            return await file_of(file, f"{name}{suffix_of(file.content_type) or ''}")
        if file.kind != "image" or drawing is None or most < MIN_SHOWN_BYTES:
            return None
        data = await drawing.fit(file.path, most, made=made)
    except OSError as error:
        _log.warning("%s can't be shown to moderators: %s", file.path.name, error)
        return None
    return None if data is None else discord.File(io.BytesIO(data), f"{name}.jpg")
