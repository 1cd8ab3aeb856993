"""Build what a job posts at its end: the picture or video for its requester, or the link to it."""

from collections.abc import Iterable, Sequence
from typing import Any

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.jobs.models import Job
from bot.languages import Worded, gettext as _, lazy, plazy, sentences
from bot.ui.jobs.progress import edit_button
from bot.ui.jobs.results.buttons import AgainButton, DeleteButton, UseInButton
from bot.ui.jobs.results.gallery import gallery, is_hidden, order_words
from bot.ui.jobs.results.links import MAX_LINK_CHARACTERS, link_button, link_words, usable
from bot.ui.jobs.results.parts import details_words, disclosed_words, why_here
from bot.ui.jobs.results.staged_listing import StagedButton
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.buttons import JobButton, look_of
from bot.ui.kit.layout import URL_LIMIT, Panel, Piece, lines, row, small, text
from bot.ui.kit.text import plain
from bot.ui.reading.photo_lookup import BEFORE_FILE, LABELLED_FILE

SAVE, SAVE_LABEL = "save", plazy("button", "Save as style")
# Translators: as sentences in a chat; the member is mentioned.
PICTURE_READY = lazy("{member}, your picture is ready.")
VIDEO_READY = lazy("{member}, your video is ready.")
FULL_SIZE = plazy("button", "Full size")  # of the result; "original" is the photo before, and nothing else


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
    picture = job.output_kind != "video"
    buttons = remaking_buttons(job, names.tool(job.tool), picture=picture, by_dm=by_dm)
    return Panel(
        text(_ready(job, names)),
        gallery(job, names, [f"attachment://{name}" for name in (file_name, *beside)]),
        text(
            lines(
                small(order_words(beside)),
                details_words(job, names, title=names.title(job.tool)),
                disclosed_words(disclosure),
                *map(small, notes),
                _link_in_text(job),
                why_here(job, by_dm=by_dm),
            )
        ),
        row(*buttons, DeleteButton.of(job)),
        *_more(job, beside, by_dm=by_dm),
    )


def linked_result(job: Job, names: ToolNames, why: Worded, *, disclosure: str, by_dm: bool) -> Panel:
    """Return the result without its file: why, and the link to it if there is one."""
    there = sentences(why, link_words(job))
    buttons = remaking_buttons(job, names.tool(job.tool), picture=False, by_dm=by_dm)
    return Panel(
        text(lines(_ready(job, names), there)),
        text(
            lines(
                details_words(job, names, title=names.title(job.tool)),
                disclosed_words(disclosure),
                why_here(job, by_dm=by_dm),
            )
        ),
        row(*buttons, DeleteButton.of(job)),
        *_more(job, (), by_dm=by_dm),
    )


def ended_elsewhere(server: str) -> Panel:
    """Say by DM that a job in an age-restricted channel, or in one that may be, has ended: no details."""
    said = _(
        "Your job in **{server}** has ended. I can't show it here, because its "
        "channel may be age-restricted. Use `/jobs` in that server to see it.",
        server=plain(server, 100),
    )
    return Panel(text(said))


def linked_video(job: Job, names: ToolNames, why: Worded, *, disclosure: str, by_dm: bool) -> str:
    """Return the same as the content of an ordinary message, in which Discord plays a linked video."""
    gone = sentences(why, _("The link may stop working after a while."))
    link = job.output_url or ""
    shown = f"|| {link} ||" if link and is_hidden(job) else link
    about = details_words(job, names, title=names.title(job.tool), prompt=False)
    details = lines(about, disclosed_words(disclosure), why_here(job, by_dm=by_dm))
    return lines(_ready(job, names), gone, details, shown)


def plain_buttons(job: Job, names: ToolNames, *, by_dm: bool) -> ui.View:
    """Return the buttons for `linked_video`."""
    view = ui.View(timeout=None)
    for button in (
        *remaking_buttons(job, names.tool(job.tool), picture=False, by_dm=by_dm),
        DeleteButton.of(job),
    ):
        view.add_item(button)
    view.stop()
    return view


def _ready(job: Job, names: ToolNames) -> str:
    ready = VIDEO_READY if job.output_kind == "video" else PICTURE_READY
    return f"{names.emoji(job.tool)} {ready.using(member=f'<@{job.user_id}>')}"


def _link_in_text(job: Job) -> str:
    """Return the link for the text, if the address is too long for a button."""
    if usable(job.output_url, URL_LIMIT) or not usable(job.output_url, MAX_LINK_CHARACTERS):
        return ""
    return small(f"[{FULL_SIZE}](<{job.output_url}>)")


def _more(job: Job, beside: Sequence[str], *, by_dm: bool) -> list[Piece]:
    """Return a second row: what opens the result at Studii, and what a listing needs."""
    full_size = link_button(job, str(FULL_SIZE))
    buttons: list[Piece] = [
        *([] if full_size is None else [full_size]),
        *for_listing(job, beside, by_dm=by_dm),
    ]
    return [row(*buttons)] if buttons else []


def for_listing(job: Job, beside: Sequence[str], *, by_dm: bool) -> list[Piece]:
    """Return what a listing needs of a staged picture, where its copy says so and the photo is beside it."""
    labelled = any(one.startswith(LABELLED_FILE) for one in beside)
    original = any(one.startswith(BEFORE_FILE) for one in beside)
    return [StagedButton.of(job)] if labelled and original and not by_dm else []


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
