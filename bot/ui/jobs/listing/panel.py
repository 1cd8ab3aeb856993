"""The list of jobs as it is shown: a line, the prompt and the picture of each, and what can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.catalog import Tool
from bot.jobs.actions import JobPage
from bot.jobs.models import UNSENT_STATES, Job, JobState, Progress
from bot.languages import gettext as _, lazy, pgettext, plazy, quotation_marks
from bot.ui.jobs.forms.fields import MAX_FORM_OPTIONS
from bot.ui.jobs.listing.query import ANY, MINE, SERVER, STATES, UNPOSTED, UNPOSTED_LABELS, ListQuery
from bot.ui.jobs.listing.thumbnails import PostedResults
from bot.ui.jobs.results.more import full_size
from bot.ui.jobs.results.unknown_outcomes import ruling_buttons
from bot.ui.jobs.wording import (
    ToolNames,
    again_label,
    alt_words,
    job_line,
    member_words,
    prompt_of,
    settings_words,
    state_words,
)
from bot.ui.kit.buttons import look_of
from bot.ui.kit.layout import NEUTRAL, Panel, Piece, boxed, lines, row, small, text
from bot.ui.kit.text import plain, shortened

CANCEL_LISTED, POST, SHOW, RUN_LISTED_AGAIN = "cancel", "post", "show", "again"
SEE = "see-result"
PROMPT_BEGINNING = 90  # characters
SETTINGS_BEGINNING = 120
PROMPT_ON_BUTTON = 28  # characters of a prompt on a button, whose label has room for 80 with the tool's name
TITLE_ON_BUTTON = 36
NOTHING_YET = lazy("You haven't made anything here yet. Type `/` and pick a tool.")
NOTHING_AT_ALL = lazy("No one has made anything here yet.")
NOTHING_UNPOSTED = lazy("No results are waiting for a moderator, and none were declined.")
TITLES = {MINE: lazy("Your jobs"), SERVER: lazy("Server jobs"), UNPOSTED: lazy("Results not posted")}
NO_SUCH_JOBS = lazy("There are no such jobs.")
NO_MORE = lazy("This page is empty now.")
PRIVATE_VALUE = plazy("state of a job", "private")


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the list, and the rights of the person who reads it.

    `manager`: the jobs of the whole server. `decides`: results on which moderators decide. `reads` are the
    ids of jobs whose prompt and picture they may see; the list has only tool, state, cost and time of the
    others. `note` says what has just happened, and `ways` has the estimates of unfinished jobs.
    """

    page: JobPage
    query: ListQuery
    manager: bool
    reads: frozenset[str]
    decides: bool
    posted: PostedResults
    note: str
    ways: Mapping[str, Progress]


def jobs_panel(shown: Shown, names: ToolNames, tools: Sequence[Tool]) -> Panel:
    """Return a page of jobs. `tools` can be chosen to see their jobs alone."""
    page, query = shown.page, shown.query
    rows = [piece for job in page.jobs for piece in _pieces(job, names, shown)]
    title = TITLES[query.whose]
    at = small(_("Page {number}", number=query.number + 1)) if query.number or page.more else ""
    head = lines(f"### 🗂️ {title}", at, shown.note)
    filters = [] if not page.jobs and not query.filtered and not query.number else _filters(query, tools)
    return boxed(NEUTRAL, head, *rows, _empty(shown), *filters, row(*_turning(shown)))


def action_for(job: Job, whose: str) -> str | None:
    """Return what can be done with a job from the list, by its person (`MINE`) or by an admin."""
    if job.state in UNSENT_STATES:
        return CANCEL_LISTED
    if whose != MINE:
        return None
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        return RUN_LISTED_AGAIN
    kept = job.state is JobState.SUCCEEDED and job.output_file is not None and job.announced_at is not None
    if not kept:
        return None
    return SHOW if job.private else POST


def label_of(action: str, job: Job, names: ToolNames, *, readable: bool) -> str:
    """Return the label of a job's button: which job Cancel ends, and what running it again costs."""
    if action == CANCEL_LISTED:
        return _("Cancel {job}", job=job_name(job, names, readable=readable))
    if action == RUN_LISTED_AGAIN:
        return again_label(job)
    return _("Post here") if action == POST else _("Show result")


def job_name(job: Job, names: ToolNames, *, readable: bool) -> str:
    """Return what a job is called where there are several: `Studio “A red kite”`."""
    title = shortened(names.title(job.tool), TITLE_ON_BUTTON)
    prompt = prompt_of(names.tool(job.tool), job.inputs) if readable else None
    before, after = quotation_marks()
    return f"{title} {before}{shortened(prompt, PROMPT_ON_BUTTON)}{after}" if prompt else title


def _empty(shown: Shown) -> str:
    if shown.page.jobs:
        return ""
    if shown.query.number:
        return str(NO_MORE)
    if shown.query.filtered:
        return str(NO_SUCH_JOBS)
    return str({MINE: NOTHING_YET, SERVER: NOTHING_AT_ALL, UNPOSTED: NOTHING_UNPOSTED}[shown.query.whose])


def _turning(shown: Shown) -> list[Piece]:
    query = shown.query
    buttons = (
        [_page_button(pgettext("button", "Newer"), query.page(query.number - 1))] if query.number else []
    )
    if shown.page.more:
        buttons.append(_page_button(pgettext("button", "Older"), query.page(query.number + 1)))
    buttons.append(_page_button(pgettext("button", "Refresh"), query))
    others = [SERVER] * shown.manager + [UNPOSTED] * shown.decides
    if query.whose != MINE:
        buttons.append(_page_button(_("My jobs"), ListQuery()))
    buttons += [_page_button(str(TITLES[one]), ListQuery(one)) for one in others if one != query.whose]
    return [*buttons]


def _page_button(label: str, query: ListQuery) -> ui.Button[Any]:
    """Return the look of `bot.ui.jobs.listing.buttons.turn_page`."""
    return ui.Button(label=label, custom_id=f"studii:jobs:{query}")


def _filters(query: ListQuery, tools: Sequence[Tool]) -> list[Piece]:
    """Return the look of two selects of `bot.ui.jobs.listing.buttons.filter_by`."""
    all_states = {value: choice[0] for value, choice in STATES.items()}
    labels = UNPOSTED_LABELS if query.whose == UNPOSTED else all_states
    states = [discord.SelectOption(label=str(label), value=value) for value, label in labels.items()]
    named = [
        discord.SelectOption(label=shortened(tool.title, 100), value=tool.slug, emoji=tool.emoji)
        for tool in tools[: MAX_FORM_OPTIONS - 1]
    ]
    return [
        _filter("state", _("All states"), states, query.state, query),
        _filter("tool", _("All tools"), named, query.tool, query),
    ]


def _filter(
    by: str, every: str, options: list[discord.SelectOption], chosen: str | None, query: ListQuery
) -> Piece:
    choices = [discord.SelectOption(label=every, value=ANY), *options]
    for choice in choices:
        choice.default = choice.value == (chosen or ANY)
    select = ui.Select[Any](
        custom_id=f"studii:jobsby:{by}:{query.page(0)}", options=choices, placeholder=every
    )
    return row(select)


def _pieces(job: Job, names: ToolNames, shown: Shown) -> list[Piece]:
    readable = job.id in shown.reads
    said = _words(job, names, shown, readable=readable)
    picture = shown.posted.pictures.get(job.id) if readable else None
    pieces: list[Piece] = [text(said)]
    if picture is not None:
        hidden = picture.hidden or (job.source is not None and job.source.hidden)
        alt = alt_words(names, job)
        thumbnail = ui.Thumbnail[Any](picture.url, description=alt, spoiler=hidden)
        pieces = [ui.Section(said, accessory=thumbnail)]
    buttons = _buttons(job, names, shown, readable=readable)
    return [*pieces, row(*buttons)] if buttons else pieces


def _words(job: Job, names: ToolNames, shown: Shown, *, readable: bool) -> str:
    whose = shown.query.whose
    # Only the requester can open a message that they alone were shown. For others there is no link to it, nor
    # to a job whose member had it erased.
    linked = whose == MINE or not (job.private or job.scrubbed_at)
    line = job_line(job, names, linked=linked, deleted=job.id in shown.posted.deleted)
    tool = names.tool(job.tool)
    prompt = prompt_of(tool, job.inputs) if readable else None
    asked = f"> {plain(prompt, PROMPT_BEGINNING) or '…'}" if prompt else ""
    if readable and not prompt:
        asked = small(shortened(settings_words(tool, job.inputs), SETTINGS_BEGINNING))
    if whose == MINE:
        way = shown.ways.get(job.id)
        return lines(line, small(state_words(job, way)) if way is not None else "", asked)
    private = f" · {PRIVATE_VALUE}" if job.private else ""
    place = _("{member} in {channel}", member=member_words(job.user_id), channel=f"<#{job.channel_id}>")
    return lines(line, asked, small(f"{place}{private}"))


def _buttons(job: Job, names: ToolNames, shown: Shown, *, readable: bool) -> list[Piece]:
    """Return what can be done; for managers also what settles a job whose outcome is unknown."""
    query = shown.query
    if query.whose == UNPOSTED:
        # The look of `bot.ui.admin.moderation.results.SeeResultButton`.
        return [look_of(SEE, job, _("See result"))] if job.output_file is not None else []
    if shown.manager and job.state is JobState.UNKNOWN:
        return [*ruling_buttons(job)]
    action = action_for(job, query.whose)
    if action is not None:
        # The look of `bot.ui.jobs.listing.buttons.listed`.
        label = label_of(action, job, names, readable=readable)
        return [ui.Button(label=label, custom_id=f"studii:listed:{action}:{job.id}:{query}")]
    posted = job.result_message_id is not None
    # A private result disappears when its message is closed; some came by DM, or could not be sent.
    opened = query.whose == MINE and not posted and job.state is JobState.SUCCEEDED
    if not opened or job.output_url is None:
        return []
    return [full_size.looking(label=pgettext("button", "Open")).of(job.id, job.posting)]
