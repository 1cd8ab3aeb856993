"""What styles look like: the last public result of each, as small pictures."""

import io
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import discord
from discord import ui

from bot.catalog import Catalog, Tool
from bot.errors import DatabaseFailed
from bot.features.styles import Style, made_with, misfit
from bot.jobs import thumbnails
from bot.jobs.models import Job
from bot.languages import gettext as _
from bot.posts import MAX_FILES_IN_MESSAGE
from bot.ui.kit.answers import host_of
from bot.ui.reading.permissions import may_read, server_of
from bot.ui.reading.pictures import small_pictures


class Look(NamedTuple):
    """A saved style, or one of a tool's own: its name, and what a job with it is given."""

    name: str
    tool: Tool
    inputs: Mapping[str, str]


def looks_of(styles: Iterable[Style], catalog: Catalog) -> dict[str, Look]:
    """Return the looks of saved styles by id, without those that fit no more."""
    fit = [one for one in styles if not misfit(catalog, one)]
    return {one.id: Look(one.name, catalog.get(one.tool), one.inputs) for one in fit}


async def last_results(
    interaction: discord.Interaction, looks: Mapping[str, Look]
) -> tuple[dict[str, ui.Thumbnail[Any]], list[discord.File]]:
    """Return small pictures of the newest public results with these looks that the person may see here, by
    the looks' keys, for as many as a message has room for; and the files that they show.

    Jobs don't know their style: a result is one of every style whose inputs it has. While the database fails,
    there are none.
    """
    if not looks:
        return {}, []
    host, guild_id = host_of(interaction), server_of(interaction)
    db, tools = host.resources.db, sorted({look.tool.slug for look in looks.values()})
    try:
        jobs = await db.read(thumbnails.public, guild_id, tools, host.clock.now())
        found = ((key, _newest(interaction, look, jobs)) for key, look in looks.items())
        newest = dict(islice(((key, job) for key, job in found if job is not None), MAX_FILES_IN_MESSAGE))
        posted, data = await small_pictures(interaction.client, db, [*newest.values()])
    except DatabaseFailed:
        return {}, []
    pictures, files = dict[str, ui.Thumbnail[Any]](), list[discord.File]()
    for key, job in newest.items():
        if job.id in data:
            name = f"style-{len(files)}.webp"
            files.append(discord.File(io.BytesIO(data[job.id]), name))
            alt = _("A result of the style {name}", name=looks[key].name)
            pictures[key] = ui.Thumbnail(f"attachment://{name}", description=alt, spoiler=posted.hides(job))
    return pictures, files


def _newest(interaction: discord.Interaction, look: Look, jobs: Iterable[Job]) -> Job | None:
    fits = made_with(look.tool, look.inputs)
    made = (job for job in jobs if job.tool == look.tool.slug and fits(job.inputs))
    return next((job for job in made if may_read(interaction, job)), None)
