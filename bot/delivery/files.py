"""The files of a posting: what was made, and the photo that it was made from."""

import asyncio
import logging

import discord

from bot.model import Job, OutputFile
from bot.ui.result_buttons import BEFORE_FILE

log = logging.getLogger(__name__)

# What Discord's apps draw in a gallery.
_DRAWN = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
# For what stands around the files in a request.
MARGIN = 64 * 1024  # bytes
_EXTENSIONS = {
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


async def before_with(output: OutputFile, limit: int) -> OutputFile | None:
    """The photo that the output was made from, if it can be shown beside it within `limit` bytes."""
    before = output.before
    if output.kind != "image" or before is None or before.content_type not in _DRAWN:
        return None
    if output.size + before.size + MARGIN > limit:
        return None
    return before if await asyncio.to_thread(before.path.is_file) else None


async def open_files(job: Job, output: OutputFile, before: OutputFile | None = None) -> list[discord.File]:
    """The files to send, to be closed afterwards; none when the output cannot be read."""
    named = {_name(job.tool, job, output): output}
    if before is not None:
        named[_name(BEFORE_FILE, job, before)] = before
    files: list[discord.File] = []
    for name, file in named.items():
        try:
            files.append(await asyncio.to_thread(discord.File, file.path, name))
        except OSError as error:
            log.warning("A file of job %s cannot be read: %s", job.id, error, extra={"job": job.id})
            if file is output:
                break
    return files


def _name(what: str, job: Job, file: OutputFile) -> str:
    kind = file.content_type.partition(";")[0].strip().lower()
    extension = _EXTENSIONS.get(kind, "mp4" if file.kind == "video" else "png")
    # Letters, digits and dashes, as Discord renames everything else and the gallery would not find it.
    return f"{what}-{job.id[:8]}.{extension}"
