"""Answer what starts a job: with its progress, or with the question before it and its price."""

import logging
from collections.abc import Sequence
from typing import Annotated

import discord

from bot.credits.prices import Estimate, short_price
from bot.errors import Refused
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, WhyAsk, find_open
from bot.jobs.models import Job, Progress
from bot.jobs.progress import subject_of
from bot.languages import gettext as _, lazy, ngettext, plazy
from bot.ui.jobs.wording import ToolNames, prompt_words
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.first_answer import answering
from bot.ui.kit.host import Host, host_of, in_order, in_turn
from bot.ui.kit.layout import GOING, QUIET, Panel, boxed, lines, row, small, text
from bot.ui.kit.responses import acknowledge, answer, may_be_shown
from bot.ui.panels.controls import Press, button
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import ensure_can_post

_log = logging.getLogger(__name__)

ANOTHERS_QUESTION = lazy("This question is for someone else. Use the command or tap the photo yourself.")
QUESTION_OVER = lazy(
    "This question has expired or was answered already. Ask again if you still want it. Nothing was charged."
)
_WHY = {
    WhyAsk.FIRST_TAP: lazy("Your first tap in this server asks first. Your next taps start right away."),
    WhyAsk.PRICE: lazy("This server asks before a job at this price starts."),
    WhyAsk.DEARER: lazy("That's more than the price you saw."),
    WhyAsk.SEEN: lazy(
        "Although it's private, moderators here see this job: they approve the request before it starts."
    ),
    WhyAsk.RESULT_SEEN: lazy(
        "Although it's private, moderators here see this job: they approve the request before it starts, and "
        "look at the result before you get it."
    ),
}


async def show_progress(
    interaction: discord.Interaction, host: Host, jobs: Sequence[Job], *, in_place: bool = False
) -> None:
    """Show the progress of a job, or of a whole set, to its person alone, and keep it up to date.

    With `in_place`, it takes the place of the message whose button was pressed. Raises nothing if it can't
    be shown: the jobs run all the same, and `/jobs` has them.
    """
    from bot.ui.jobs.progress import progress_panel  # it has the buttons that start jobs

    panel, deferral = progress_panel(jobs, ToolNames(host.catalog), Progress()), await answering(interaction)
    shown = None
    try:
        if in_place:
            await interaction.edit_original_response(view=panel)
        else:
            await answer(interaction, panel)
        shown = panel
    except DISCORD_ERRORS as error:
        _log.info("Job %s: its progress may not have been shown: %r", jobs[0].id, error)
        if deferral is not None:
            deferral.give_up()
        elif not may_be_shown(error):
            return
    await host.answers.show(interaction, subject_of(jobs[0]), shown)


def question_panel(question: Confirmation, names: ToolNames) -> Panel:
    """Return the question: by a reply under a photo, or for the person alone."""
    request, price = question.request, question_price(question)
    title = names.title(request.tool)
    run = confirm.looking(label=_("Run · {price}", price=price)).of(question.id)
    if question.under_photo:
        said = _asked_under_photo(question, f"<@{request.user_id}>", title, price)
        return Panel(text(lines(said, small(_WHY[question.why]))), row(run))
    prompt = prompt_words(names.tool(request.tool), request.inputs)
    return boxed(
        GOING,
        lines(f"### {names.emoji(request.tool)} {_asked(question, title, price)}", prompt),
        small(_WHY[question.why]),
        row(run),
    )


def _asked_under_photo(question: Confirmation, member: str, tool: str, price: str) -> str:
    if len(question.requests) == 1:
        return _("{member}, **{tool}** costs {price}. Start it?", member=member, tool=tool, price=price)
    return ngettext(
        "{member}, **{tool}** of {count} photo costs {price}. Start it?",
        "{member}, **{tool}** of {count} photos costs {price}. Start it?",
        len(question.requests),
        member=member,
        tool=tool,
        price=price,
    )


def _asked(question: Confirmation, tool: str, price: str) -> str:
    if len(question.requests) == 1:
        return _("{tool} costs {price}. Start it?", tool=tool, price=price)
    return ngettext(
        "{tool} of {count} photo costs {price}. Start it?",
        "{tool} of {count} photos costs {price}. Start it?",
        len(question.requests),
        tool=tool,
        price=price,
    )


def question_price(question: Confirmation) -> str:
    """Say the price that the person is asked about."""
    return str(short_price(Estimate(question.price, learned=question.learned)))


async def ask_to_confirm(interaction: discord.Interaction, needed: ConfirmationNeeded) -> None:
    """Answer the interaction with the question, for the person alone."""
    if needed.question is None:
        raise needed
    await answer(interaction, question_panel(needed.question, ToolNames(host_of(interaction).catalog)))


@button("confirm:{question_id}", label=plazy("button", "Run"), style=discord.ButtonStyle.primary)
async def confirm(press: Press, question_id: Annotated[str, "[0-9a-f]{16}"]) -> None:
    """Start the job that the person was asked about. Its progress takes the place of the question."""
    interaction, host = press.interaction, press.host
    with in_order(interaction):
        await acknowledge(interaction)
        question = await host.services.db.read(find_open, question_id, host.clock.now())
        if question is None:
            await _take_away(interaction)
            return
        if question.request.user_id != interaction.user.id:
            raise Refused(ANOTHERS_QUESTION)
        ensure_can_post(interaction)
        await in_turn(interaction)
        try:
            jobs = await host.services.acceptance.accept_all(question.confirmed(member_context(interaction)))
        except ConfirmationNeeded as needed:  # dearer by now
            again = needed.question or question
            await interaction.edit_original_response(view=question_panel(again, ToolNames(host.catalog)))
            return
        if not question.under_photo:  # the message of one is removed by now
            await show_progress(interaction, host, jobs, in_place=True)
        for job in jobs:
            photo = job.origin_message_id or (None if job.source is None else job.source.message_id)
            if photo is not None:
                host.photo_used(photo, job)


async def _take_away(interaction: discord.Interaction) -> None:
    """Remove a question that is over, and say so to the presser.

    If the first of two quick presses has removed it, that one shows what it started.
    """
    message = interaction.message
    try:
        if message is not None and message.flags.ephemeral:
            await interaction.edit_original_response(view=boxed(QUIET, QUESTION_OVER))
            return
        await interaction.delete_original_response()
    except discord.NotFound:
        return
    await answer(interaction, boxed(QUIET, QUESTION_OVER))
