"""What a job posts at its end: the picture or video for its requester, or why there is none."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import SourceRule, Tool
from bot.domain import FailureCode, Job, JobState, Progress
from bot.domain.posting import MAX_DISCLOSURE_CHARACTERS
from bot.languages import Message, Worded, gettext as _, lazy, pgettext, plazy, sentences
from bot.ui.jobs.buttons import AgainButton, DeleteButton, UseInButton
from bot.ui.jobs.card import can_be_edited, edit_button
from bot.ui.jobs.links import MAX_LINK_CHARACTERS, link_button, link_words, usable
from bot.ui.jobs.staged_listing import StagedButton
from bot.ui.jobs.unknown_outcomes import RULING_BUTTONS
from bot.ui.jobs.wording import (
    ALT_LENGTH,
    ToolNames,
    alt_words,
    cost_words,
    prompt_words,
    settings_words,
    state_words,
)
from bot.ui.kit.buttons import JobButton, look_of
from bot.ui.kit.layout import (
    BUTTONS_IN_A_ROW,
    URL_LIMIT,
    Panel,
    Piece,
    lines,
    mark_of_nonce,
    row,
    small,
    text,
)
from bot.ui.kit.text import plain, shortened
from bot.ui.reading.photo_lookup import BEFORE_FILE, HALVES_FILE, LABELLED_FILE

SAVE, SAVE_LABEL = "save", plazy("button", "Save as style")
CHARGED_AGAIN = lazy("Running it again may be charged again.")
BEFORE = lazy("Before: the original photo")
LABELLED = lazy("The result with a label that says that it is staged")
HALVES = lazy("Before on the left, after on the right")
AFTER_SMALLER = lazy("Shown smaller than it was made, because Discord has a size limit here.")
BEFORE_SMALLER = lazy("The original photo is shown smaller, because Discord has a size limit here.")
BEFORE_LEFT_OUT = lazy("The original photo isn't shown, because Discord has a size limit here.")
BEFORE_GONE = lazy("The original photo has been deleted, so it isn't shown.")
# What is which in the gallery, in which Discord draws no captions.
_AFTER, _BOTH = plazy("title", "After"), plazy("title", "Both halves")
_BEFORE, _LABELLED = plazy("title", "Before"), plazy("title", "With a label")
SPLIT_LABELS = plazy("drawn on a picture", "Before"), plazy("drawn on a picture", "After")
# After these, the same request may succeed.
_MAY_WORK_LATER = frozenset(FailureCode) - {FailureCode.INPUTS, FailureCode.PLAN, FailureCode.PHOTO}
_MAY_BE_ITS_INPUTS = frozenset({FailureCode.STUDII, FailureCode.DECLINED})
# Their first line mentions the member, as a result's does; `bot.ui.jobs.buttons` reads it there.
_FAILED = "❌", lazy("{member}, your **{tool}** job failed.")
_NOT_APPROVED_ENDING = "🚫", lazy("{member}, your **{tool}** request wasn't approved.")
_ENDINGS = {
    JobState.UNKNOWN: ("❔", lazy("{member}, your **{tool}** job has an unknown outcome.")),
    JobState.CANCELLED: ("🚫", lazy("{member}, your **{tool}** job was cancelled.")),
    JobState.WITHHELD: ("🚫", lazy("{member}, your **{tool}** result isn't posted.")),
}


def result(
    job: Job,
    names: ToolNames,
    file_name: str,
    *beside: str,
    notes: Iterable[Worded] = (),
    disclosure: str = "",
    by_dm: bool = False,
) -> Panel:
    """Return the result with its file, and those shown `beside` it to compare with. The files have to be sent
    along under these names.

    `notes` are sentences about what is shown. `by_dm`: it is sent by DM, where no job can be started.
    """
    tool = names.tool(job.tool)
    return _posting(
        job,
        text(_ready(job, names)),
        gallery(job, names, [f"attachment://{name}" for name in (file_name, *beside)]),
        text(
            lines(
                small(order_words(beside)),
                _details(job, names),
                disclosed_words(disclosure),
                *map(small, notes),
                _link_in_text(job, tool, by_dm=by_dm),
                why_here(job, by_dm=by_dm),
            )
        ),
        _buttons(job, tool, picture=job.output_kind != "video", by_dm=by_dm),
        *for_listing(job, beside, by_dm=by_dm),
    )


def gallery(job: Job, names: ToolNames, addresses: Sequence[str]) -> ui.MediaGallery[Any]:
    """Return the pictures at these addresses: the result, and those shown beside it to compare with."""
    first, *beside = addresses
    alt = alt_words(names, job)
    # Translators: for screen readers; the description names the tool and what was chosen.
    described = {first: _("After: {description}", description=alt) if beside else alt}
    described |= {one: str(shown_as(file_name_of(one))[1]) for one in beside}
    media = [
        MediaGalleryItem(one, description=shortened(words, ALT_LENGTH), spoiler=is_hidden(job))
        for one, words in described.items()
    ]
    return ui.MediaGallery(*media)


def linked_result(
    job: Job, names: ToolNames, why: Worded, *, disclosure: str = "", by_dm: bool = False
) -> Panel:
    """Return the result without its file: why, and the link to it if there is one."""
    there = sentences(why, link_words(job))
    return _posting(
        job,
        text(lines(_ready(job, names), there)),
        text(lines(_details(job, names), disclosed_words(disclosure), why_here(job, by_dm=by_dm))),
        _buttons(job, names.tool(job.tool), picture=False, by_dm=by_dm),
    )


def ended_elsewhere(server: str) -> Panel:
    """Say by DM that a job in an age-restricted channel, or in one that may be, has ended: no details."""
    said = _(
        "Your job in **{server}** has ended. I can't show it here, because its "
        "channel may be age-restricted. Use `/jobs` in that server to see it.",
        server=plain(server, 100),
    )
    return Panel(text(said))


def linked_video(
    job: Job, names: ToolNames, why: Worded, *, disclosure: str = "", by_dm: bool = False
) -> str:
    """Return the same as the content of an ordinary message, in which Discord plays a linked video."""
    gone = sentences(why, _("The link may stop working after a while."))
    link = job.output_url or ""
    shown = f"|| {link} ||" if link and is_hidden(job) else link
    about = _details(job, names, prompt=False)
    details = lines(about, disclosed_words(disclosure), why_here(job, by_dm=by_dm))
    return lines(_ready(job, names), gone, details, shown)


def plain_buttons(job: Job, names: ToolNames, *, by_dm: bool = False) -> ui.View:
    """Return the buttons for `linked_video`."""
    view = ui.View(timeout=None)
    for button in (
        *remaking_buttons(job, names.tool(job.tool), picture=False, by_dm=by_dm),
        DeleteButton.of(job),
    ):
        view.add_item(button)
    view.stop()
    return view


def ending(job: Job, names: ToolNames, *, by_dm: bool = False) -> Panel:
    """Return that the job failed, was cancelled, or has an unknown outcome; and what it cost."""
    failed = _NOT_APPROVED_ENDING if job.not_approved else _FAILED
    sign, words = _ENDINGS.get(job.state, failed)
    head = f"{sign} {words.using(member=f'<@{job.user_id}>', tool=names.title(job.tool))}"
    why = "" if job.state is JobState.CANCELLED else state_words(job, Progress())
    there = link_words(job) if job.failure is FailureCode.OUTPUT and job.output_url is not None else ""
    buttons: list[Piece] = [] if by_dm else _another_try(job, names.tool(job.tool))
    if job.state is JobState.UNKNOWN and not by_dm:
        # No Delete: admins may have no other place to settle it.
        buttons += [button.of(job) for button in RULING_BUTTONS]
    else:
        buttons.append(DeleteButton.of(job))
    details = _details(job, names, prompt=not there)  # a link may be long
    again = small(CHARGED_AGAIN) if _may_be_charged_again(job) else ""
    said = lines(head, why, there, details, again, why_here(job, by_dm=by_dm))
    return _posting(job, text(said), row(*buttons))


def _ready(job: Job, names: ToolNames) -> str:
    member, tool = f"<@{job.user_id}>", names.title(job.tool)
    # Translators: as a sentence in a chat; the member is mentioned.
    return f"{names.emoji(job.tool)} {_('{member}, your **{tool}** is ready.', member=member, tool=tool)}"


def _may_be_charged_again(job: Job) -> bool:
    paid_for = job.state is JobState.WITHHELD or job.failure is FailureCode.STUDII
    return job.state in {JobState.FAILED, JobState.WITHHELD} and paid_for and job.settled > 0


def _posting(job: Job, *pieces: Piece) -> Panel:
    """Return a panel that can be found again as this posting of the job; see `mark_of_nonce`."""
    panel = Panel(*pieces)
    panel.children[0].id = mark_of_nonce(job.nonce)
    return panel


def _another_try(job: Job, tool: Tool | None) -> list[Piece]:
    if can_be_edited(job):
        return [edit_button(job)]
    if job.failure not in _MAY_WORK_LATER:
        return []
    has_inputs = tool is not None and bool(tool.inputs)
    # It may be the prompt that Studii or a moderator refused: another one may pass.
    edit = [edit_button(job)] if has_inputs and job.failure in _MAY_BE_ITS_INPUTS else []
    return [*edit, AgainButton.of(job)]


def file_name_of(address: str) -> str:
    """Return the name of the file at an address, also at one of a message's own files."""
    return PurePosixPath(urlsplit(address.replace("attachment://", "/")).path).name


def shown_as(name: str) -> tuple[Message, Message]:
    """Return what a picture beside the result is called, and its description."""
    if name.startswith(HALVES_FILE):
        return _BOTH, HALVES
    return (_LABELLED, LABELLED) if name.startswith(LABELLED_FILE) else (_BEFORE, BEFORE)


def order_words(beside: Sequence[str]) -> str:
    """Return `1 After · 2 Before`; empty where the result is alone."""
    named = [_AFTER, *(shown_as(name)[0] for name in beside)]
    return " · ".join(f"{number} {name}" for number, name in enumerate(named, 1)) if beside else ""


def disclosed_words(words: str) -> str:
    """Return the line that says that the result was made with AI, in the server's words."""
    return small(f"✨ {plain(words, MAX_DISCLOSURE_CHARACTERS)}") if words else ""


def _link_in_text(job: Job, tool: Tool | None, *, by_dm: bool) -> str:
    """Return the link for the text, if a button has no room, or the address is too long for one."""
    buttons = remaking_buttons(job, tool, picture=job.output_kind != "video", by_dm=by_dm)
    as_button = usable(job.output_url, URL_LIMIT) and _has_room(buttons)
    if as_button or not usable(job.output_url, MAX_LINK_CHARACTERS):
        return ""
    return small(f"[{pgettext('button', 'Original')}](<{job.output_url}>)")


def _has_room(buttons: Sequence[Piece]) -> bool:
    """Return whether a row has room for the link beside these buttons and Delete."""
    return len(buttons) + 2 <= BUTTONS_IN_A_ROW


def is_hidden(job: Job) -> bool:
    """Return whether results of the job are hidden behind a spoiler, as its photo was."""
    return job.source is not None and job.source.hidden


def why_here(job: Job, *, by_dm: bool) -> str:
    """Return why the result comes by DM, if it was not private."""
    told = by_dm and not job.private
    if not told:
        return ""
    channel = f"<#{job.channel_id}>"
    return small(_("I can't post in {channel} any more, so I sent it to you here.", channel=channel))


def _details(job: Job, names: ToolNames, *, prompt: bool = True) -> str:
    tool = names.tool(job.tool)
    parts = [part for part in (settings_words(tool, job.inputs), cost_words(job)) if part]
    return lines(small(" · ".join(parts)), prompt_words(tool, job.inputs) if prompt else "")


def _buttons(job: Job, tool: Tool | None, *, picture: bool, by_dm: bool) -> ui.ActionRow[Any]:
    buttons: list[Piece] = [*remaking_buttons(job, tool, picture=picture, by_dm=by_dm)]
    if _has_room(buttons) and (original := link_button(job, pgettext("button", "Original"))) is not None:
        buttons.append(original)
    return row(*buttons, DeleteButton.of(job))


def for_listing(job: Job, beside: Sequence[str], *, by_dm: bool) -> list[Piece]:
    """Return what a listing needs of a staged picture, where its copy says so and the photo is beside it."""
    labelled = any(one.startswith(LABELLED_FILE) for one in beside)
    original = any(one.startswith(BEFORE_FILE) for one in beside)
    # Nobody else could open a link to what is private.
    seen = not (by_dm or job.private)
    return [row(StagedButton.of(job))] if labelled and original and seen else []


def remaking_buttons(
    job: Job, tool: Tool | None, *, picture: bool, by_dm: bool
) -> list[JobButton | ui.Button[Any]]:
    """Return the buttons that start another job; none in a DM."""
    if by_dm:
        return []
    buttons: list[JobButton | ui.Button[Any]] = [AgainButton.of(job)]
    if tool is not None and (tool.inputs or tool.source is not SourceRule.NONE):
        buttons.append(edit_button(job, discord.ButtonStyle.secondary))
    if picture:
        buttons.append(UseInButton.of(job))
    if tool is not None and tool.inputs:
        buttons.append(look_of(SAVE, job, SAVE_LABEL))  # `bot.ui.styles.saving.SaveStyleButton`
    return buttons
