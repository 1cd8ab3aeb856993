"""A request or a result that waits for moderators: Approve and Decline, once.

A withheld result can be released.
"""

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import discord
from discord import ui

from bot.catalog import Catalog, Tool
from bot.credits.budgets import credit_words
from bot.errors import Refused
from bot.features.word_matching import first_met
from bot.features.words import MAX_RULE_CHARACTERS
from bot.jobs import approvals, results
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
from bot.languages import (
    Message,
    discord_timestamp,
    gettext as _,
    lazy,
    ngettext,
    nlazy,
    plazy,
    sentences,
    speaking,
    spoken,
)
from bot.media.kinds import DRAWN, suffix_of
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.reasons import ReasonCode
from bot.servers import access
from bot.ui.jobs.progress import part_name
from bot.ui.jobs.wording import (
    alike,
    cost_words,
    count_words,
    link_words,
    member_words,
    message_link,
    prompt_of,
    settings_words,
    state_words,
)
from bot.ui.kit.answers import answer, answer_in_place, defer_answer, read_before_form, refused_as
from bot.ui.kit.forms import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES, file_of, labelled
from bot.ui.kit.layout import GOING, GOOD, QUIET, Panel, box, boxed, lines, plain, row, small
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import (
    approver_in,
    channel_in,
    ensure_stays_there,
    fetched_member,
    may_be_here,
    member_context,
    member_context_in,
    server_of,
)

MAX_PROMPT_CHARACTERS = 2000
NOT_REACHED = lazy("The bot can't reach Discord right now. Try again in a moment. Nothing was decided.")


async def show_decided(press: Press, jobs: Sequence[Job], *, result: bool) -> None:
    """Show how it was decided in place of what was to be decided on, whose files go.

    In a channel it is worded in the server's language. Where the press can't change the message any more, the
    engine does.
    """
    interaction, message = press.interaction, press.interaction.message
    alone = message is None or message.flags.ephemeral
    by, hidden = interaction.user.id, not may_be_here(interaction, jobs[0])
    with speaking(spoken() if alone else await press.host.readers.in_server(server_of(interaction))):
        panel = decided(jobs, press.host.catalog, result=result, by=by, hidden=hidden)
    await answer_in_place(interaction, panel)
    # The result may have been posted before this edit, and its link be gone with it.
    db, now = press.host.resources.db, press.host.clock.now()
    await db.write(results.tell_approvers, jobs[0].id, now)


def _asked_for(jobs: Sequence[Job], catalog: Catalog, *, plainly: bool = False) -> list[str]:
    """Return what jobs were asked for with: the prompt, hidden until it is clicked, the other inputs that all
    have, and what each has of its own."""
    tool, common = catalog.tools.get(jobs[0].tool), alike(jobs)
    prompt = plain(prompt_of(tool, jobs[0].inputs) or "", MAX_PROMPT_CHARACTERS)
    shown = prompt if plainly or not prompt else f"||{prompt}||"
    names = [f"{number}. {part_name(job, jobs, catalog)}" for number, job in enumerate(jobs, 1)]
    own = names if any(job.inputs != common for job in jobs) else []
    return [f"> {shown}" if shown else "", settings_words(tool, common), " · ".join(own)]


def decided(
    jobs: Sequence[Job], catalog: Catalog, *, result: bool, by: object = None, hidden: bool = False
) -> Panel:
    """Return what becomes of a question to moderators: how it ended, and who did what at which price.

    `by` is the moderator who decided. What was approved is still shown, unless it is private or `hidden`,
    with a link to what was posted.
    """
    job = jobs[0]
    approved = (job.result_approval if result else job.approval) is Approval.GIVEN
    asked = _asked_for(jobs, catalog) if approved and not (job.private or hidden) else []
    cost = credit_words(sum(one.settled + one.reserved for one in jobs)) if jobs[1:] else cost_words(job)
    said = lines(_outcome(job, by, result=result), _about(jobs, catalog), *asked, small(cost))
    panel = boxed(GOOD if approved else QUIET, said)
    links = [message_link(one) for one in jobs if one.result_message_id is not None and not one.private]
    if links:
        panel.add_item(row(ui.Button(label=_("See result"), url=links[0])))
    return panel


def _about(jobs: Sequence[Job], catalog: Catalog) -> str:
    job = jobs[0]
    tool, channel = catalog.title(job.tool), f"<#{job.channel_id}>"
    member = member_words(FORGOTTEN_MEMBER if job.scrubbed_at is not None else job.user_id)
    if len(jobs) == 1:
        return _("**{tool}** for {member} in {channel}", tool=tool, member=member, channel=channel)
    return _(
        # Translators: {photos} is such as “4 photos” or “4 variations”.
        "**{tool}** · {photos} for {member} in {channel}",
        tool=tool,
        photos=count_words(jobs),
        member=member,
        channel=channel,
    )


def _outcome(job: Job, by: object, *, result: bool) -> str:
    """Return how a question to moderators ended; a decision of theirs with its moderator and their reason."""
    told, moderator = job.failure_text, f"<@{by}>"
    code = "" if told is None else told.code
    if code in ENDED_WORDS:  # it would not be accepted any more when it was approved
        return str(ENDED_WORDS[code].using(member=f"<@{job.user_id}>"))
    if code in {ReasonCode.NOT_APPROVED, ReasonCode.RESULT_NOT_SEEN}:
        return "### ⌛ " + ngettext(
            "No one decided within {count} hour", "No one decided within {count} hours", APPROVAL_HOURS
        )
    if (job.result_approval if result else job.approval) is Approval.GIVEN:
        anyone = lazy("This result was approved") if result else lazy("This request was approved")
        said = lazy("Result approved by {moderator}") if result else lazy("Approved by {moderator}")
        return f"### ✅ {said.using(moderator=moderator) if by else anyone}"
    if by and code in {ReasonCode.DECLINED, ReasonCode.RESULT_DECLINED}:
        reason = plain(
            str((told and told.arguments.get("detail")) or ""), approvals.MAX_DECLINE_REASON_CHARACTERS
        )
        said = lazy("Result declined by {moderator}") if result else lazy("Declined by {moderator}")
        why = (
            lazy("Result declined by {moderator}: {reason}")
            if result
            else lazy("Declined by {moderator}: {reason}")
        )
        return f"### 🚫 {(why if reason else said).using(moderator=moderator, reason=reason)}"
    if result:
        return "### 🚫 " + _("This result isn't posted")
    if job.state is JobState.CANCELLED:
        return f"### 🚫 {_('This request was cancelled')}"
    return f"### 🚫 {_('This request has ended')}"


async def requester_of(interaction: discord.Interaction, job: Job) -> MemberContext | None:
    """Return the requester's context as it is now, or None if they have left the server."""
    guild = interaction.guild
    if guild is None:
        raise Refused(NOT_REACHED)
    with refused_as(NOT_REACHED):
        member = await fetched_member(guild, job.user_id)
    if member is None:
        return None
    context = member_context_in(member, channel_in(guild, job.channel_id))
    return replace(context, channels=context.channels | {job.channel_id})


_log = logging.getLogger(__name__)

MIN_SHOWN_BYTES = 16 * 1024  # a picture in fewer shows nothing
RESULT = "result"  # its file's name
RESULT_SHARE = 0.75  # of the room, where a photo is shown beside the result


async def open_files(shown: ForModerators, room: int, drawing: Drawing | None = None) -> list[discord.File]:
    """Open what can be shown in `room` bytes together, the result first, and the photos.

    Pictures are made smaller if `drawing` can. The caller closes the files.
    """
    opened: list[discord.File | None] = []
    if shown.result is not None:
        most = int(room * RESULT_SHARE) if shown.photos else room
        opened.append(await _open(shown.result, RESULT, most, drawing, made=True))
        room -= 0 if opened[0] is None else most
    for number, photo in enumerate(shown.photos, 1):
        name = "photo" if len(shown.photos) == 1 else f"photo-{number}"
        opened.append(await _open(photo, name, room // len(shown.photos), drawing))
    return [one for one in opened if one is not None]


def _gallery(files: Sequence[discord.File], *, plainly: bool = False) -> ui.MediaGallery[Any] | str:
    """Return the files, each hidden until it is clicked; nothing if there are none."""
    names = [f"attachment://{file.filename}" for file in files]
    items = [discord.MediaGalleryItem(one, spoiler=not plainly) for one in names]
    return ui.MediaGallery(*items) if items else ""


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
# What ended a request or a result that a moderator was about to approve.
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
    ReasonCode.RESULT_REQUESTER_LEFT: nlazy(
        "{member} has left the server, so the result isn't posted. Moderators can release it "
        "with `/jobs` for {count} day.",
        "{member} has left the server, so the result isn't posted. Moderators can release it "
        "with `/jobs` for {count} days.",
        KEPT_DAYS,
    ),
}
How = Literal["approve", "decline", "approve-result", "decline-result", "release-result"]
_GOOD = {"style": discord.ButtonStyle.success}
_LOOKS: Mapping[How, Mapping[str, Any]] = {
    "approve": {"label": plazy("button", "Approve"), **_GOOD},
    "approve-result": {"label": plazy("button", "Approve"), **_GOOD},
    "release-result": {"label": lazy("Post it after all"), **_GOOD},
    "decline": {"label": plazy("button", "Decline"), "style": discord.ButtonStyle.danger},
    "decline-result": {"label": plazy("button", "Decline"), "style": discord.ButtonStyle.danger},
}


@button("{how}:{job_id}-{posting}")
async def decide(press: Press, how: How, job_id: Id, posting: int) -> None:
    """Approve a request or a result, post one that was withheld after all, or ask why to decline."""
    interaction, host, result = press.interaction, press.host, how.endswith("result")
    db = host.resources.db
    if how.startswith("decline"):
        which = server_of(interaction), job_id, await read_before_form(interaction, _approver(press))
        await read_before_form(interaction, db.read(approvals.waiting, *which, result=result))
        typed = ui.TextInput[Any](
            custom_id="reason", required=False, max_length=approvals.MAX_DECLINE_REASON_CHARACTERS
        )
        why = labelled(lazy("Reason"), typed, lazy("The member sees it. Leave empty to give none."))
        await press.ask(lazy("Decline result") if result else lazy("Decline request"), why)
        return
    which = server_of(interaction), job_id, await _approver(press)
    if how == "release-result":
        jobs = await db.write(approvals.release_result, *which, host.clock.now())
    else:
        job, *_rest = await db.read(approvals.waiting, *which, result=result)
        requester = await requester_of(interaction, job)
        given = (host.catalog, *which, requester, host.clock.now())
        jobs = await db.write(approvals.approve, *given, result=result)
    await show_decided(press, jobs, result=result)


@decide.submitted
async def declined(press: Press, how: How, job_id: Id, posting: int) -> None:
    """End the job, or withhold the result, with the reason that was entered if there is one."""
    reason, result = " ".join(str(press.values.get("reason") or "").split()) or None, how.endswith("result")
    given = server_of(press.interaction), job_id, await _approver_by_rules(press), reason
    db, now = press.host.resources.db, press.host.clock.now()
    await show_decided(press, await db.write(approvals.decline, *given, now, result=result), result=result)


def _buttons(job: Job, *which: How) -> ui.ActionRow[Any]:
    return row(*(decide.looking(**_LOOKS[how]).of(how, job.id, job.posting) for how in which))


def approval_request(
    shown: ForModerators, catalog: Catalog, files: Sequence[discord.File], *, hidden: bool
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
    lacking = len(files) < sum(one.source is not None for one in jobs)
    unseen = (NOT_ALL_PHOTOS if several else NO_PHOTO) if lacking else ""
    about = [HIDDEN_REQUEST] if hidden else [*_asked_for(jobs, catalog), _rule_words(shown, tool), unseen]
    return Panel(
        box(
            GOING,
            lines(
                f"### 🛂 {_('A request waits for approval')}",
                sentences(_asked_words(jobs, catalog), private),
                # Translators: {photos} is such as “4 photos” or “4 variations”.
                _("Your decision counts for {photos}.", photos=count_words(jobs)) if several else "",
                *about,
                small(f"{cost} · {_asked_and_ends(job)}"),
            ),
            _gallery(files),
        ),
        _buttons(job, "approve", "decline"),
    )


def _asked_words(jobs: Sequence[Job], catalog: Catalog) -> str:
    job = jobs[0]
    asked = {
        "member": f"<@{job.user_id}>",
        "tool": catalog.title(job.tool),
        "channel": f"<#{job.channel_id}>",
    }
    if len(jobs) == 1:
        return _("{member} asks for **{tool}** in {channel}.", **asked)
    # Translators: {photos} is such as “4 photos” or “4 variations”.
    return _("{member} asks for **{tool}** with {photos} in {channel}.", photos=count_words(jobs), **asked)


def _asked_and_ends(job: Job) -> str:
    ends = ngettext(
        "ends at no cost after {count} hour", "ends at no cost after {count} hours", APPROVAL_HOURS
    )
    return f"{_('asked {when}', when=discord_timestamp(job.created_at))} · {ends}"


def _rule_words(shown: ForModerators, tool: Tool | None) -> str:
    """Return the word rule that sends the request here; empty if none does."""
    said = list[str]()
    for job in shown.jobs:
        said += job.inputs.values() if tool is None else tool.texts(job.inputs)
    met = first_met(shown.rules, said)
    if met is None:
        return ""
    return small(_("Word filter: ||{words}||", words=plain(shown.rules[met], MAX_RULE_CHARACTERS)))


HIDDEN_RESULT = lazy(
    "The result isn't shown here, because it was made in an age-restricted channel. To see such results, "
    "make this channel age-restricted."
)
TOO_LARGE_TO_SHOW = lazy("The result is too large to show here.")


@button("see-result:{job_id}-{posting}", label=lazy("See result"))
async def see_result(press: Press, job_id: Id, posting: int) -> None:
    """Show a result from the list of jobs to a moderator alone, with what they may decide."""
    interaction, host = press.interaction, press.host
    result = server_of(interaction), job_id, await _approver(press)
    job = await host.resources.db.read(approvals.kept_result, *result)
    ensure_stays_there(interaction, job)
    # Files may take longer to send than Discord waits for an answer.
    await defer_answer(interaction)
    photo, made = [
        None if name is None else await host.resources.open_file(name)
        for name in (job.source_file, job.output_file)
    ]
    shown = ForModerators((job,), () if photo is None else (photo,), made)
    files = await open_files(shown, DEFAULT_LIMIT - MESSAGE_MARGIN_BYTES)
    try:
        await answer(interaction, result_review(job, host.catalog, files, plainly=True), files)
    finally:
        for one in files:
            one.close()


async def _approver(press: Press) -> MemberContext:
    """Return the person who presses: a message that others see too is in the channel for approvals."""
    message = press.interaction.message
    if message is not None and not message.flags.ephemeral:
        return member_context(press.interaction)
    return await _approver_by_rules(press)


async def _approver_by_rules(press: Press) -> MemberContext:
    """Return the person, with what they may do in the channel for approvals, wherever the press is."""
    rules = await press.host.resources.db.read(access.of, server_of(press.interaction))
    return approver_in(press.interaction, rules.settings.approval_channel)


def result_review(
    job: Job, catalog: Catalog, files: Sequence[discord.File], *, hidden: bool = False, plainly: bool = False
) -> Panel:
    """Return the result as moderators see it: who, what and where, the prompt and the files.

    These are hidden at first, unless the moderator alone sees it, `plainly`. The files are sent with it.
    `hidden`: nothing of it may be shown here.
    """
    waits, unposted = job.state is JobState.REVIEWING, _("A result that isn't posted")
    made = _(
        "{member} made this with **{tool}** in {channel}.",
        member=f"<@{job.user_id}>",
        tool=catalog.title(job.tool),
        channel=f"<#{job.channel_id}>",
    )
    private = _("It's private: only they get it.") if job.private else ""
    made_is_shown = any(one.filename.startswith(RESULT) for one in files)
    too_large = "" if made_is_shown else sentences(TOO_LARGE_TO_SHOW, link_words(job))
    asked = _asked_for([job], catalog, plainly=plainly)
    return Panel(
        box(
            GOING if waits else QUIET,
            lines(
                f"### 🛂 {_('A result waits for approval')}" if waits else f"### 🚫 {unposted}",
                sentences(made, private),
                "" if waits else state_words(job, Progress()),
                *([HIDDEN_RESULT] if hidden else [*asked, too_large]),
                small(_("1 Result · 2 Photo")) if made_is_shown and len(files) > 1 else "",
                small(_facts(job, waits=waits)),
            ),
            _gallery(files, plainly=plainly),
        ),
        _buttons(job, "approve-result", "decline-result") if waits else _buttons(job, "release-result"),
    )


def _facts(job: Job, *, waits: bool) -> str:
    charged = _("Charged {credits}", credits=credit_words(job.settled)) if job.settled else _("Not charged")
    finished = _("finished {when}", when=discord_timestamp(job.finished_at or job.changed_at))
    ends = ngettext(
        "isn't posted if no one decides within {count} hour",
        "isn't posted if no one decides within {count} hours",
        APPROVAL_HOURS,
    )
    return " · ".join([charged, finished, *([ends] if waits else [])])
