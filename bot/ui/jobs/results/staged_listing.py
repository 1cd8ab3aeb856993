"""Word what a listing with a staged picture says: that it was altered, and where the original photo is."""

from typing import Any

from discord import ui

from bot.errors import Refused
from bot.features.posting import of as rules_of
from bot.jobs import queries
from bot.jobs.best_results import result_of
from bot.jobs.models import Job
from bot.languages import gettext as _, lazy, pgettext, plazy
from bot.ui.jobs.buttons import Id
from bot.ui.kit.host import Host
from bot.ui.kit.layout import NEUTRAL, boxed, lines, row, small
from bot.ui.kit.responses import answer
from bot.ui.kit.text import shortened
from bot.ui.panels.controls import Press, button
from bot.ui.reading.permissions import server_of
from bot.ui.reading.photo_lookup import is_before, is_smaller, shown_before

NO_ORIGINAL = lazy(
    "This message doesn't show the original photo. Run the tool again on the photo. Nothing was charged."
)
NOT_UNALTERED = lazy(
    "The photo before is itself a result, so it isn't unaltered. Run the tool on the original photo. "
    "Nothing was charged."
)
# As listings name it; see California's Business and Professions Code, section 10140.8.
# Translators: the label is the server's own, usually “Virtually staged”; the link is “[your link]”.
WORDS = lazy("{label}: this image has been digitally altered with AI. Original, unaltered image: {link}")
YOUR_LINK = lazy("your link")
USUAL_LABEL = lazy("Virtually staged")
AS_SENT = lazy("The button opens the photo as it was sent, without its metadata.")
SMALLER = lazy(
    "The button opens the photo smaller than it was sent (re-encoded), because Discord has a size limit here."
)
# Translators: {link} is “[your link]”.
REPLACE = lazy("Put the original photo where everyone can open it, and write its address in place of {link}.")
NO_ADVICE = lazy("This isn't legal advice: the rules of your country or listing service may ask for more.")


@button("staged:{job_id}-{posting}", label=plazy("button", "For a listing"))
async def staged(press: Press, job_id: Id, posting: int) -> None:
    """Show the presser what to write beside the picture in a listing."""
    before = shown_before(press.interaction.message)
    if before is None:
        raise Refused(NO_ORIGINAL)
    job = await press.host.services.db.read(queries.get, job_id)
    if job is not None and await _is_of_a_result(job, press.host):
        raise Refused(NOT_UNALTERED)
    rules = await press.host.services.db.read(rules_of, server_of(press.interaction))
    label = shortened(rules.staging_label or str(USUAL_LABEL), 80)
    link = f"[{YOUR_LINK}]"
    words = WORDS.using(label=label.replace("`", "'"), link=link)
    shown = SMALLER if is_smaller(before) else AS_SENT
    download = ui.Button[Any](label=pgettext("button", "Download original photo"), url=before.url)
    panel = boxed(
        NEUTRAL,
        lines(f"### 🏷️ {_('For a listing')}", _("Copy this, and put it beside the staged picture:")),
        f"```\n{words}\n```",
        row(download),
        lines(REPLACE.using(link=link), *map(small, (shown, NO_ADVICE))),
    )
    await answer(press.interaction, panel)


async def _is_of_a_result(job: Job, host: Host) -> bool:
    """Return whether the job's photo is a picture that another job made, not the photo beside it."""
    source = job.source
    if source is None or source.message_id is None or is_before(source):
        return False
    return await host.services.db.read(result_of, job.guild_id, source.message_id) is not None
