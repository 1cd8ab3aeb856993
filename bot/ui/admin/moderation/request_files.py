"""The files that moderators are shown of what they decide on, opened, and hidden behind spoilers."""

import io
import logging
from dataclasses import dataclass, field

import discord
from discord import ui

from bot.jobs.results import ForModerators
from bot.media.kinds import DRAWN, suffix_of
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.ui.kit.layout import Piece
from bot.ui.kit.uploads import file_of

_log = logging.getLogger(__name__)

MIN_SHOWN_BYTES = 16 * 1024  # a picture in fewer shows nothing
RESULT_SHARE = 0.75  # of the room, where a photo is shown beside the result


@dataclass
class OpenedFiles:
    """Files to be sent with a message."""

    photos: list[discord.File] = field(default_factory=list[discord.File])
    result: discord.File | None = None

    @property
    def all(self) -> list[discord.File]:
        return [*([] if self.result is None else [self.result]), *self.photos]

    def gallery(self) -> list[Piece]:
        """Return the files, each hidden until it is clicked; nothing if there are none."""
        items = [discord.MediaGalleryItem(f"attachment://{file.filename}", spoiler=True) for file in self.all]
        return [ui.MediaGallery(*items)] if items else []

    def close(self) -> None:
        for file in self.all:
            file.close()


async def open_files(shown: ForModerators, room: int, drawing: Drawing | None = None) -> OpenedFiles:
    """Open what can be shown in `room` bytes together; pictures are made smaller if `drawing` can."""
    opened = OpenedFiles()
    if shown.result is not None:
        most = int(room * RESULT_SHARE) if shown.photos else room
        opened.result = await _open(shown.result, "result", most, drawing, made=True)
        room -= 0 if opened.result is None else most
    for number, photo in enumerate(shown.photos, 1):
        name = "photo" if len(shown.photos) == 1 else f"photo-{number}"
        file = await _open(photo, name, room // len(shown.photos), drawing)
        opened.photos += [] if file is None else [file]
    return opened


async def _open(
    file: OutputFile, name: str, most: int, drawing: Drawing | None, *, made: bool = False
) -> discord.File | None:
    """Open the file, which the caller closes. None if it can't be shown in `most` bytes."""
    drawn = file.kind != "image" or file.content_type in DRAWN
    try:
        if drawn and file.size <= most:
            return await file_of(file, f"{name}{suffix_of(file.content_type) or ''}")
        if file.kind != "image" or drawing is None or most < MIN_SHOWN_BYTES:
            return None
        data = await drawing.fit(file.path, most, made=made)
    except OSError as error:
        _log.warning("%s can't be shown to moderators: %s", file.path.name, error)
        return None
    return None if data is None else discord.File(io.BytesIO(data), f"{name}.jpg")
