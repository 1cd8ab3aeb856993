"""`/jobs`: a person's jobs, for admins the server's, for moderators the results that are not posted.

A page has the picture and some lines of each job. Opened, one takes the page's place, with what can be done.
"""

import io
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, NamedTuple

import discord
from discord import ui

from bot.catalog import Catalog
from bot.errors import Refused
from bot.jobs import actions, approvals, queries
from bot.jobs.actions import JOBS_ON_A_PAGE
from bot.jobs.models import ACTIVE_STATES, UNSENT_STATES, UNSHOWN_STATES, Job, JobState, Progress
from bot.languages import (
    Message,
    gettext as _,
    lazy,
    pgettext,
    plazy,
    quotation_marks,
    sentences,
    whole_number,
)
from bot.servers import access
from bot.ui.jobs.forms import MAX_FORM_OPTIONS
from bot.ui.jobs.more import making_buttons
from bot.ui.jobs.progress import again_button, cancelled, job_for
from bot.ui.jobs.start import CHANNELS_ONLY, show_progress
from bot.ui.jobs.wording import (
    alt_words,
    cost_words,
    job_line,
    member_words,
    prompt_of,
    prompt_words,
    settings_words,
    state_name,
    state_words,
)
from bot.ui.kit.answers import acknowledge, answer, answer_in_place, host_of, read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    GOOD,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    lines,
    plain,
    row,
    sentence,
    shortened,
    small,
    text,
)
from bot.ui.kit.reasons import error_words
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import (
    MANAGERS_ONLY,
    approver_in,
    ensure_can_post,
    ensure_manager,
    ensure_stays_there,
    manages,
    may_read,
    server_of,
)
from bot.ui.reading.pictures import PostedResults, small_pictures

MINE: Final = "mine"
SERVER: Final = "server"
UNPOSTED: Final = "unposted"  # results that wait for a moderator, or that one declined
ANY = "any"  # the choice that filters nothing
STATES: Mapping[str, tuple[Message, Collection[JobState]]] = {  # the label of a choice, and what it finds
    "open": (plazy("choice", "Waiting or running"), (*ACTIVE_STATES, JobState.REVIEWING)),
    "done": (plazy("choice", "Done"), (JobState.SUCCEEDED,)),
    "withheld": (plazy("choice", "Result not posted"), (JobState.WITHHELD,)),
    "failed": (plazy("choice", "Failed"), (JobState.FAILED,)),
    "cancelled": (plazy("choice", "Cancelled"), (JobState.CANCELLED,)),
    "unknown": (plazy("choice", "Outcome unknown"), (JobState.UNKNOWN,)),
}
UNPOSTED_LABELS: Mapping[str, Message] = {
    "open": plazy("choice", "Waiting for a moderator"),
    "withheld": plazy("choice", "Not posted"),
}
By = Literal["state", "tool"]
Whose = Literal["mine", "server", "unposted"]
State = Annotated[str, "|".join([ANY, *STATES])]
Action = Literal["cancel", "post", "show"]
PAGE_CHARACTERS = 3300  # of all jobs: with a title, and what has just happened, a message has 4,000
PROMPT_BEGINNING = 90
SETTINGS_BEGINNING = 120
PROMPT_ON_BUTTON = 28  # characters of a prompt on a button, whose label has room for 80 with the tool's name
TITLE_ON_BUTTON = 36
TITLES = {MINE: lazy("Your jobs"), SERVER: lazy("Server jobs"), UNPOSTED: lazy("Results not posted")}


class ListQuery(NamedTuple):
    """A page of the list, from 0, as it is in custom ids. `state` is a key of `STATES`, `tool` a slug."""

    whose: Whose = MINE
    number: int = 0
    state: str = ANY
    tool: str = ANY

    @property
    def states(self) -> Collection[JobState] | None:
        if self.state == ANY:
            return UNSHOWN_STATES if self.whose == UNPOSTED else None
        chosen = STATES[self.state][1]
        return set(chosen) & set(UNSHOWN_STATES) if self.whose == UNPOSTED else chosen


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the list, and the rights of the person who reads it.

    `manager`: the jobs of the whole server. `decides`: results on which moderators decide. `reads` are the
    ids of jobs whose prompt and picture they may see; the list has only tool, state, cost and time of the
    others. `note` says what has just happened, and `ways` has the estimates of unfinished jobs. `addresses`
    are those of pictures by job: what is not among the message's own files is in the result's message.
    """

    jobs: Sequence[Job]
    older: bool
    query: ListQuery
    manager: bool
    reads: frozenset[str]
    decides: bool
    posted: PostedResults
    addresses: Mapping[str, str]
    note: str
    ways: Mapping[str, Progress]


async def show_list(
    interaction: discord.Interaction,
    query: ListQuery,
    *,
    note: str = "",
    instead: bool = False,
    opened: str | None = None,
) -> None:
    """Show a page, or the job that they `opened` there, to the person alone, with `instead` in place of what
    they see.

    `note` says what has just happened. Raises `Refused`.
    """
    guild_id, host, manager = server_of(interaction), host_of(interaction), manages(interaction)
    db = host.resources.db
    if query.whose == SERVER and not manager:
        raise Refused(MANAGERS_ONLY)
    rules = await db.read(access.of, guild_id)
    approver = approver_in(interaction, rules.settings.approval_channel)
    decides = await db.read(approvals.decides, guild_id, approver, rules)
    if query.whose == UNPOSTED and not decides:
        raise Refused(
            lazy(
                "Only members who decide on results here can see these, and there are none to decide on now."
            )
        )
    user_id = interaction.user.id if query.whose == MINE else None
    tool = None if query.tool == ANY else query.tool
    if opened is None:
        jobs, older = await db.read(actions.page, guild_id, user_id, query.number, query.states, tool)
    else:
        jobs, older = [await db.read(queries.in_server, guild_id, opened)], False
        if user_id not in {None, jobs[0].user_id} or (
            query.whose == UNPOSTED and jobs[0].state not in UNSHOWN_STATES
        ):
            raise Refused(queries.UNKNOWN_JOB)
    readable = [job for job in jobs if may_read(interaction, job)]
    posted, small_ones = await small_pictures(interaction.client, db, readable)
    without = () if opened is None else posted.pictures.keys()
    files = [
        discord.File(io.BytesIO(data), f"{job_id}.webp")
        for job_id, data in small_ones.items()
        if job_id not in without
    ]
    addresses = {job_id: picture.url for job_id, picture in posted.pictures.items()}
    addresses |= {file.filename.removesuffix(".webp"): f"attachment://{file.filename}" for file in files}
    ways = {job.id: await host.progress(job.id) for job in jobs if job.state in ACTIVE_STATES}
    reads = frozenset(job.id for job in readable)
    shown = Shown(jobs, older, query, manager, reads, decides, posted, addresses, note, ways)
    panel = (jobs_panel if opened is None else job_panel)(shown, host.catalog)
    if instead and _is_list(interaction.message):
        await answer_in_place(interaction, panel, files)
    else:
        await answer(interaction, panel, files)


@button("jobs:{whose}:{number}[:{state}:{tool}]")
async def turn_page(press: Press, whose: Whose, number: int, state: State = ANY, tool: str = ANY) -> None:
    """Turn to a page, or show it as it is now."""
    await show_list(press.interaction, ListQuery(whose, number, state, tool), instead=True)


@button("jobsby:{by}:{whose}:{number}[:{state}:{tool}]")
async def filter_by(
    press: Press, by: By, whose: Whose, number: int, state: State = ANY, tool: str = ANY
) -> None:
    """Show the first page of the jobs in one state, or of one tool."""
    query = ListQuery(whose, 0, state, tool)._replace(**{by: press.values[0]})
    await show_list(press.interaction, query, instead=True)


@button("jobsopen:{whose}:{number}[:{state}:{tool}]")
async def open_job(press: Press, whose: Whose, number: int, state: State = ANY, tool: str = ANY) -> None:
    """Show the job that was chosen, in place of its page."""
    query = ListQuery(whose, number, state, tool)
    await show_list(press.interaction, query, instead=True, opened=press.values[0])


@button("listed:{action}:{job_id}:{whose}:{number}[:{state}:{tool}]")
async def listed(
    press: Press, action: Action, job_id: Id, whose: Whose, number: int, state: State = ANY, tool: str = ANY
) -> None:
    """Do something with a job in the list: cancel it, post or show its result here.

    If that is not possible any more, the list says so, and shows what is there now.
    """
    interaction = press.interaction
    if action != "show":  # which is answered with a message of its own
        await acknowledge(interaction)
    try:
        note = await _do(press, action, job_id)
    except Refused as over:
        if not _is_list(interaction.message):
            raise
        note = f"⚠️ {sentence(error_words(over))}"
    if note:
        await show_list(interaction, ListQuery(whose, number, state, tool), note=note, instead=True)


async def _do(press: Press, action: str, job_id: str) -> str:
    """Do it, and return what the list says of it. Raises `Refused`."""
    interaction, host, catalog = press.interaction, press.host, press.host.catalog
    if action == "cancel":
        done = await cancelled(press, await host.resources.db.read(queries.get, job_id), job_id)
        name = plain(job_name(done, catalog, readable=may_read(interaction, done)), 100)
        return f"✅ {sentences(_('Cancelled: **{job}**.', job=name), cost_words(done))}"
    job, db = await job_for(interaction, host.resources, job_id), host.resources.db
    if interaction.channel_id is None:
        raise Refused(CHANNELS_ONLY)
    ensure_stays_there(interaction, job)
    here = job.id, interaction.user.id, interaction.channel_id, host.clock.now()
    if action == "post":
        ensure_can_post(interaction)
        await db.write(actions.post_here, *here)
        name = plain(job_name(job, catalog, readable=True), 100)
        return "✅ " + _("**{job}** will be posted here.", job=name)
    if action_for(job, MINE) != "show":
        raise Refused(
            lazy("That result was already shown, or has been deleted. Run it again to get a new one.")
        )
    # The result takes the place of the progress.
    await show_progress(interaction, host, [replace(job, posting=job.posting + 1)])
    await db.write(actions.post_here, *here)
    return ""


def _is_list(message: discord.Message | None) -> bool:
    """Return whether the message is for its reader alone, as the list is. A changed app may name another."""
    return message is not None and message.flags.ephemeral


def jobs_panel(shown: Shown, catalog: Catalog) -> Panel:
    """Return a page of jobs."""
    jobs, query = shown.jobs, shown.query
    numbered = list(enumerate(jobs, query.number * JOBS_ON_A_PAGE + 1))
    rows = [_piece(number, job, catalog, shown) for number, job in numbered]
    options = [
        discord.SelectOption(
            label=f"{number}. {job_name(job, catalog, readable=job.id in shown.reads)}",
            value=job.id,
            description=state_name(job.state),
        )
        for number, job in numbered
    ]
    choose = ui.Select[Any](custom_id=open_job.id(*query), placeholder=_("Open a job"), options=options)
    title = TITLES[query.whose]
    at = small(_("Page {number}", number=query.number + 1)) if query.number or shown.older else ""
    head = lines(f"### 🗂️ {title}", at, shown.note)
    filters = [] if not jobs and query == ListQuery(query.whose) else _filters(query, catalog)
    choices = [*([row(choose)] if jobs else []), *filters]
    return boxed(NEUTRAL, head, *rows, _empty(shown), *choices, row(*_turning(shown)))


def job_panel(shown: Shown, catalog: Catalog) -> Panel:
    """Return one job with its result, its inputs, and what can be done with it.

    The picture is no part of a box, so that the button for its full size finds it.
    """
    (job,) = shown.jobs
    said, tool = [_line(job, catalog, shown)], catalog.tools.get(job.tool)
    if job.id in shown.reads:
        said.append(small(state_words(job, shown.ways.get(job.id, Progress()))))
        said += [small(settings_words(tool, job.inputs)), prompt_words(tool, job.inputs)]
    if shown.query.whose != MINE:
        said.append(_place(job))
    pieces: list[Piece] = [text(lines(*said))]
    if (address := shown.addresses.get(job.id)) is not None:
        alt, hidden = alt_words(catalog, job), shown.posted.hides(job)
        pieces.append(ui.MediaGallery(discord.MediaGalleryItem(address, description=alt, spoiler=hidden)))
    back = turn_page.looking(label=_("Back")).of(*shown.query)
    return Panel(*pieces, row(*_buttons(job, catalog, shown), back))


def action_for(job: Job, whose: str) -> Action | None:
    """Return what can be done with a job from the list, by its person (`MINE`) or by an admin."""
    if job.state in UNSENT_STATES:
        return "cancel"
    if whose != MINE:
        return None
    kept = job.state is JobState.SUCCEEDED and job.output_file is not None and job.announced_at is not None
    if not kept:
        return None
    return "show" if job.private else "post"


def job_name(job: Job, catalog: Catalog, *, readable: bool) -> str:
    """Return what a job is called where there are several: `Studio “A red kite”`."""
    title = shortened(catalog.title(job.tool), TITLE_ON_BUTTON)
    prompt = prompt_of(catalog.tools.get(job.tool), job.inputs) if readable else None
    before, after = quotation_marks()
    return f"{title} {before}{shortened(prompt, PROMPT_ON_BUTTON)}{after}" if prompt else title


def _empty(shown: Shown) -> str:
    if shown.jobs:
        return ""
    if shown.query.number:
        return _("This page is empty now.")
    if shown.query != ListQuery(shown.query.whose):
        return _("There are no such jobs.")
    return str(
        {
            MINE: lazy("You haven't made anything here yet. Type `/` and pick a tool."),
            SERVER: lazy("No one has made anything here yet."),
            UNPOSTED: lazy("No results are waiting for a moderator, and none were declined."),
        }[shown.query.whose]
    )


def _turning(shown: Shown) -> list[Piece]:
    query = shown.query
    pages = [(pgettext("button", "Newer"), query._replace(number=query.number - 1))] if query.number else []
    pages += [(pgettext("button", "Older"), query._replace(number=query.number + 1))] if shown.older else []
    # Not on later pages: with nine pictures a message has room for four buttons.
    pages += [] if query.number else [(pgettext("button", "Refresh"), query)]
    pages += [(_("My jobs"), ListQuery())] if query.whose != MINE else []
    others: Sequence[tuple[Whose, bool]] = ((SERVER, shown.manager), (UNPOSTED, shown.decides))
    pages += [(str(TITLES[one]), ListQuery(one)) for one, may in others if may and one != query.whose]
    return [turn_page.looking(label=label).of(*page) for label, page in pages]


def _filters(query: ListQuery, catalog: Catalog) -> list[Piece]:
    """Return the lists of states and of tools, by which the jobs can be filtered."""
    all_states = {value: choice[0] for value, choice in STATES.items()}
    labels = UNPOSTED_LABELS if query.whose == UNPOSTED else all_states
    states = [discord.SelectOption(label=str(label), value=value) for value, label in labels.items()]
    tools = [
        discord.SelectOption(label=shortened(tool.title, 100), value=tool.slug, emoji=tool.emoji)
        for tool in list(catalog.tools.values())[: MAX_FORM_OPTIONS - 1]
    ]
    return [
        _choice(query, "state", query.state, _("All states"), states),
        _choice(query, "tool", query.tool, _("All tools"), tools),
    ]


def _choice(query: ListQuery, by: By, chosen: str, every: str, given: list[discord.SelectOption]) -> Piece:
    options = [discord.SelectOption(label=every, value=ANY), *given]
    for option in options:
        option.default = option.value == chosen
    return row(ui.Select[Any](custom_id=filter_by.id(by, *query), options=options, placeholder=every))


def _piece(number: int, job: Job, catalog: Catalog, shown: Shown) -> Piece:
    """Return a job's lines, as many as it has room for, beside its picture."""
    said = [f"**{number}.** {_line(job, catalog, shown)}", *_details(job, catalog, shown)]
    while len(said) > 1 and len(lines(*said)) > PAGE_CHARACTERS // len(shown.jobs):
        said.pop()
    address = shown.addresses.get(job.id)
    if address is None:
        return text(lines(*said))
    alt, hidden = alt_words(catalog, job), shown.posted.hides(job)
    thumbnail = ui.Thumbnail[Any](address, description=alt, spoiler=hidden)
    return ui.Section(lines(*said), accessory=thumbnail)


def _line(job: Job, catalog: Catalog, shown: Shown) -> str:
    # Only the requester can open a message that they alone were shown. For others there is no link to it, nor
    # to a job whose member had it erased.
    linked = shown.query.whose == MINE or not (job.private or job.scrubbed_at)
    return job_line(job, catalog, linked=linked, deleted=job.id in shown.posted.deleted)


def _details(job: Job, catalog: Catalog, shown: Shown) -> list[str]:
    tool, readable = catalog.tools.get(job.tool), job.id in shown.reads
    prompt = prompt_of(tool, job.inputs) if readable else None
    asked = f"> {plain(prompt, PROMPT_BEGINNING) or '…'}" if prompt else ""
    if readable and not prompt:
        asked = small(settings_words(tool, job.inputs, SETTINGS_BEGINNING))
    if shown.query.whose != MINE:
        return [_place(job), asked]
    way = shown.ways.get(job.id)
    return [small(state_words(job, way)) if way is not None else "", asked]


def _place(job: Job) -> str:
    private = " · " + pgettext("state of a job", "private") if job.private else ""
    place = _("{member} in {channel}", member=member_words(job.user_id), channel=f"<#{job.channel_id}>")
    return small(f"{place}{private}")


def _buttons(job: Job, catalog: Catalog, shown: Shown) -> list[Piece]:
    """Return what can be done; for managers also what settles a job whose outcome is unknown."""
    query, readable = shown.query, job.id in shown.reads
    if query.whose == UNPOSTED:
        # The look of `bot.ui.admin.approvals.see_result`.
        sees = ui.Button[Any](label=_("See result"), custom_id=f"studii:see-result:{job.id}-{job.posting}")
        return [sees] if job.output_file is not None else []
    if shown.manager and job.state is JobState.UNKNOWN:
        return [*ruling_buttons(job)]
    buttons = list[Piece]()
    mine = query.whose == MINE
    if mine and job.state is JobState.SUCCEEDED and readable and job.id not in shown.posted.deleted:
        buttons += making_buttons(job, catalog.tools.get(job.tool))
    elif mine and job.terminal and job.state is not JobState.WITHHELD:
        buttons.append(again_button(job))
    if (action := action_for(job, query.whose)) is not None:
        labels = {
            "cancel": pgettext("button", "Cancel job"),
            "post": _("Post here"),
            "show": _("Show result"),
        }
        buttons.append(listed.looking(label=labels[action]).of(action, job.id, *query))
    return buttons


# The buttons with which admins settle a job whose outcome is unknown

AMOUNT = "amount"  # the custom id of the form's field


@button("charged:{job_id}-{posting}", label=plazy("button", "Mark as charged"))
async def charged(press: Press, job_id: Id, posting: int) -> None:
    """Settle a job as charged: ask what Studii has charged. The default is what was reserved."""
    guild_id = ensure_manager(press.interaction)
    reading = press.host.resources.db.read(actions.ensure_unruled, guild_id, job_id)
    job = await read_before_form(press.interaction, reading)
    about = _("Look it up in your Studii account. The field shows the reserved credits.")
    amount = ui.TextInput[Any](custom_id=AMOUNT, default=str(job.reserved), max_length=9)
    title = pgettext("title", "What was charged?")
    await press.ask(title, labelled(pgettext("title", "Credits"), amount, about))


@charged.submitted
async def settle_charged(press: Press, job_id: str, posting: int) -> None:
    """Settle the job at the figure."""
    guild_id, charge = ensure_manager(press.interaction), whole_number(press.values[AMOUNT])
    if charge is None:
        raise Refused(lazy("Enter a whole number of credits, such as 8. Nothing was settled."))
    which = guild_id, job_id, charge, press.host.clock.now()
    await _settle(press.interaction, press.host.resources.db.write(actions.rule, *which))


@button("release:{job_id}-{posting}", label=plazy("button", "Release credits"))
async def release(press: Press, job_id: Id, posting: int) -> None:
    """Settle a job as never made: nothing is paid."""
    which = ensure_manager(press.interaction), job_id, None, press.host.clock.now()
    await _settle(press.interaction, press.host.resources.db.write(actions.rule, *which))


def ruling_buttons(job: Job) -> list[ui.Button[Any]]:
    """Return the buttons that settle a job of unknown outcome."""
    return [one.of(job.id, job.posting) for one in (charged, release)]


async def _settle(interaction: discord.Interaction, settling: Awaitable[Job]) -> None:
    job = await settling
    await answer(interaction, boxed(GOOD, sentences(_("Settled."), cost_words(job))))
