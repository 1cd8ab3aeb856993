"""Tell a person that a job has no result: that it failed, was cancelled, or has an unknown outcome."""

from bot.jobs.models import FailureCode, Job, JobState, Progress
from bot.languages import gettext as _, lazy
from bot.ui.jobs.progress import CHARGED_AGAIN, may_be_charged_again
from bot.ui.jobs.results.buttons import DeleteButton
from bot.ui.jobs.results.links import link_words
from bot.ui.jobs.results.parts import details_words
from bot.ui.jobs.wording import ToolNames, state_words
from bot.ui.kit.layout import Panel, lines, row, server_line, small, text

# Their first line mentions the member, as a result's does; `bot.ui.jobs.results.buttons` reads it there.
_FAILED = "❌", lazy("{member}, your **{tool}** job failed.")
_NOT_APPROVED_ENDING = "🚫", lazy("{member}, your **{tool}** request wasn't approved.")
_ENDINGS = {
    JobState.UNKNOWN: ("❔", lazy("{member}, your **{tool}** job has an unknown outcome.")),
    JobState.CANCELLED: ("🚫", lazy("{member}, your **{tool}** job was cancelled.")),
    JobState.WITHHELD: ("🚫", lazy("{member}, your **{tool}** result isn't posted.")),
}


def ending(job: Job, names: ToolNames, server: str) -> Panel:
    """Return for its person that the job failed, was cancelled, or has an unknown outcome; and what it cost.

    `server` is where it was asked for.
    """
    failed = _NOT_APPROVED_ENDING if job.not_approved else _FAILED
    sign, words = _ENDINGS.get(job.state, failed)
    head = f"{sign} {words.using(member=f'<@{job.user_id}>', tool=names.title(job.tool))}"
    why = "" if job.state is JobState.CANCELLED else state_words(job, Progress())
    there = link_words(job) if job.failure is FailureCode.OUTPUT and job.output_url is not None else ""
    details = details_words(job, names, prompt=not there)  # a link may be long
    again = small(CHARGED_AGAIN) if may_be_charged_again(job) else ""
    said = lines(head, why, there, details, again, server_line(server))
    return Panel(text(said), row(DeleteButton.of(job)))


def ended_without_result(user_id: int) -> Panel:
    """Return the line in a channel for a member whose direct messages are closed: nothing of what, or why."""
    said = _("{member}, one of your jobs ended without a result. See `/jobs`.", member=f"<@{user_id}>")
    return Panel(text(said))
