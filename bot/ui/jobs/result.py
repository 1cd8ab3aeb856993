"""Build what is posted when jobs end: what was made, each beside its photo, or why there is nothing.

A job alone is shown as a set of one, without numbers and with its buttons in place of the menu.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import Catalog
from bot.credits.budgets import credit_words
from bot.jobs.best_results import STAR, answer as answer_for_best
from bot.jobs.models import FailureCode, Job, JobState, Progress, are_variations
from bot.jobs.results import EndOfJobs, Part
from bot.languages import Worded, and_list, gettext as _, lazy, month_words, ngettext, number, sentences
from bot.servers.settings import MAX_DISCLOSURE_CHARACTERS, GuildSettings
from bot.ui.jobs.more import caption_of, delete, delete_set, gallery, order_words, pick, result_buttons
from bot.ui.jobs.progress import CHARGED_AGAIN, may_be_charged_again, part_name, set_again_button, sign_of
from bot.ui.jobs.wording import (
    alike,
    cost_words,
    count_words,
    link_words,
    part_words,
    prompt_words,
    settings_words,
    state_words,
)
from bot.ui.kit.answers import acknowledge
from bot.ui.kit.layout import (
    GOOD,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    lines,
    named_value,
    plain,
    row,
    server_line,
    shortened,
    small,
    text,
)
from bot.ui.panels.controls import Press, button

# The first line mentions the member, as a result's does; `bot.ui.jobs.more` reads it there.
_FAILED = "❌", lazy("{member}, your **{tool}** job failed.")
_NOT_APPROVED = "🚫", lazy("{member}, your **{tool}** request wasn't approved.")
_ENDINGS = {
    JobState.UNKNOWN: ("❔", lazy("{member}, your **{tool}** job has an unknown outcome.")),
    JobState.CANCELLED: ("🚫", lazy("{member}, your **{tool}** job was cancelled.")),
    JobState.WITHHELD: ("🚫", lazy("{member}, your **{tool}** result isn't posted.")),
}
# Ten photos with what is said of each must fit into a message.
MAX_LABEL_CHARACTERS = 80
MAX_NOTE_CHARACTERS = 160
MAX_FAILURE_CHARACTERS = 240
MAX_LINKS_CHARACTERS = 1700  # of all links together


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """The appearance of a result: the names of its files, the result's own first, and notes about them."""

    files: Sequence[str] = ()
    notes: Sequence[Worded] = ()


def result(
    ended: EndOfJobs,
    catalog: Catalog,
    shown: Mapping[str, ShownPhoto],
    *,
    disclosure: str = "",
    by_dm: bool = False,
) -> Panel:
    """Return what was made, and which of the other jobs of the message have no result.

    `shown` says how the results are shown, by job; one without files is linked. The files have to be sent
    along. `by_dm`: it is sent by DM, where no job can be started.
    """
    first, alone = ended.job, not ended.job.posted_with_set
    made = [part for part in ended.parts if part.job.id in shown]
    others = [part for part in ended.parts if part.job.id not in shown]
    linked = sum(not shown[part.job.id].files for part in made)
    pieces: list[Piece] = [text(_ready(ended, made, catalog))]
    said = ""
    for part in made:
        photo = shown[part.job.id]
        said = _said(part.job, photo, MAX_LINKS_CHARACTERS // max(1, linked))
        if not alone:
            name = part_name(part.job, ended.whole, catalog)
            pieces.append(text(lines(f"{caption_of(part.number)} {name}", said)))
        if photo.files:
            pieces.append(gallery(part.job, catalog, [f"attachment://{name}" for name in photo.files]))
    if others:
        pieces.append(text(lines(*(_failure(part, ended, catalog) for part in others))))
    about = _details(ended, catalog, title=catalog.title(first.tool))
    why = why_here(first, by_dm=by_dm)
    pieces.append(text(lines(said if alone else "", about, disclosed_words(disclosure), why)))
    if not alone:
        return Panel(*pieces, *_menu(ended, made, others, catalog, by_dm=by_dm))
    return Panel(*pieces, row(*result_buttons(first, catalog.tools.get(first.tool), by_dm=by_dm)))


def ending(ended: EndOfJobs, catalog: Catalog, server: str) -> Panel:
    """Return for its person why jobs have no result, and what it cost. `server`: where they were started."""
    job, alone = ended.job, not ended.job.posted_with_set
    over = [part.job for part in ended.parts if part.job.state is not JobState.CANCELLED] or [job]
    failed = _NOT_APPROVED if all(one.not_approved for one in over) else _FAILED
    sign, words = _ENDINGS.get(over[0].state, failed) if len({one.state for one in over}) == 1 else failed
    head = f"{sign} {words.using(member=f'<@{job.user_id}>', tool=catalog.title(job.tool))}"
    said, there = [_failure(part, ended, catalog) for part in ended.parts], ""
    if alone:
        said = [] if job.state is JobState.CANCELLED else [state_words(job, Progress())]
        there = link_words(job) if job.failure is FailureCode.OUTPUT and job.output_url is not None else ""
    again = small(CHARGED_AGAIN) if any(map(may_be_charged_again, over)) else ""
    details = _details(ended, catalog, prompt=not there)  # a link may be long
    return Panel(text(lines(head, *said, there, details, again, server_line(server))), row(_delete(ended)))


def ended_without_result(user_id: int) -> Panel:
    """Return the line in a channel for a member whose direct messages are closed: nothing of what, or why."""
    said = _("{member}, one of your jobs ended without a result. See `/jobs`.", member=f"<@{user_id}>")
    return Panel(text(said))


def ended_elsewhere(server: str) -> Panel:
    """Say by DM that a job in an age-restricted channel, or in one that may be, has ended: no details."""
    said = _(
        "Your job in **{server}** has ended. I can't show it here, because its "
        "channel may be age-restricted. Use `/jobs` in that server to see it.",
        server=plain(server, 100),
    )
    return Panel(text(said))


def linked_video(
    ended: EndOfJobs, catalog: Catalog, why: Worded, *, disclosure: str, by_dm: bool
) -> tuple[ui.View, str]:
    """Return the buttons and the content of an ordinary message, in which Discord plays a linked video."""
    job = ended.job
    gone = sentences(why, _("The link may stop working after a while."))
    shown = f"|| {job.output_url} ||" if job.hidden else job.output_url or ""
    about = _details(ended, catalog, title=catalog.title(job.tool), prompt=False)
    details = lines(about, disclosed_words(disclosure), why_here(job, by_dm=by_dm))
    view = ui.View(timeout=None)
    for one in result_buttons(job, catalog.tools.get(job.tool), by_dm=by_dm):
        view.add_item(one)
    view.stop()
    return view, lines(_ready(ended, ended.parts, catalog), gone, details, shown)


def disclosed_words(words: str) -> str:
    """Return the line that says that the result was made with AI, in the server's words."""
    return small(f"✨ {plain(words, MAX_DISCLOSURE_CHARACTERS)}") if words else ""


def why_here(job: Job, *, by_dm: bool) -> str:
    """Return why the result comes by DM, if it was not private."""
    if not by_dm or job.private:
        return ""
    channel = f"<#{job.channel_id}>"
    return small(_("I can't post in {channel} any more, so I sent it to you here.", channel=channel))


def _ready(ended: EndOfJobs, made: Sequence[Part], catalog: Catalog) -> str:
    job, member = ended.job, f"<@{ended.job.user_id}>"
    if job.posted_with_set:
        photos = _which([part.number for part in made], ended.whole)
        ready = _("{member}, your results are ready: {photos}.", member=member, photos=photos)
    elif job.output_kind == "video":
        ready = _("{member}, your video is ready.", member=member)
    else:
        ready = _("{member}, your picture is ready.", member=member)
    return f"{catalog.emoji(job.tool)} {ready}"


def _which(numbers: Sequence[int], whole: Sequence[Job]) -> str:
    """Name the photos of a set that a message is about, by their numbers if they are not all."""
    total = len(whole)
    if len(numbers) == total or are_variations(whole):
        return count_words(whole, len(numbers))
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return _("photo {number} of {total}", number=first, total=total)
    if len(numbers) > 2 and last - first == len(numbers) - 1:
        return _("photos {first} to {last} of {total}", first=first, last=last, total=total)
    return _("photos {numbers} of {total}", numbers=and_list([number(one) for one in numbers]), total=total)


def _said(job: Job, photo: ShownPhoto, room: int) -> str:
    """Return what is said of a result beside its files, or the link in at most `room` characters."""
    notes = [shortened(str(note), MAX_NOTE_CHARACTERS) for note in photo.notes if note]
    if not photo.files:
        link = link_words(job)
        return sentences(
            *notes, link if len(link) <= room else lazy("There's no room for its link here: see `/jobs`.")
        )
    return lines(small(order_words(photo.files)), *map(small, notes))


def _failure(part: Part, ended: EndOfJobs, catalog: Catalog) -> str:
    state = shortened(state_words(part.job, Progress()), MAX_FAILURE_CHARACTERS)
    name = part_name(part.job, ended.whole, catalog)
    said = f"{sign_of(part.job)} {caption_of(part.number)} {named_value(name, state)}"
    return sentences(said, cost_words(part.job))


def _details(ended: EndOfJobs, catalog: Catalog, *, title: str = "", prompt: bool = True) -> str:
    """Return the title if there is one, the inputs, the cost, and the prompt if it is to be told."""
    job = ended.job
    tool = catalog.tools.get(job.tool)
    cost = cost_words(job)
    if job.posted_with_set:  # of those without a result, each has it in its own line
        cost = credit_words(sum(part.job.settled for part in ended.parts)) if title else ""
    settings = settings_words(tool, alike(ended.whole))
    said = small(" · ".join(part for part in (title, settings, cost) if part))
    return lines(said, prompt_words(tool, job.inputs) if prompt else "")


def _menu(
    ended: EndOfJobs, made: Sequence[Part], others: Sequence[Part], catalog: Catalog, *, by_dm: bool
) -> list[Piece]:
    rows, buttons = list[Piece](), [_delete(ended)]
    if not by_dm:
        options = [
            discord.SelectOption(
                label=shortened(
                    f"{part.number}. {part_words(part.job, ended.whole, catalog)}",
                    MAX_LABEL_CHARACTERS,
                ),
                value=part.job.id,
            )
            for part in made
        ]
        custom_id = pick.id(ended.job.set_id or "", ended.number)
        rows.append(
            row(
                ui.Select[Any](
                    custom_id=custom_id, placeholder=_("Do more with one picture"), options=options
                )
            )
        )
        if any(part.job.state is JobState.FAILED for part in others):
            buttons.insert(0, set_again_button(ended.whole))
    return [*rows, row(*buttons)]


def _delete(ended: EndOfJobs) -> Piece:
    job = ended.job
    return delete_set.of(job.set_id or "") if job.posted_with_set else delete.of(job.id, job.posting)


# Starred results, and the question to their makers


@button("best:{wish}")
async def best_answer(press: Press, wish: Literal["yes", "no"]) -> None:
    """Let the presser's results be shown, or not, in every server. What was chosen takes the question's
    place."""
    await acknowledge(press.interaction)
    user_id, now, agreed = press.interaction.user.id, press.host.clock.now(), wish == "yes"
    await press.host.resources.db.write(answer_for_best, user_id, now, agreed=agreed)
    said = str(
        lazy(
            "Your starred results are shown from now on, with your name. Change it anytime with `/settings`."
        )
        if agreed
        else lazy(
            "Your results aren't shown, and those that were are removed. Change it anytime with `/settings`."
        )
    )
    await press.interaction.edit_original_response(view=boxed(GOOD if agreed else NEUTRAL, said))


def best_panel(
    job: Job,
    link: str,
    catalog: Catalog,
    rules: GuildSettings,
    files: Sequence[tuple[discord.File, MediaGalleryItem]],
) -> Panel:
    """Return the result with its maker's name and the link to it. Its files have to be sent along.

    What was behind a spoiler stays there, and the server's disclosure is said here too.
    """
    disclosed = disclosed_words(rules.disclosure_words)
    said = [text(disclosed)] if disclosed else []
    see = row(ui.Button(label=_("Jump to post"), url=link))
    made_by = _made_by(job, catalog.title(job.tool))
    return Panel(text(f"{STAR} {made_by}"), *_starred(files), *said, see)


def _starred(files: Sequence[tuple[discord.File, MediaGalleryItem]]) -> list[Piece]:
    media = [
        MediaGalleryItem(
            f"attachment://{file.filename}",
            description=was.description or _("A result that members have starred"),
            spoiler=was.spoiler,
        )
        for file, was in files
    ]
    return [ui.MediaGallery(*media)] if media else []


def _made_by(job: Job, tool: str) -> str:
    return _("**{tool}** by {member}", tool=tool, member=f"<@{job.user_id}>")


class OfMonth(NamedTuple):
    """One of a month's best results: the link to it, its stars, and its picture as it is shown already."""

    job: Job
    link: str
    stars: int
    picture: tuple[discord.File, MediaGalleryItem] | None


def month_panel(month: date, made: int, best: Sequence[OfMonth], catalog: Catalog, disclosure: str) -> Panel:
    """Return the best results of a month, a line for each. Their files have to be sent along."""
    title = _("The month in pictures: {month}", month=month_words(month))
    count = ngettext(
        "{count} result was made. The most starred:", "{count} results were made. The most starred:", made
    )
    listed = [
        f"{caption_of(place)} {STAR} {number(one.stars)} · "
        f"{_made_by(one.job, f'[{catalog.title(one.job.tool)}]({one.link})')}"
        for place, one in enumerate(best, 1)
    ]
    pictures = _starred([one.picture for one in best if one.picture is not None])
    below = text(lines(*listed, disclosed_words(disclosure)))
    return Panel(text(lines(f"### {STAR} {title}", count)), *pictures, below)


def ask_maker(job: Job, link: str, server: str, channel_id: int, catalog: Catalog) -> Panel:
    """Return the question whether results of the member may be shown in the channel for the best."""
    title = _("Members of {server} starred your result", server=plain(server, 100))
    question = _(
        "Starred results are shown in {channel}, with their maker's name. Can I show yours? It's your "
        "[{tool}]({link}).",
        channel=f"<#{channel_id}>",
        tool=catalog.title(job.tool),
        link=link,
    )
    promise = _(
        "Nothing of yours is shown unless you say yes. Your answer applies in every server with this bot, "
        "and you can change it with `/settings`."
    )
    return boxed(
        NEUTRAL,
        f"### {STAR} {title}",
        question,
        small(promise),
        row(
            best_answer.looking(label=_("Show my results"), style=discord.ButtonStyle.primary).of("yes"),
            best_answer.looking(label=_("Don't show them")).of("no"),
        ),
    )
