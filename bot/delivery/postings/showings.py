"""The files of a posting: what was made, and the photo that it was made from, as large as Discord takes."""

import io
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from bot.delivery.calls import unless_too_large
from bot.delivery.context import DeliveryContext
from bot.features.posting import PostingRules
from bot.jobs.models import Job
from bot.languages import Worded
from bot.media.kinds import DRAWN, suffix_of, usual_type
from bot.media.spool import OutputFile
from bot.ui.jobs.results.gallery import (
    AFTER_SMALLER,
    BEFORE_GONE,
    BEFORE_LEFT_OUT,
    BEFORE_SMALLER,
    SPLIT_LABELS,
)
from bot.ui.kit.uploads import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES, file_of
from bot.ui.reading.photo_lookup import BEFORE_FILE, HALVES_FILE, LABELLED_FILE, SMALLER_BEFORE

_log = logging.getLogger(__name__)


MIN_BEFORE_BYTES = 48 * 1024  # that a photo before is worth being shown with
MAX_SPLIT_BYTES = 2 * 1024 * 1024  # of the picture of both
MAX_LABELLED_BYTES = 6 * 1024 * 1024
STAGING = "virtual-staging"  # the tool whose results may have a labelled copy


@dataclass
class Showing:
    """Files to be posted together, the new one first, and what has to be said of them."""

    files: list[discord.File]
    notes: list[Worded]

    @property
    def names(self) -> list[str]:
        return [file.filename for file in self.files]

    def close(self) -> None:
        for file in self.files:
            file.close()


class Showings:
    """Ways to show a result within `limit` bytes: each is tried when Discord has refused the one before it as
    too large. One that doesn't apply returns None."""

    def __init__(
        self, job: Job, output: OutputFile, limit: int, context: DeliveryContext, rules: PostingRules
    ) -> None:
        self._job = job
        self._output = output
        self._limit = limit
        self._context = context
        self._rules = rules
        self._shown = 0  # files of the last one

    async def sent(self, send: Callable[[Showing], Awaitable[int]]) -> int | None:
        """Send the first of these that Discord doesn't refuse as too large, and close what was opened.

        Return what `send` returns for it, or None if there is none.
        """
        for attempt in (self.whole, self.alone, self.smaller):
            showing = await attempt()
            if showing is None:
                continue
            try:
                sent = await unless_too_large(send(showing))
            finally:
                showing.close()
            if sent is not None:
                return sent
        return None

    async def whole(self) -> Showing | None:
        """Return the files as they were made, with the photo before if there is room for it."""
        if self._output.size > self._limit:
            return None
        made = await self._open(self._output)
        if made is None:
            return None
        room = self._limit - self._output.size - MESSAGE_MARGIN_BYTES
        labelled = await self._labelled(room)
        halves = await self._halves(room - len(labelled or b""))
        before, note = await self._before(room - len(labelled or b"") - len(halves or b""))
        return self._showing(
            [made, self._copy(labelled, LABELLED_FILE), self._copy(halves, HALVES_FILE), before], [note]
        )

    async def alone(self) -> Showing | None:
        """Return the output as it was made, for when Discord refused the two together."""
        if self._shown < 2 or (made := await self._open(self._output)) is None:
            return None
        return self._showing([made], [BEFORE_LEFT_OUT])

    async def smaller(self) -> Showing | None:
        """Make a picture that is too large smaller; the photo before too, if it is in the way."""
        output, limit = self._output, self._limit
        if output.kind != "image":
            return None
        if self._shown:
            limit = min(limit, DEFAULT_LIMIT)  # the server takes less than we thought
        share = min(output.before.size, limit // 4) if output.before is not None else 0
        most = min(limit - share - MESSAGE_MARGIN_BYTES, output.size - 1)
        data = await self._context.drawing.fit(output.path, most, made=True)
        if data is None:
            return None
        name = f"{self._job.tool}-{self._job.id[:8]}.jpg"
        before, note = await self._before(0 if self._shown else limit - len(data) - MESSAGE_MARGIN_BYTES)
        return self._showing([discord.File(io.BytesIO(data), name), before], [AFTER_SMALLER, note])

    def _showing(self, files: list[discord.File | None], notes: list[Worded]) -> Showing:
        showing = Showing([file for file in files if file is not None], [note for note in notes if note])
        self._shown = len(showing.files)
        return showing

    async def _before(self, room: int) -> tuple[discord.File | None, Worded]:
        """Return the photo that a picture was made from within `room` bytes, and what to say of it."""
        before = self._output.before
        if self._output.kind != "image" or self._job.source is None:
            return None, ""
        if before is None:
            return None, BEFORE_GONE
        if before.content_type in DRAWN and before.size <= room:
            file = await self._open(before, BEFORE_FILE)
            return file, "" if file is not None else BEFORE_GONE
        data = await self._context.drawing.fit(before.path, room) if room >= MIN_BEFORE_BYTES else None
        if data is None:
            return None, BEFORE_LEFT_OUT
        name = f"{SMALLER_BEFORE}-{self._job.id[:8]}.jpg"
        return discord.File(io.BytesIO(data), name), BEFORE_SMALLER if before.size > room else ""

    async def _labelled(self, room: int) -> bytes | None:
        """Return the copy of a staged picture that says so, if one is wanted."""
        rules = self._rules
        wanted = rules.staging_label and self._job.tool == STAGING and self._output.kind == "image"
        if not wanted or room < MIN_BEFORE_BYTES:
            return None
        most = min(room, MAX_LABELLED_BYTES)
        words, corner = rules.staging_label, rules.staging_corner
        return await self._context.drawing.label(self._output.path, most, words, corner)

    async def _halves(self, room: int) -> bytes | None:
        """Return the picture that is half before and half after, if one is wanted."""
        before, wanted = self._output.before, self._rules.splits and self._output.kind == "image"
        if not wanted or before is None or room < MIN_BEFORE_BYTES:
            return None
        left, right = map(str, SPLIT_LABELS)
        most = min(room, MAX_SPLIT_BYTES)
        return await self._context.drawing.split(before.path, self._output.path, most, (left, right))

    def _copy(self, data: bytes | None, what: str) -> discord.File | None:
        return None if data is None else discord.File(io.BytesIO(data), f"{what}-{self._job.id[:8]}.jpg")

    async def _open(self, file: OutputFile, what: str | None = None) -> discord.File | None:
        """Open the file, which the caller closes. None if it can't be read."""
        name = _name(what or self._job.tool, self._job, file)
        try:
            return await file_of(file, name)
        except OSError as error:
            _log.warning("A file of job %s cannot be read: %s", self._job.id, error)
            return None


def _name(what: str, job: Job, file: OutputFile) -> str:
    kind = file.content_type.partition(";")[0].strip().lower()
    suffix = suffix_of(kind) or suffix_of(usual_type(file.kind))
    # Letters, digits and dashes, as Discord renames everything else and the gallery would not find it.
    return f"{what}-{job.id[:8]}{suffix}"
