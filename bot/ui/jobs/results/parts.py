"""Word what results and endings have in common: what was asked for, and why they come by DM."""

from bot.features.posting import MAX_DISCLOSURE_CHARACTERS
from bot.jobs.models import Job
from bot.languages import gettext as _
from bot.ui.jobs.wording import ToolNames, cost_words, prompt_words, settings_words
from bot.ui.kit.layout import lines, small
from bot.ui.kit.text import plain


def disclosed_words(words: str) -> str:
    """Return the line that says that the result was made with AI, in the server's words."""
    return small(f"✨ {plain(words, MAX_DISCLOSURE_CHARACTERS)}") if words else ""


def why_here(job: Job, *, by_dm: bool) -> str:
    """Return why the result comes by DM, if it was not private."""
    told = by_dm and not job.private
    if not told:
        return ""
    channel = f"<#{job.channel_id}>"
    return small(_("I can't post in {channel} any more, so I sent it to you here.", channel=channel))


def details_words(job: Job, names: ToolNames, *, title: str = "", prompt: bool = True) -> str:
    """Return the title if there is one, the inputs, the cost, and the prompt if it is to be told."""
    tool = names.tool(job.tool)
    parts = [part for part in (title, settings_words(tool, job.inputs), cost_words(job)) if part]
    return lines(small(" · ".join(parts)), prompt_words(tool, job.inputs) if prompt else "")
