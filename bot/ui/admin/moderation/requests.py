"""A request that waits for approval, in the moderators' channel: Approve and Decline, once."""

from collections.abc import Mapping

import discord

from bot.catalog import Tool
from bot.features import moderation
from bot.features.word_matching import first_met
from bot.features.wording import credit_words, discord_timestamp
from bot.features.words import MAX_RULE_CHARACTERS
from bot.jobs.models import APPROVAL_HOURS, Job
from bot.jobs.results import ForModerators
from bot.languages import Message, gettext as _, lazy, ngettext, plazy, sentences
from bot.reasons import ReasonCode
from bot.ui.admin.moderation.deciding import (
    OpenedFiles,
    approver_by_rules,
    ask_why,
    asked_for,
    reason_in,
    requester_of,
    show_decided,
    show_decision,
    show_declined,
)
from bot.ui.jobs.wording import ToolNames, cost_words
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.layout import GOING, GOOD, QUIET, Panel, box, boxed, lines, row, small
from bot.ui.kit.text import plain
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.member import approver_of
from bot.ui.reading.permissions import server_of

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
_APPROVED = lazy("Approved by {moderator}")
_DECLINED = lazy("Declined by {moderator}"), lazy("Declined by {moderator}: {reason}")


@button("approve:{job_id}-{posting}", label=plazy("button", "Approve"), style=discord.ButtonStyle.success)
async def approve(press: Press, job_id: Id, posting: int) -> None:
    """Let the job continue."""
    interaction, host = press.interaction, press.host
    request = server_of(interaction), job_id, approver_of(interaction)
    job, *_rest = await host.services.db.read(moderation.pending, *request)
    requester = await requester_of(interaction, job)
    now = host.clock.now()
    jobs = await host.services.db.write(moderation.approve, host.catalog, *request, requester, now)
    ended = jobs[0].failure_text
    if ended is not None:  # they would not be accepted any more
        said = ENDED_WORDS[ended.code].using(member=f"<@{job.user_id}>")
        await show_decision(interaction, host, lambda: boxed(QUIET, said))
        return
    await show_decided(interaction, host, jobs, _APPROVED, GOOD)


@button("decline:{job_id}-{posting}", label=plazy("button", "Decline"), style=discord.ButtonStyle.danger)
async def decline(press: Press, job_id: Id, posting: int) -> None:
    """Ask for a reason, and end the job."""
    request = server_of(press.interaction), job_id, approver_of(press.interaction)
    await read_before_form(press.interaction, press.host.services.db.read(moderation.pending, *request))
    await ask_why(press, _("Decline request"))


@decline.submitted
async def declined(press: Press, job_id: Id, posting: int) -> None:
    interaction, host, reason = press.interaction, press.host, reason_in(press)
    request = server_of(interaction), job_id, await approver_by_rules(press)
    jobs = await host.services.db.write(moderation.decline, *request, reason, host.clock.now())
    await show_declined(interaction, host, jobs, reason, _DECLINED)


def approval_request(
    shown: ForModerators, names: ToolNames, mark: int, files: OpenedFiles, *, hidden: bool
) -> Panel:
    """Return a request as moderators see it: who, what and where, the prompt and the photos hidden at first.

    It is about one job, or those of a set on which they decide together. The files are sent with it.
    `hidden`: nothing of it may be shown here.
    """
    jobs = shown.jobs
    job, count = jobs[0], len(jobs)
    tool, several = names.tool(job.tool), count > 1
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
            sentences(_asked_words(job, names, count), private),
            _together_words(count) if several else "",
            *about,
            small(f"{cost} · {_asked_and_ends(job)}"),
        ),
        *files.gallery(),
    )
    container.id = mark
    return Panel(container, row(*(one.of(job.id, job.posting) for one in (approve, decline))))


def _asked_words(job: Job, names: ToolNames, count: int) -> str:
    asked = {"member": f"<@{job.user_id}>", "tool": names.title(job.tool), "channel": f"<#{job.channel_id}>"}
    if count == 1:
        return _("{member} asks for **{tool}** in {channel}.", **asked)
    return ngettext(
        "{member} asks for **{tool}** with {count} photo in {channel}.",
        "{member} asks for **{tool}** with {count} photos in {channel}.",
        count,
        **asked,
    )


def _together_words(count: int) -> str:
    return ngettext(
        "Your decision counts for {count} photo.", "Your decision counts for all {count} photos.", count
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
