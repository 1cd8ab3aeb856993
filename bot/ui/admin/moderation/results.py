"""A result that waits for a moderator: Approve and Decline, once. A withheld one can be released."""

import discord

from bot.features import moderation
from bot.features.moderation import Approver
from bot.features.wording import credit_words, discord_timestamp
from bot.jobs.models import APPROVAL_HOURS, KEPT_DAYS, Job, JobState, Progress
from bot.jobs.results import ForModerators
from bot.languages import gettext as _, lazy, ngettext, nlazy, plazy, sentences
from bot.ui.admin.moderation.deciding import (
    OpenedFiles,
    approver_by_rules,
    ask_why,
    asked_for,
    open_files,
    reason_in,
    requester_of,
    show_decided,
    show_decision,
    show_declined,
)
from bot.ui.jobs.wording import ToolNames, link_words, state_words
from bot.ui.kit.deferral import LateAnswer
from bot.ui.kit.first_answer import defer_answer, read_before_form
from bot.ui.kit.layout import GOING, GOOD, QUIET, Panel, box, boxed, lines, row, small
from bot.ui.kit.responses import answer
from bot.ui.kit.uploads import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.member import approver_of
from bot.ui.reading.permissions import ensure_stays_there, server_of

HIDDEN_RESULT = lazy(
    "The result isn't shown here, because it was made in an age-restricted channel. To see such results, "
    "make this channel age-restricted."
)
TOO_LARGE_TO_SHOW = lazy("The result is too large to show here.")
MEMBER_LEFT = nlazy(
    "{member} has left the server, so the result isn't posted. Moderators can release it with `/jobs` for "
    "{count} day.",
    "{member} has left the server, so the result isn't posted. Moderators can release it with `/jobs` for "
    "{count} days.",
    KEPT_DAYS,
)
RESULT_APPROVED = lazy("Result approved by {moderator}")
_DECLINED = lazy("Result declined by {moderator}"), lazy("Result declined by {moderator}: {reason}")
_RELEASED = lazy("Released by {moderator}")


@button(
    "approve-result:{job_id}-{posting}", label=plazy("button", "Approve"), style=discord.ButtonStyle.success
)
async def approve_result(press: Press, job_id: Id, posting: int) -> None:
    """Post the result."""
    interaction, host = press.interaction, press.host
    db, result = host.services.db, (server_of(interaction), job_id, await _approver(press))
    job = await db.read(moderation.waiting_result, *result)
    left = await requester_of(interaction, job) is None
    job = await db.write(moderation.approve_result, *result, host.clock.now(), left=left)
    if job.state is JobState.WITHHELD:
        said = MEMBER_LEFT.using(member=f"<@{job.user_id}>")
        await show_decision(interaction, host, lambda: boxed(QUIET, said))
        return
    await show_decided(interaction, host, [job], RESULT_APPROVED, GOOD)


@button(
    "decline-result:{job_id}-{posting}", label=plazy("button", "Decline"), style=discord.ButtonStyle.danger
)
async def decline_result(press: Press, job_id: Id, posting: int) -> None:
    """Ask for a reason, and withhold the result."""
    interaction = press.interaction
    result = server_of(interaction), job_id, await read_before_form(interaction, _approver(press))
    await read_before_form(interaction, press.host.services.db.read(moderation.waiting_result, *result))
    await ask_why(press, _("Decline result"))


@decline_result.submitted
async def result_declined(press: Press, job_id: Id, posting: int) -> None:
    interaction, host, reason = press.interaction, press.host, reason_in(press)
    result = server_of(interaction), job_id, await approver_by_rules(press)
    job = await host.services.db.write(moderation.decline_result, *result, reason, host.clock.now())
    await show_declined(interaction, host, [job], reason, _DECLINED)


@button(
    "release-result:{job_id}-{posting}",
    label=lazy("Post it after all"),
    style=discord.ButtonStyle.success,
)
async def release_result(press: Press, job_id: Id, posting: int) -> None:
    """Post a result after all that was withheld."""
    result, host = (server_of(press.interaction), job_id, await _approver(press)), press.host
    job = await host.services.db.write(moderation.release_result, *result, host.clock.now())
    await show_decided(press.interaction, host, [job], _RELEASED, GOOD)


@button("see-result:{job_id}-{posting}", label=lazy("See result"))
async def see_result(press: Press, job_id: Id, posting: int) -> None:
    """Show a result from the list of jobs to a moderator alone, with what they may decide."""
    interaction, host = press.interaction, press.host
    result = server_of(interaction), job_id, await _approver(press)
    job = await host.services.db.read(moderation.kept_result, *result)
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
        await answer(interaction, result_review(job, ToolNames(host.catalog), files), files.all)
    finally:
        files.close()


async def _approver(press: Press) -> Approver:
    """Return the person who presses: a message that others see too is in the channel for approvals."""
    message = press.interaction.message
    if message is not None and not message.flags.ephemeral:
        return approver_of(press.interaction)
    return await approver_by_rules(press)


def result_review(
    job: Job, names: ToolNames, files: OpenedFiles, *, mark: int | None = None, hidden: bool = False
) -> Panel:
    """Return the result as moderators see it: who, what and where, the prompt and the files hidden at first.

    The files are sent with it. `hidden`: nothing of it may be shown here.
    """
    waits = job.state is JobState.REVIEWING
    made = _(
        "{member} made this with **{tool}** in {channel}.",
        member=f"<@{job.user_id}>",
        tool=names.title(job.tool),
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
            *([HIDDEN_RESULT] if hidden else [*asked_for(names.tool(job.tool), job), too_large]),
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
