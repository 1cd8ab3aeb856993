"""Starred results: how they are shown, and the question to their makers."""

from collections.abc import Sequence
from typing import Literal

import discord
from discord import MediaGalleryItem, ui

from bot.features.posting import PostingRules
from bot.jobs.best_results import STAR, answer as answer_for_best
from bot.jobs.models import Job
from bot.languages import gettext as _, lazy
from bot.ui.jobs.results.result import disclosed_words
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, Piece, boxed, row, small, text
from bot.ui.kit.responses import acknowledge
from bot.ui.kit.text import plain
from bot.ui.panels.controls import Press, button

STARS_AGREED = lazy(
    "Your starred results are shown from now on, with your name. Change it anytime with `/settings`."
)
REFUSED = lazy(
    "Your results aren't shown, and those that were are removed. Change it anytime with `/settings`."
)


@button("best:{wish}")
async def best_answer(press: Press, wish: Literal["yes", "no"]) -> None:
    """Let the presser's results be shown, or not, in every server. What was chosen takes the question's
    place."""
    await acknowledge(press.interaction)
    user_id, now, agreed = press.interaction.user.id, press.host.clock.now(), wish == "yes"
    await press.host.services.db.write(answer_for_best, user_id, now, agreed=agreed)
    said = str(STARS_AGREED if agreed else REFUSED)
    await press.interaction.edit_original_response(view=boxed(GOOD if agreed else NEUTRAL, said))


_DESCRIPTION = lazy("A result that members have starred")


def best_panel(
    job: Job,
    link: str,
    names: ToolNames,
    rules: PostingRules,
    files: Sequence[tuple[discord.File, MediaGalleryItem]],
) -> Panel:
    """Return the result with its maker's name and the link to it. Its files have to be sent along.

    What was behind a spoiler stays there, and the server's disclosure is said here too.
    """
    made_by = _("**{tool}** by {member}", tool=names.title(job.tool), member=f"<@{job.user_id}>")
    media = [
        MediaGalleryItem(
            f"attachment://{file.filename}",
            description=was.description or str(_DESCRIPTION),
            spoiler=was.spoiler,
        )
        for file, was in files
    ]
    gallery: list[Piece] = [ui.MediaGallery(*media)] if media else []
    disclosed = disclosed_words(rules.disclosure_words)
    said = [text(disclosed)] if disclosed else []
    see = row(ui.Button(label=_("Jump to post"), url=link))
    return Panel(text(f"{STAR} {made_by}"), *gallery, *said, see)


def ask_maker(job: Job, link: str, server: str, channel_id: int, names: ToolNames) -> Panel:
    """Return the question whether results of the member may be shown in the channel for the best."""
    title = _("Members of {server} starred your result", server=plain(server, 100))
    question = _(
        "Starred results are shown in {channel}, with their maker's name. Can I show yours? It's your "
        "[{tool}]({link}).",
        channel=f"<#{channel_id}>",
        tool=names.title(job.tool),
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
