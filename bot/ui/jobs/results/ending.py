"""Build what a job posts that has no result: that it failed, was cancelled, or has an unknown outcome."""

from bot.catalog import Tool
from bot.jobs.models import FailureCode, Job, JobState, Progress
from bot.languages import lazy
from bot.ui.jobs.card import can_be_edited, edit_button
from bot.ui.jobs.results.buttons import AgainButton, DeleteButton
from bot.ui.jobs.results.links import link_words
from bot.ui.jobs.results.parts import details_words, why_here
from bot.ui.jobs.results.unknown_outcomes import RULING_BUTTONS
from bot.ui.jobs.wording import ToolNames, state_words
from bot.ui.kit.layout import Panel, Piece, lines, row, small, text

CHARGED_AGAIN = lazy("Running it again may be charged again.")
# After these, the same request may succeed.
_MAY_WORK_LATER = frozenset(FailureCode) - {FailureCode.INPUTS, FailureCode.PLAN, FailureCode.PHOTO}
_MAY_BE_ITS_INPUTS = frozenset({FailureCode.STUDII, FailureCode.DECLINED})
# Their first line mentions the member, as a result's does; `bot.ui.jobs.results.buttons` reads it there.
_FAILED = "❌", lazy("{member}, your **{tool}** job failed.")
_NOT_APPROVED_ENDING = "🚫", lazy("{member}, your **{tool}** request wasn't approved.")
_ENDINGS = {
    JobState.UNKNOWN: ("❔", lazy("{member}, your **{tool}** job has an unknown outcome.")),
    JobState.CANCELLED: ("🚫", lazy("{member}, your **{tool}** job was cancelled.")),
    JobState.WITHHELD: ("🚫", lazy("{member}, your **{tool}** result isn't posted.")),
}


def ending(job: Job, names: ToolNames, *, by_dm: bool = False) -> Panel:
    """Return that the job failed, was cancelled, or has an unknown outcome; and what it cost."""
    failed = _NOT_APPROVED_ENDING if job.not_approved else _FAILED
    sign, words = _ENDINGS.get(job.state, failed)
    head = f"{sign} {words.using(member=f'<@{job.user_id}>', tool=names.title(job.tool))}"
    why = "" if job.state is JobState.CANCELLED else state_words(job, Progress())
    there = link_words(job) if job.failure is FailureCode.OUTPUT and job.output_url is not None else ""
    buttons: list[Piece] = [] if by_dm else _another_try(job, names.tool(job.tool))
    if job.state is JobState.UNKNOWN and not by_dm:
        # No Delete: admins may have no other place to settle it.
        buttons += [button.of(job) for button in RULING_BUTTONS]
    else:
        buttons.append(DeleteButton.of(job))
    details = details_words(job, names, prompt=not there)  # a link may be long
    again = small(CHARGED_AGAIN) if _may_be_charged_again(job) else ""
    said = lines(head, why, there, details, again, why_here(job, by_dm=by_dm))
    return Panel(text(said), row(*buttons))


def _may_be_charged_again(job: Job) -> bool:
    paid_for = job.state is JobState.WITHHELD or job.failure is FailureCode.STUDII
    return job.state in {JobState.FAILED, JobState.WITHHELD} and paid_for and job.settled > 0


def _another_try(job: Job, tool: Tool | None) -> list[Piece]:
    if can_be_edited(job):
        return [edit_button(job)]
    if job.failure not in _MAY_WORK_LATER:
        return []
    has_inputs = tool is not None and bool(tool.inputs)
    # It may be the prompt that Studii or a moderator refused: another one may pass.
    edit = [edit_button(job)] if has_inputs and job.failure in _MAY_BE_ITS_INPUTS else []
    return [*edit, AgainButton.of(job)]
