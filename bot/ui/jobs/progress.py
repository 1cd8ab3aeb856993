"""The progress of jobs, for their person alone; and buttons that cancel jobs, or start others like them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot.catalog import Catalog, SourceRule, Tool
from bot.credits.budgets import credit_words, price_of_all, short_price
from bot.errors import Refused
from bot.jobs import actions, queries
from bot.jobs.answers import subject_of
from bot.jobs.models import (
    KEPT_DAYS,
    UNSENT_STATES,
    Approval,
    FailureCode,
    Job,
    JobState,
    Progress,
    SourcePhoto,
    are_variations,
)
from bot.languages import gettext as _, lazy, ngettext, plazy
from bot.resources import Resources
from bot.ui.jobs.choosing import ask, choose
from bot.ui.jobs.forms import MAX_FORM_OPTIONS, MAX_VARIANTS, STYLE, FormStart, capitalised, choice
from bot.ui.jobs.start import Terms, request_for, start_once
from bot.ui.jobs.wording import (
    again_label,
    again_price,
    alike,
    cost_words,
    count_words,
    link_words,
    message_link,
    part_words,
    prompt_words,
    settings_words,
    short_state_words,
    state_words,
)
from bot.ui.kit.answers import Host, acknowledge, in_order, read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    BAD,
    GOING,
    GOOD,
    NEUTRAL,
    QUIET,
    UNSURE,
    Panel,
    Piece,
    boxed,
    lines,
    named_value,
    plain,
    row,
    shortened,
    small,
)
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import ensure_can_post, ensure_stays_there, moderates, server_of
from bot.ui.reading.pictures import PhotoGone, author_of, is_beside, pictures_in, placed, source_of

CHARGED_AGAIN = lazy("Running it again may be charged again.")
NOT_UPDATED_ANY_MORE = lazy("This message won't be updated any more. See `/jobs`.")
SEE_RESULT = lazy("see the result")
# Characters; ten lines with links, and what others wrote, must fit into a message.
PHOTO_NAME = 32
STATE_LENGTH = 100
_COUNTED: Sequence[tuple[Sequence[JobState], Callable[[int], str]]] = (
    ((JobState.SUCCEEDED,), lambda count: ngettext("{count} done", "{count} done", count)),
    (
        (JobState.UPLOADING, JobState.SUBMITTING, JobState.RUNNING),
        lambda count: ngettext("{count} running", "{count} running", count),
    ),
    (
        (JobState.RECEIVED, JobState.WAITING),
        lambda count: ngettext("{count} waiting", "{count} waiting", count),
    ),
    (
        (JobState.PENDING, JobState.REVIEWING),
        lambda count: ngettext("{count} to be approved", "{count} to be approved", count),
    ),
    ((JobState.WITHHELD,), lambda count: ngettext("{count} not posted", "{count} not posted", count)),
    ((JobState.FAILED,), lambda count: ngettext("{count} failed", "{count} failed", count)),
    ((JobState.CANCELLED,), lambda count: ngettext("{count} cancelled", "{count} cancelled", count)),
    ((JobState.UNKNOWN,), lambda count: ngettext("{count} unknown", "{count} unknown", count)),
)
STATE_LOOKS: Mapping[JobState, tuple[str, discord.Colour]] = {
    # The first of these that a job is in gives the progress its colour.
    JobState.RUNNING: ("✨", GOING),
    JobState.SUBMITTING: ("📤", GOING),
    JobState.UPLOADING: ("📤", GOING),
    JobState.RECEIVED: ("⏳", NEUTRAL),
    JobState.WAITING: ("⏳", NEUTRAL),
    JobState.PENDING: ("🛂", NEUTRAL),
    JobState.REVIEWING: ("🛂", NEUTRAL),
    JobState.UNKNOWN: ("❔", UNSURE),
    JobState.FAILED: ("❌", BAD),
    JobState.WITHHELD: ("🚫", BAD),
    JobState.SUCCEEDED: ("✅", GOOD),
    JobState.CANCELLED: ("🚫", QUIET),
}
# After these, the same request may succeed.
_MAY_WORK_LATER = frozenset(FailureCode) - {FailureCode.INPUTS, FailureCode.PLAN, FailureCode.PHOTO}
_MAY_BE_ITS_INPUTS = frozenset({FailureCode.STUDII, FailureCode.DECLINED})


def progress_panel(jobs: Sequence[Job], catalog: Catalog, progress: Progress, *, last: bool = False) -> Panel:
    """Return the progress of a job, or of a set, as it is now. `last`: it is not updated any more."""
    first, tool, alone = jobs[0], catalog.tools.get(jobs[0].tool), len(jobs) == 1
    title, seen, cost = f"### {catalog.emoji(first.tool)} {catalog.title(first.tool)}", "", cost_words(first)
    said = [f"{sign_of(first)} {state_words(first, progress)}{where_words(first)}"]
    if first.failure is FailureCode.OUTPUT and first.output_url is not None:
        said.append(link_words(first))
    if not alone:
        title = f"{title} · {count_words(jobs)}"
        private = [job for job in jobs if job.private and not job.over]
        if any(job.result_approval is Approval.WANTED for job in private):
            seen = _(
                "Although these are private, moderators see the requests before they start, and the results "
                "before you get them."
            )
        elif any(job.approval is Approval.WANTED for job in private):
            seen = _("Although these are private, moderators see the requests before they start.")
        each = [_line(number, job, jobs, catalog) for number, job in enumerate(jobs, 1)]
        said, cost = [f"**{_counts(jobs)}**", *each], _cost(jobs)
    again = CHARGED_AGAIN if any(map(may_be_charged_again, jobs)) else ""
    left = NOT_UPDATED_ANY_MORE if last and not all(job.over for job in jobs) else ""
    buttons = _buttons(jobs, tool)
    looks = (look for state, look in STATE_LOOKS.items() if any(job.state is state for job in jobs))
    return boxed(
        next(looks)[1],
        lines(title, small(settings_words(tool, alike(jobs))), prompt_words(tool, first.inputs), small(seen)),
        ui.Separator(),
        lines(*said, small(cost), small(again), small(left)),
        *([row(*buttons)] if buttons else []),
    )


def may_be_charged_again(job: Job) -> bool:
    """Return whether the job was charged although there is no result, and so may be the next one."""
    paid_for = job.state is JobState.WITHHELD or job.failure is FailureCode.STUDII
    return job.state in {JobState.FAILED, JobState.WITHHELD} and paid_for and job.settled > 0


def another_try(job: Job, tool: Tool | None) -> list[Piece]:
    """Return what may help a job that ended without a result: other inputs, or the same again."""
    edited = edit.looking(style=discord.ButtonStyle.primary).of(job.id, job.posting)
    if job.state is JobState.FAILED and job.failure in {FailureCode.INPUTS, FailureCode.PLAN}:
        return [edited]
    if job.state not in {JobState.FAILED, JobState.WITHHELD} or job.failure not in _MAY_WORK_LATER:
        return []
    has_inputs = tool is not None and bool(tool.inputs)
    # It may be the prompt that Studii or a moderator refused: another one may pass.
    if has_inputs and job.failure in _MAY_BE_ITS_INPUTS:
        return [edited, again_button(job, discord.ButtonStyle.secondary)]
    return [again_button(job)]


def sign_of(job: Job) -> str:
    """Return the sign of the job's state."""
    return "🚫" if job.not_approved else STATE_LOOKS[job.state][0]


def again_button(job: Job, style: discord.ButtonStyle = discord.ButtonStyle.primary) -> ui.Button[Any]:
    """Return the button that runs a job again, with what it will probably cost."""
    return again.looking(label=again_label(job), style=style).of(job.id, job.posting)


def set_again_button(jobs: Sequence[Job]) -> ui.Button[Any]:
    """Return the button that runs the failed jobs of a set again, with what they will probably cost."""
    price = price_of_all([again_price(job) for job in jobs if job.state is JobState.FAILED])
    label = f"{_('Run the failed ones again')} · {short_price(price)}"
    return set_again.looking(label=label).of(jobs[0].set_id or "")


def where_words(job: Job) -> str:
    """Return where the job's result is."""
    if job.result_message_id is not None:
        return f" · [{SEE_RESULT}]({message_link(job)})"
    if job.announced_at is None or job.state is not JobState.SUCCEEDED:
        return ""
    if job.result_by_dm:
        return "\n" + _("I sent it to you by direct message.")
    if job.output_file is None:
        return ""
    return "\n" + ngettext(
        "I couldn't post it here or send it to you. Get it with `/jobs` within a day.",
        "I couldn't post it here or send it to you. Get it with `/jobs` within {count} days.",
        KEPT_DAYS,
    )


def _counts(jobs: Sequence[Job]) -> str:
    approved = [job for job in jobs if not job.not_approved]
    counted = [(words, sum(job.state in states for job in approved)) for states, words in _COUNTED]
    declined = len(jobs) - len(approved)
    counted.append((lambda count: ngettext("{count} not approved", "{count} not approved", count), declined))
    return " · ".join(words(number) for words, number in counted if number)


def part_name(job: Job, whole: Sequence[Job], catalog: Catalog) -> str:
    """Return what a job of a set is called, as it is shown."""
    return plain(part_words(job, whole, catalog), PHOTO_NAME)


def _line(number: int, job: Job, whole: Sequence[Job], catalog: Catalog) -> str:
    name = part_name(job, whole, catalog)
    state = shortened(short_state_words(job), STATE_LENGTH)
    return f"{number}. {sign_of(job)} {named_value(name, state)}{where_words(job)}"


def _cost(jobs: Sequence[Job]) -> str:
    settled, reserved = sum(job.settled for job in jobs), sum(job.reserved for job in jobs)
    if not settled:
        if reserved:
            return _("Not charged so far, {reserved} reserved.", reserved=credit_words(reserved))
        return _("Not charged.")
    if not reserved:
        return _("Charged {credits}.", credits=credit_words(settled))
    return _(
        "Charged {credits} so far, {reserved} reserved.",
        credits=credit_words(settled),
        reserved=credit_words(reserved),
    )


def _buttons(jobs: Sequence[Job], tool: Tool | None) -> list[Piece]:
    if len(jobs) == 1:
        return (
            [cancel.of(jobs[0].id, jobs[0].posting)]
            if jobs[0].state in UNSENT_STATES
            else another_try(jobs[0], tool)
        )
    if any(job.state in UNSENT_STATES for job in jobs):
        return [cancel_set.of(jobs[0].set_id or "")]
    failed = all(job.over for job in jobs) and any(job.state is JobState.FAILED for job in jobs)
    return [set_again_button(jobs)] if failed else []


# The buttons

JOB_GONE = lazy("There's no such job here. Use the command instead.")
INPUTS_ERASED = lazy("The original request has expired. Use Edit and choose again. Nothing was charged.")


@button("cancel:{job_id}-{posting}", label=plazy("button", "Cancel job"))
async def cancel(press: Press, job_id: Id, posting: int) -> None:
    """Cancel a job that has not gone to Studii yet; its progress then says so."""
    await acknowledge(press.interaction)
    job = await press.host.resources.db.read(queries.get, job_id)
    await _follow_pressed(press.interaction, press.host, job)
    await cancelled(press, job, job_id)


async def cancelled(press: Press, job: Job | None, job_id: str) -> Job:
    """Cancel a job, for its requester or a moderator. Raises `Refused` if that is not possible."""
    interaction, host = press.interaction, press.host
    which = job_id, server_of(interaction), interaction.user.id, host.clock.now()
    may = job is not None and moderates(interaction, job)
    return actions.ensure_cancelled(await host.resources.db.write(actions.cancel, *which, moderates=may))


@button("set:cancel:{set_id}", label=lazy("Cancel what hasn't started"))
async def cancel_set(press: Press, set_id: Id) -> None:
    """Cancel those of a set that have not started."""
    interaction, host = press.interaction, press.host
    await acknowledge(interaction)
    first = (await _set_for(interaction, host, set_id))[0]
    await _follow_pressed(interaction, host, first)
    which = set_id, first.guild_id, interaction.user.id, host.clock.now()
    may = moderates(interaction, first)
    if not await host.resources.db.write(actions.cancel_set, *which, moderates=may):
        raise Refused(lazy("All of them were sent to Studii already. The results will arrive automatically."))


@button("again:{job_id}-{posting}")
async def again(press: Press, job_id: Id, posting: int) -> None:
    """Do the same again, for the person who presses it."""
    with in_order(press.interaction):
        await run_again(
            press.interaction, press.host, [await job_for(press.interaction, press.host.resources, job_id)]
        )


@button("set:again:{set_id}[:{each}]")
async def set_again(press: Press, set_id: Id, each: int | None = None) -> None:
    """Run those of a set that failed again. `each`: the price of one that an earlier version has named."""
    with in_order(press.interaction):
        jobs = await _set_for(press.interaction, press.host, set_id)
        failed = [job for job in jobs if job.state is JobState.FAILED]
        if not failed:
            raise Refused(lazy("None of them has failed. Nothing was started."))
        await run_again(press.interaction, press.host, failed, each)


@button("edit:{job_id}-{posting}", label=plazy("button", "Edit"))
async def edit(press: Press, job_id: Id, posting: int) -> None:
    """Show the form with a job's inputs; handing it in starts a new job."""
    interaction, host = press.interaction, press.host
    job = await read_before_form(interaction, job_for(interaction, host.resources, job_id))
    ensure_stays_there(interaction, job)
    tool = host.catalog.get(job.tool)
    if not tool.inputs and tool.source is SourceRule.NONE:
        raise Refused(
            lazy("{tool} has nothing to edit. Run `/{command}` again.", tool=tool.title, command=tool.slug)
        )
    terms, pictures = terms_of(job, tool), list[SourcePhoto]()
    try:
        source = await read_before_form(interaction, source_of(interaction, job, host.clock.now()))
    except PhotoGone:
        terms = replace(terms, photo_author=None)  # another one can be attached
    else:
        pictures = [] if source is None else [source]
    await ask(interaction, tool, FormStart(pictures, job.inputs, replaceable=True), terms)


@button("vary:{job_id}-{posting}", label=plazy("button", "Variations…"))
async def vary(press: Press, job_id: Id, posting: int) -> None:
    """Ask for how many more pictures with the same inputs, or in which styles of a tool that has some."""
    interaction, resources = press.interaction, press.host.resources
    job = await read_before_form(interaction, job_for(interaction, resources, job_id))
    ensure_stays_there(interaction, job)
    tool = press.host.catalog.get(job.tool)
    asked = request_for(interaction, tool, terms_of(job, tool))
    await read_before_form(interaction, resources.db.read(resources.acceptance.ensure_possible, asked))
    price, style = again_price(job), tool.input(STYLE)
    counts = [
        discord.SelectOption(
            label=f"{count} · {short_price(price_of_all([price] * count))}", value=str(count)
        )
        for count in range(2, MAX_VARIANTS + 1)
    ]
    counts[0].default = True
    fields = [labelled(lazy("How many"), ui.Select[Any](custom_id="count", options=counts))]
    if style is not None and style.suggestions:
        offered = [
            discord.SelectOption(label=choice(style, one, str(short_price(price))), value=one)
            for one in style.suggestions[:MAX_FORM_OPTIONS]
        ]
        most = min(MAX_VARIANTS, len(offered))
        chosen = ui.Select[Any](
            custom_id=STYLE, options=offered, required=False, min_values=0, max_values=most
        )
        about = lazy("Choose up to {count}: then there is one picture of each", count=most)
        fields.append(labelled(capitalised(style.title), chosen, about))
    await press.ask(_("Variations of {tool}", tool=tool.title), *fields)


@vary.submitted
async def varied(press: Press, job_id: Id, posting: int) -> None:
    """Start the variations, as a set."""
    styles: Sequence[str] = press.values.get(STYLE) or ()
    variants = [{STYLE: one} for one in styles] or [dict[str, str]()] * int(press.values["count"][0])
    with in_order(press.interaction):
        job = await job_for(press.interaction, press.host.resources, job_id)
        await run_again(press.interaction, press.host, [job], variants=variants)


@button("use:{job_id}-{posting}", label=plazy("button", "Use in…"))
async def use_in(press: Press, job_id: Id, posting: int) -> None:
    """Start another tool from the result."""
    job = await job_for(press.interaction, press.host.resources, job_id)
    ensure_stays_there(press.interaction, job)
    ensure_can_post(press.interaction)
    message = press.interaction.message
    made = next((photo for photo in pictures_in(message) if not is_beside(photo)), None)
    if made is None:
        raise Refused(
            lazy(
                "This message has no picture any more, or the picture was too large to post. Post it here "
                "as a photo and use its menu. Nothing was charged."
            )
        )
    made = placed(made, message, job)
    terms = Terms(photo_author=author_of(job), private=job.private)
    await choose(press.interaction, [made], f"### {_('Use this picture in…')}", terms)


async def run_again(
    interaction: discord.Interaction,
    host: Host,
    jobs: Sequence[Job],
    each: int | None = None,
    variants: Sequence[Mapping[str, str]] = (),
) -> None:
    """Start jobs with the same inputs and photos, at the price that the pressed button names, or at `each`.

    `variants` are those of a single job. To be called within `in_order`.
    """
    first, tool = jobs[0], host.catalog.get(jobs[0].tool)
    ensure_stays_there(interaction, first)
    if any(job.scrubbed_at is not None for job in jobs) and (tool.inputs or first.set_id is not None):
        raise Refused(
            INPUTS_ERASED
            if len(jobs) == 1
            else lazy(
                "The original request has expired. Start it again with the photos. Nothing was charged."
            )
        )
    now, price = host.clock.now(), each or max(again_price(job).amount for job in jobs)
    if are_variations(jobs):
        variants, jobs = [job.inputs for job in jobs], jobs[:1]
    photos = await asyncio.gather(*(source_of(interaction, job, now) for job in jobs))
    of_photos = [job.inputs for job in jobs] if len(jobs) > 1 else ()
    terms = replace(terms_of(first, tool), shown_price=price, variants=variants, of_photos=of_photos)
    await start_once(interaction, tool, first.inputs, [one for one in photos if one is not None], terms)


async def job_for(interaction: discord.Interaction, resources: Resources, job_id: str) -> Job:
    """Return the job that a button belongs to. Raises `Refused` if it is gone, or not for this person."""
    job = await resources.db.read(queries.get, job_id)
    own = job is not None and job.user_id == interaction.user.id  # in a DM of ours
    here = job is not None and (own if interaction.guild_id is None else interaction.guild_id == job.guild_id)
    return _for_person(interaction, [job] if job is not None and here else [])[0]


def terms_of(job: Job, tool: Tool) -> Terms:
    """Return the job's terms, for another one like it. Inputs that the catalogue does not know are kept."""
    of_a_photo = job.source is not None or job.scrubbed_at is not None
    extra = {name: job.inputs[name] for name in tool.undeclared(job.inputs)}
    return Terms(author_of(job) if of_a_photo else None, job.private, extra)


async def _set_for(interaction: discord.Interaction, host: Host, set_id: str) -> list[Job]:
    jobs = await host.resources.db.read(actions.of_set, set_id, server_of(interaction))
    return _for_person(interaction, jobs)


def _for_person(interaction: discord.Interaction, jobs: list[Job]) -> list[Job]:
    if not jobs:
        raise Refused(JOB_GONE)
    if jobs[0].private and jobs[0].user_id != interaction.user.id:
        raise Refused(lazy("That result is private to someone else. Use the command to make your own."))
    return jobs


async def _follow_pressed(interaction: discord.Interaction, host: Host, job: Job | None) -> None:
    """Let the pressed progress be edited for another quarter of an hour; its press is acknowledged."""
    # A message that others see is of a version before.
    if job is not None and interaction.message is not None and interaction.message.flags.ephemeral:
        # Not what it shows, but that it is there.
        await host.answers.show(interaction, subject_of(job), Panel())
