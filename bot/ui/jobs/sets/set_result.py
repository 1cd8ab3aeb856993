"""Build what a set posts: pairs of before and after, what failed, and a menu to do more with one of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.features.wording import credit_words
from bot.jobs.models import Job, JobState, Progress, SourcePhoto
from bot.jobs.results import EndOfJobs, Part
from bot.languages import and_list, gettext as _, lazy, ngettext, number, plazy, sentences
from bot.ui.jobs.progress import sign_of
from bot.ui.jobs.results.gallery import file_name_of, gallery, order_words
from bot.ui.jobs.results.links import link_button, link_words
from bot.ui.jobs.results.parts import disclosed_words, why_here
from bot.ui.jobs.results.result import FULL_SIZE, for_listing, remaking_buttons
from bot.ui.jobs.sets.set_progress import RUN_SET_AGAIN, photo_name, set_button
from bot.ui.jobs.wording import ToolNames, cost_words, prompt_words, settings_words, state_words
from bot.ui.kit.layout import Panel, Piece, lines, row, small, text
from bot.ui.kit.text import named_value, shortened
from bot.ui.reading.pictures import plain_name

CHOOSE = lazy("Do more with one picture")
DELETE = plazy("button", "Delete")
DELETE_THIS = lazy("Delete this picture")
PICK_ACTION, DELETE_ACTION, DROP_ACTION = "pick", "delete", "drop"
LINK_TOO_LONG = lazy("There's no room for its link here: see `/jobs`.")
# Ten photos with what is said of each must fit into a message.
MAX_LABEL_CHARACTERS = 80
MAX_NOTE_CHARACTERS = 160
MAX_FAILURE_CHARACTERS = 240
MAX_SET_RESULT_CHARACTERS = 300
MAX_LINKS_CHARACTERS = 1600  # of all links together
_CAPTION = re.compile(r"\*\*[0-9]+\.\*\* ")


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """The appearance of a result: the names of its files, the result's own first, and notes about them."""

    files: Sequence[str] = ()
    notes: Sequence[str] = ()


def set_result(
    ended: EndOfJobs,
    names: ToolNames,
    shown: Mapping[str, ShownPhoto],
    *,
    disclosure: str = "",
    by_dm: bool = False,
) -> Panel:
    """Return what became of some photos of a set. The files have to be sent along.

    `shown` says how the results are shown, by job; one without files is linked. `by_dm`: it is sent by DM,
    where no job can be started.
    """
    first = ended.job
    made = [part for part in ended.parts if part.job.id in shown]
    others = [part for part in ended.parts if part.job.id not in shown]
    pieces: list[Piece] = [text(_head(ended, made, names))]
    links = MAX_LINKS_CHARACTERS
    for part in made:
        photo = shown[part.job.id]
        said = "" if photo.files else _link(part.job, links)
        links -= len(said)
        pieces += _photo(part, photo, names, said)
    if others:
        pieces.append(text(lines(*map(_failure, others))))
    tool = names.tool(first.tool)
    settings = shortened(settings_words(tool, first.inputs), MAX_SET_RESULT_CHARACTERS)
    charged = sum(part.job.settled for part in ended.parts)
    cost = credit_words(charged) if made or charged else ""  # else each line says that it wasn't charged
    title = names.title(first.tool) if made else ""  # else the first line names it
    details = small(" · ".join(part for part in (title, settings, cost) if part))
    why = why_here(first, by_dm=by_dm) if made else ""
    said_ai = disclosed_words(disclosure) if made else ""
    about = lines(details, prompt_words(tool, first.inputs), said_ai, why)
    pieces += [text(about)] if about else []
    pieces += _rows(ended, made, others, by_dm=by_dm)
    return Panel(*pieces)


def one_of_set(job: Job, names: ToolNames, addresses: Sequence[str]) -> Panel:
    """Return one picture of a set's message for who chose it, with what can be done with it.

    `addresses` are those of its pictures, the result first; empty: it has none to show.
    """
    name = photo_name(job)
    again = remaking_buttons(job, names.tool(job.tool), picture=bool(addresses), by_dm=False)
    full_size = link_button(job, str(FULL_SIZE))
    others: list[Piece] = [] if full_size is None else [full_size]
    others += for_listing(job, [file_name_of(one) for one in addresses], by_dm=False)
    if job.result_message_id is not None:
        others.append(drop_button(job.id))
    pieces: list[Piece] = [text(f"### {names.emoji(job.tool)} {named_value(names.title(job.tool), name)}")]
    if addresses:
        pieces.append(gallery(job, names, addresses))
    return Panel(*pieces, row(*again), *([row(*others)] if others else []))


def drop_button(job_id: str) -> ui.Button[Any]:
    """Return the look of `bot.ui.jobs.sets.menu.DropButton`, which finds its code by the custom id."""
    custom_id = f"studii:set:{DROP_ACTION}:{job_id}"
    return ui.Button(label=str(DELETE_THIS), style=discord.ButtonStyle.danger, custom_id=custom_id)


def caption_of(number: int) -> str:
    """Return how the line above a photo begins."""
    return f"**{number}.**"


def is_caption(words: str) -> bool:
    """Return whether a text of a set's message stands above a photo."""
    return _CAPTION.match(words) is not None


def is_pick_id(custom_id: str) -> bool:
    """Return whether it is the custom id of the menu of a set's message."""
    return custom_id.startswith(f"studii:set:{PICK_ACTION}:")


def _head(ended: EndOfJobs, made: Sequence[Part], names: ToolNames) -> str:
    job = ended.job
    which = _which([part.number for part in made or ended.parts], len(ended.whole))
    member, tool = f"<@{job.user_id}>", names.title(job.tool)
    if made:
        ready = _("{member}, your results are ready: {photos}.", member=member, photos=which)
        return f"{names.emoji(job.tool)} {ready}"
    over = [part.job for part in ended.parts if part.job.state is not JobState.CANCELLED]
    if not over:
        sign, words = "🚫", lazy("{member}, your **{tool}** job was cancelled: {photos}.")
    elif all(one.not_approved for one in over):
        sign, words = "🚫", lazy("{member}, your **{tool}** request wasn't approved: {photos}.")
    else:
        sign, words = "❌", lazy("{member}, your **{tool}** job failed: {photos}.")
    return f"{sign} {words.using(member=member, tool=tool, photos=which)}"


def _which(numbers: Sequence[int], total: int) -> str:
    """Name the photos of a set that a message is about, by their numbers if they are not all."""
    if len(numbers) == total:
        return ngettext("{count} photo", "{count} photos", total)
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return _("photo {number} of {total}", number=first, total=total)
    if len(numbers) > 2 and last - first == len(numbers) - 1:
        return _("photos {first} to {last} of {total}", first=first, last=last, total=total)
    return _("photos {numbers} of {total}", numbers=and_list([number(one) for one in numbers]), total=total)


def _photo(part: Part, photo: ShownPhoto, names: ToolNames, link: str) -> list[Piece]:
    notes = [shortened(note, MAX_NOTE_CHARACTERS) for note in photo.notes if note]
    order = small(order_words(photo.files[1:]))
    caption = text(
        lines(f"{caption_of(part.number)} {photo_name(part.job)}", order, *map(small, notes), link)
    )
    if not photo.files:
        return [caption]
    return [caption, gallery(part.job, names, [f"attachment://{name}" for name in photo.files])]


def _link(job: Job, room: int) -> str:
    words = link_words(job)
    return words if len(words) <= room else str(LINK_TOO_LONG)


def _failure(part: Part) -> str:
    state = shortened(state_words(part.job, Progress()), MAX_FAILURE_CHARACTERS)
    said = f"{sign_of(part.job)} **{part.number}.** {named_value(photo_name(part.job), state)}"
    return sentences(said, cost_words(part.job))


def _rows(ended: EndOfJobs, made: Sequence[Part], others: Sequence[Part], *, by_dm: bool) -> list[Piece]:
    rows: list[Piece] = []
    if made and not by_dm:
        options = [
            discord.SelectOption(
                label=shortened(f"{part.number}. {_file_name(part.job.source)}", MAX_LABEL_CHARACTERS),
                value=part.job.id,
            )
            for part in made
        ]
        custom_id = f"studii:set:{PICK_ACTION}:{ended.job.set_id}:{ended.number}"
        select = ui.Select[Any](custom_id=custom_id, placeholder=str(CHOOSE), options=options)
        rows.append(row(select))
    buttons: list[Piece] = []
    if not by_dm and any(part.job.state is JobState.FAILED for part in others):
        buttons.append(set_button(RUN_SET_AGAIN, ended.whole))
    delete_id = f"studii:set:{DELETE_ACTION}:{ended.job.set_id}"
    buttons.append(ui.Button(label=str(DELETE), custom_id=delete_id))
    return [*rows, row(*buttons)]


def _file_name(source: SourcePhoto | None) -> str:
    return plain_name(source) if source is not None else _("photo")
