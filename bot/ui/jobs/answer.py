"""Answer an interaction with the progress of the job that it has started."""

import logging
from collections.abc import Sequence

import discord

from bot.jobs.models import Job, Progress
from bot.jobs.progress import subject_of
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.first_answer import answering
from bot.ui.kit.host import Host
from bot.ui.kit.responses import answer, may_be_shown

_log = logging.getLogger(__name__)


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
