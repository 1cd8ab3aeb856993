"""The progress of a set: a line for each of its photos, what they cost together, and what can be done."""

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.credits.prices import price_of_all, short_price
from bot.features.wording import credit_words
from bot.jobs.models import UNSENT_STATES, Approval, Job, JobState, Progress
from bot.languages import gettext as _, lazy, ngettext
from bot.ui.jobs.progress import NOT_UPDATED_ANY_MORE, STATE_LOOKS, job_progress, sign_of, where_words
from bot.ui.jobs.wording import ToolNames, again_price, prompt_words, settings_words, short_state_words
from bot.ui.kit.layout import GOING, Panel, boxed, lines, row, rule, small
from bot.ui.kit.text import named_value, plain, shortened
from bot.ui.reading.pictures import plain_name

CANCEL_SET, RUN_SET_AGAIN = "cancel", "again"
LABELS = {CANCEL_SET: lazy("Cancel what hasn't started"), RUN_SET_AGAIN: lazy("Run the failed ones again")}
# Characters; ten lines with links, and what others wrote, must fit into a message.
PHOTO_NAME = 24
STATE_LENGTH = 100
MAX_SET_SETTINGS_CHARACTERS = 300
SEEN = lazy("Although these are private, moderators see the requests before they start.")
RESULTS_SEEN = lazy(
    "Although these are private, moderators see the requests before they start, and the results before you "
    "get them."
)
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


def progress_panel(jobs: Sequence[Job], names: ToolNames, progress: Progress, *, last: bool = False) -> Panel:
    """Return the progress of a job, or of a set, as it is now. `last`: it is not updated any more."""
    if len(jobs) == 1:
        return job_progress(jobs[0], names, progress, last=last)
    first = jobs[0]
    tool = names.tool(first.tool)
    settings = shortened(settings_words(tool, first.inputs), MAX_SET_SETTINGS_CHARACTERS)
    photos = ngettext("{count} photo", "{count} photos", len(jobs))
    title = f"### {names.emoji(first.tool)} {names.title(first.tool)} · {photos}"
    left = NOT_UPDATED_ANY_MORE if last and not all(job.over for job in jobs) else ""
    return boxed(
        _colour(jobs),
        lines(title, small(settings), prompt_words(tool, first.inputs), small(_seen(jobs))),
        rule(),
        lines(f"**{_counts(jobs)}**", *(_line(number, job) for number, job in enumerate(jobs, 1))),
        lines(small(_cost(jobs)), small(left)),
        *([row(*buttons)] if (buttons := _buttons(jobs)) else []),
    )


def _seen(jobs: Sequence[Job]) -> str:
    private = [job for job in jobs if job.private and not job.over]
    if any(job.result_approval is Approval.WANTED for job in private):
        return str(RESULTS_SEEN)
    return str(SEEN) if any(job.approval is Approval.WANTED for job in private) else ""


def _counts(jobs: Sequence[Job]) -> str:
    declined = sum(job.not_approved for job in jobs)
    counted: list[str] = []
    for states, words in _COUNTED:
        number = sum(job.state in states and not job.not_approved for job in jobs)
        if number:
            counted.append(words(number))
    if declined:
        counted.append(ngettext("{count} not approved", "{count} not approved", declined))
    return " · ".join(counted)


def photo_name(job: Job) -> str:
    """Return the name of the job's photo as it is shown."""
    return plain(plain_name(job.source), PHOTO_NAME) if job.source is not None else _("photo")


def _line(number: int, job: Job) -> str:
    name = photo_name(job)
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


def _colour(jobs: Sequence[Job]) -> discord.Colour:
    """Return the colour of the state that most needs to be seen, once all have ended."""
    if not all(job.over for job in jobs):
        return GOING
    states = (JobState.UNKNOWN, JobState.FAILED, JobState.WITHHELD, JobState.SUCCEEDED, JobState.CANCELLED)
    return STATE_LOOKS[next(state for state in states if any(job.state is state for job in jobs))][1]


def _buttons(jobs: Sequence[Job]) -> list[ui.Button[Any]]:
    actions: list[str] = []
    if any(job.state in UNSENT_STATES for job in jobs):
        actions.append(CANCEL_SET)
    if all(job.over for job in jobs) and any(job.state is JobState.FAILED for job in jobs):
        actions.append(RUN_SET_AGAIN)
    return [set_button(action, jobs) for action in actions]


def set_button(action: str, jobs: Sequence[Job]) -> ui.Button[Any]:
    """Return the look of `bot.ui.jobs.sets.buttons.SetButton`, which finds its code by the custom id.

    The one that runs the failed jobs again says what they will probably cost.
    """
    label = str(LABELS[action])
    if action == RUN_SET_AGAIN:
        price = price_of_all([again_price(job) for job in jobs if job.state is JobState.FAILED])
        label = f"{label} · {short_price(price)}"
    return ui.Button(label=label, custom_id=f"studii:set:{action}:{jobs[0].set_id}")
