"""A starred result in the channel for the best, and the question to its maker."""

from collections.abc import Sequence

import discord
from discord import MediaGalleryItem, ui

from bot.features.posting import PostingRules
from bot.jobs.best_results import STAR
from bot.jobs.models import Job
from bot.languages import gettext as _, lazy
from bot.ui.best_results.buttons import answer_button
from bot.ui.jobs.results.result import disclosed_words
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import NEUTRAL, Panel, Piece, boxed, row, small, text
from bot.ui.kit.text import plain

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
        row(answer_button(agreed=True), answer_button(agreed=False)),
    )
