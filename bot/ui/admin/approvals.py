"""A request or a result that waits for moderators: Approve and Decline, once.

A withheld result can be released.
"""

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import discord
from discord import ui

from bot.catalog import Catalog, Tool
from bot.errors import Refused
from bot.features.word_matching import first_met
from bot.features.wording import credit_words, discord_timestamp
from bot.features.words import MAX_RULE_CHARACTERS
from bot.jobs import actions
from bot.jobs.actions import MAX_DECLINE_REASON_CHARACTERS, Approver
from bot.jobs.models import (
    APPROVAL_HOURS,
    FORGOTTEN_MEMBER,
    KEPT_DAYS,
    Approval,
    Job,
    JobState,
    MemberContext,
    Progress,
)
from bot.jobs.results import ForModerators
from bot.languages import Message, gettext as _, lazy, ngettext, nlazy, plazy, sentences, speaking, spoken
from bot.media.kinds import DRAWN, suffix_of
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.reasons import ReasonCode
from bot.servers import access
from bot.ui.jobs.wording import cost_words, link_words, member_words, prompt_of, settings_words, state_words
from bot.ui.kit.answers import (
    DISCORD_ERRORS,
    NO_MENTIONS,
    LateAnswer,
    answer,
    answer_in_place,
    answering,
    defer_answer,
    read_before_form,
    refused_as,
)
from bot.ui.kit.host import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES, custom_ids, file_of, labelled
from bot.ui.kit.layout import BAD, GOING, GOOD, QUIET, Panel, Piece, box, boxed, lines, plain, row, small
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import (
    approver_in,
    approver_of,
    channel_in,
    ensure_stays_there,
    fetched_member,
    member_context_in,
    server_of,
)

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


async def show_decided(press: Press, jobs: Sequence[Job], said: Message, *, declined: bool = False) -> None:
    """Show who decided what, without what the jobs were about. `said` lacks the `{moderator}`."""

    def panel() -> Panel:
        emoji, colour = ("🚫", BAD) if declined else ("✅", GOOD)
        title = f"### {emoji} {said.using(moderator=press.interaction.user.mention)}"
        return boxed(colour, lines(title, _about(jobs, press.host.catalog)))

    await show_decision(press, panel)


def asked_for(tool: Tool | None, job: Job) -> list[str]:
    """Return what a job was asked for with: the prompt, hidden until it is clicked, and the other inputs."""
    prompt = prompt_of(tool, job.inputs)
    hidden = f"> ||{plain(prompt, MAX_PROMPT_CHARACTERS) or '…'}||" if prompt else ""
    return [hidden, settings_words(tool, job.inputs)]


def nothing_to_decide(job: Job, catalog: Catalog, *, result: bool) -> Panel:
    """Return what becomes of a question to moderators that ended without a button under it."""
    return boxed(QUIET, lines(f"### {_ended_words(job, result=result)}", _about([job], catalog)))


def _about(jobs: Sequence[Job], catalog: Catalog) -> str:
    job = jobs[0]
    tool, channel = catalog.title(job.tool), f"<#{job.channel_id}>"
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


async def show_decision(press: Press, build: Callable[[], Panel]) -> None:
    """Show the decision in place of what was to be decided on, whose prompt and files go.

    In a channel it is built in the server's language.
    """
    interaction, message = press.interaction, press.interaction.message
    alone = message is None or message.flags.ephemeral
    with speaking(spoken() if alone else await press.host.readers.in_server(server_of(interaction))):
        panel = build()
    if message is None or (await answering(interaction) is None and not interaction.response.is_done()):
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


HIDDEN_REQUEST = lazy(
    "The request isn't shown here, because it comes from an age-restricted channel. To see such requests, "
    "make this channel age-restricted."
)
NO_PHOTO = lazy("The photo is too large to show here.")
NOT_ALL_PHOTOS = lazy("Not all of the photos can be shown here: they are too large.")
# What ended a request that a moderator was about to approve.
ENDED_WORDS: Mapping[str, Message] = {
    ReasonCode.REQUESTER_LEFT: lazy(
        "{member} has left the server, so the request was ended. Nothing was charged."
    ),
    ReasonCode.BLOCKED_MEANWHILE: lazy(
        "{member} has been blocked since they asked, so the request was ended. Nothing was charged."
    ),
    ReasonCode.ACCESS_CHANGED: lazy(
        "The rules have changed since {member} asked and no longer allow this, so the request was ended. "
        "Nothing was charged."
    ),
    ReasonCode.WORDS_CHANGED: lazy(
        "The word filter has changed since {member} asked and no longer allows this, so the "
        "request was ended. Nothing was charged."
    ),
}


@button("approve:{job_id}-{posting}", label=plazy("button", "Approve"), style=discord.ButtonStyle.success)
async def approve(press: Press, job_id: Id, posting: int) -> None:
    """Let the job continue."""
    interaction, host = press.interaction, press.host
    request = server_of(interaction), job_id, approver_of(interaction)
    job, *_rest = await host.services.db.read(actions.pending, *request)
    requester = await requester_of(interaction, job)
    now = host.clock.now()
    jobs = await host.services.db.write(actions.approve, host.catalog, *request, requester, now)
    ended = jobs[0].failure_text
    if ended is not None:  # they would not be accepted any more
        said = ENDED_WORDS[ended.code].using(member=f"<@{job.user_id}>")
        await show_decision(press, lambda: boxed(QUIET, said))
        return
    await show_decided(press, jobs, lazy("Approved by {moderator}"))


@button("decline:{job_id}-{posting}", label=plazy("button", "Decline"), style=discord.ButtonStyle.danger)
async def decline(press: Press, job_id: Id, posting: int) -> None:
    """Ask for a reason, and end the job."""
    request = server_of(press.interaction), job_id, approver_of(press.interaction)
    await read_before_form(press.interaction, press.host.services.db.read(actions.pending, *request))
    await ask_why(press, _("Decline request"))


@decline.submitted
async def declined(press: Press, job_id: Id, posting: int) -> None:
    interaction, host, reason = press.interaction, press.host, reason_in(press)
    request = server_of(interaction), job_id, await approver_by_rules(press)
    jobs = await host.services.db.write(actions.decline, *request, reason, host.clock.now())
    said = lazy("Declined by {moderator}")
    if reason:
        said = lazy("Declined by {moderator}: {reason}", reason=plain(reason, MAX_DECLINE_REASON_CHARACTERS))
    await show_decided(press, jobs, said, declined=True)


def approval_request(
    shown: ForModerators, catalog: Catalog, mark: int, files: OpenedFiles, *, hidden: bool
) -> Panel:
    """Return a request as moderators see it: who, what and where, the prompt and the photos hidden at first.

    It is about one job, or those of a set on which they decide together. The files are sent with it.
    `hidden`: nothing of it may be shown here.
    """
    jobs = shown.jobs
    job, count = jobs[0], len(jobs)
    tool, several = catalog.tools.get(job.tool), count > 1
    private = _("It's private: only they get the result.") if job.private else ""
    reserved = credit_words(sum(one.reserved for one in jobs))
    cost = _("{credits} reserved for all", credits=reserved) if several else cost_words(job)
    lacking = len(files.photos) < sum(one.source is not None for one in jobs)
    unseen = (NOT_ALL_PHOTOS if several else NO_PHOTO) if lacking else ""
    about = [HIDDEN_REQUEST] if hidden else [*asked_for(tool, job), _rule_words(shown, tool), unseen]
    container = box(
        GOING,
        lines(
            f"### 🛂 {_('A request waits for approval')}",
            sentences(_asked_words(job, catalog, count), private),
            ngettext(
                "Your decision counts for {count} photo.",
                "Your decision counts for all {count} photos.",
                count,
            )
            if several
            else "",
            *about,
            small(f"{cost} · {_asked_and_ends(job)}"),
        ),
        *files.gallery(),
    )
    container.id = mark
    return Panel(container, row(*(one.of(job.id, job.posting) for one in (approve, decline))))


def _asked_words(job: Job, catalog: Catalog, count: int) -> str:
    asked = {
        "member": f"<@{job.user_id}>",
        "tool": catalog.title(job.tool),
        "channel": f"<#{job.channel_id}>",
    }
    if count == 1:
        return _("{member} asks for **{tool}** in {channel}.", **asked)
    return ngettext(
        "{member} asks for **{tool}** with {count} photo in {channel}.",
        "{member} asks for **{tool}** with {count} photos in {channel}.",
        count,
        **asked,
    )


def _asked_and_ends(job: Job) -> str:
    ends = ngettext(
        "ends at no cost after {count} hour", "ends at no cost after {count} hours", APPROVAL_HOURS
    )
    return f"{_('asked {when}', when=discord_timestamp(job.created_at))} · {ends}"


def _rule_words(shown: ForModerators, tool: Tool | None) -> str:
    """Return the word rule that sends the request here; empty if none does."""
    inputs = shown.jobs[0].inputs
    said = list(inputs.values()) if tool is None else tool.texts(inputs)
    met = first_met(shown.rules, said)
    if met is None:
        return ""
    return small(_("Word filter: ||{words}||", words=plain(shown.rules[met], MAX_RULE_CHARACTERS)))


HIDDEN_RESULT = lazy(
    "The result isn't shown here, because it was made in an age-restricted channel. To see such results, "
    "make this channel age-restricted."
)
TOO_LARGE_TO_SHOW = lazy("The result is too large to show here.")


@button(
    "approve-result:{job_id}-{posting}", label=plazy("button", "Approve"), style=discord.ButtonStyle.success
)
async def approve_result(press: Press, job_id: Id, posting: int) -> None:
    """Post the result."""
    interaction, host = press.interaction, press.host
    db, result = host.services.db, (server_of(interaction), job_id, await _approver(press))
    job = await db.read(actions.waiting_result, *result)
    left = await requester_of(interaction, job) is None
    job = await db.write(actions.approve_result, *result, host.clock.now(), left=left)
    if job.state is JobState.WITHHELD:
        said = nlazy(
            "{member} has left the server, so the result isn't posted. Moderators can release it "
            "with `/jobs` for {count} day.",
            "{member} has left the server, so the result isn't posted. Moderators can release it "
            "with `/jobs` for {count} days.",
            KEPT_DAYS,
        ).using(member=f"<@{job.user_id}>")
        await show_decision(press, lambda: boxed(QUIET, said))
        return
    await show_decided(press, [job], lazy("Result approved by {moderator}"))


@button(
    "decline-result:{job_id}-{posting}", label=plazy("button", "Decline"), style=discord.ButtonStyle.danger
)
async def decline_result(press: Press, job_id: Id, posting: int) -> None:
    """Ask for a reason, and withhold the result."""
    interaction = press.interaction
    result = server_of(interaction), job_id, await read_before_form(interaction, _approver(press))
    await read_before_form(interaction, press.host.services.db.read(actions.waiting_result, *result))
    await ask_why(press, _("Decline result"))


@decline_result.submitted
async def result_declined(press: Press, job_id: Id, posting: int) -> None:
    interaction, host, reason = press.interaction, press.host, reason_in(press)
    result = server_of(interaction), job_id, await approver_by_rules(press)
    job = await host.services.db.write(actions.decline_result, *result, reason, host.clock.now())
    said = lazy("Result declined by {moderator}")
    if reason:
        said = lazy(
            "Result declined by {moderator}: {reason}", reason=plain(reason, MAX_DECLINE_REASON_CHARACTERS)
        )
    await show_decided(press, [job], said, declined=True)


@button(
    "release-result:{job_id}-{posting}",
    label=lazy("Post it after all"),
    style=discord.ButtonStyle.success,
)
async def release_result(press: Press, job_id: Id, posting: int) -> None:
    """Post a result after all that was withheld."""
    result, host = (server_of(press.interaction), job_id, await _approver(press)), press.host
    job = await host.services.db.write(actions.release_result, *result, host.clock.now())
    await show_decided(press, [job], lazy("Released by {moderator}"))


@button("see-result:{job_id}-{posting}", label=lazy("See result"))
async def see_result(press: Press, job_id: Id, posting: int) -> None:
    """Show a result from the list of jobs to a moderator alone, with what they may decide."""
    interaction, host = press.interaction, press.host
    result = server_of(interaction), job_id, await _approver(press)
    job = await host.services.db.read(actions.kept_result, *result)
    ensure_stays_there(interaction, job)
    # Files may take longer to send than Discord waits for an answer.
    await defer_answer(interaction, LateAnswer.VIEW)
    photo, made = [
        None if name is None else await host.services.open_file(name)
        for name in (job.source_file, job.output_file)
    ]
    shown = ForModerators((job,), () if photo is None else (photo,), made)
    files = await open_files(shown, DEFAULT_LIMIT - MESSAGE_MARGIN_BYTES)
    try:
        await answer(interaction, result_review(job, host.catalog, files), files.all)
    finally:
        files.close()


async def _approver(press: Press) -> Approver:
    """Return the person who presses: a message that others see too is in the channel for approvals."""
    message = press.interaction.message
    if message is not None and not message.flags.ephemeral:
        return approver_of(press.interaction)
    return await approver_by_rules(press)


def result_review(
    job: Job, catalog: Catalog, files: OpenedFiles, *, mark: int | None = None, hidden: bool = False
) -> Panel:
    """Return the result as moderators see it: who, what and where, the prompt and the files hidden at first.

    The files are sent with it. `hidden`: nothing of it may be shown here.
    """
    waits = job.state is JobState.REVIEWING
    made = _(
        "{member} made this with **{tool}** in {channel}.",
        member=f"<@{job.user_id}>",
        tool=catalog.title(job.tool),
        channel=f"<#{job.channel_id}>",
    )
    private = _("It's private: only they get it.") if job.private else ""
    too_large = sentences(TOO_LARGE_TO_SHOW, link_words(job)) if files.result is None else ""
    container = box(
        GOING if waits else QUIET,
        lines(
            _title(waits=waits),
            sentences(made, private),
            "" if waits else state_words(job, Progress()),
            *([HIDDEN_RESULT] if hidden else [*asked_for(catalog.tools.get(job.tool), job), too_large]),
            small(_("1 Result · 2 Photo")) if files.result is not None and files.photos else "",
            small(_facts(job, waits=waits)),
        ),
        *files.gallery(),
    )
    if mark is not None:
        container.id = mark
    buttons = (approve_result, decline_result) if waits else (release_result,)
    return Panel(container, row(*(one.of(job.id, job.posting) for one in buttons)))


def _title(*, waits: bool) -> str:
    if waits:
        return f"### 🛂 {_('A result waits for approval')}"
    unposted = _("A result that isn't posted")
    return f"### 🚫 {unposted}"


def _facts(job: Job, *, waits: bool) -> str:
    charged = _("Charged {credits}", credits=credit_words(job.settled)) if job.settled else _("Not charged")
    finished = _("finished {when}", when=discord_timestamp(job.finished_at or job.changed_at))
    ends = ngettext(
        "isn't posted if no one decides within {count} hour",
        "isn't posted if no one decides within {count} hours",
        APPROVAL_HOURS,
    )
    return " · ".join([charged, finished, *([ends] if waits else [])])
