"""The files of a result: what was made, and the photo that it was made from, as large as Discord takes."""

import io
import logging
from dataclasses import dataclass, field
from pathlib import Path

import discord

from bot.engine.results import MIN_BEFORE_BYTES, STAGING
from bot.features.posting import PostingRules
from bot.jobs.models import Job
from bot.jobs.results import Part
from bot.languages import Worded
from bot.media.kinds import DRAWN, suffix_of, usual_type
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.ui.jobs.results.gallery import (
    AFTER_SMALLER,
    BEFORE_GONE,
    BEFORE_LEFT_OUT,
    BEFORE_SMALLER,
    SPLIT_LABELS,
)
from bot.ui.kit.uploads import file_of
from bot.ui.reading.photo_lookup import BEFORE_FILE, HALVES_FILE, LABELLED_FILE, SMALLER_BEFORE, SMALLER_FILE

_log = logging.getLogger(__name__)

MAX_SPLIT_BYTES = 2 * 1024 * 1024  # of the picture of both
MAX_LABELLED_BYTES = 6 * 1024 * 1024


@dataclass
class Pictures:
    """Files to be posted together, the new one first, and what has to be said of them."""

    files: list[discord.File] = field(default_factory=list[discord.File])
    notes: list[Worded] = field(default_factory=list[Worded])

    @property
    def names(self) -> list[str]:
        return [file.filename for file in self.files]

    def add(self, file: discord.File | None, note: Worded = "") -> None:
        """Add a file, if there is one, and what is to be said of it."""
        self.files += [] if file is None else [file]
        self.notes += [note] if note else []


async def pictures_of(part: Part, room: int, drawing: Drawing, rules: PostingRules) -> Pictures | None:
    """Return what shows the part's output in at most `room` bytes, or None if nothing does.

    A picture that is too large is made smaller. What is shown beside it has what it leaves.
    """
    job, output = part.job, part.output
    if output is None:
        return None
    pictures = Pictures()
    if output.size <= room:
        pictures.add(await _open(output, _name(job.tool, job, output)))
        room -= output.size
    elif output.kind == "image" and room >= MIN_BEFORE_BYTES:
        share = 0 if output.before is None else min(output.before.size, room // 4)
        data = await drawing.fit(output.path, room - share, made=True)
        if data is not None:
            pictures.add(_drawn(data, f"{SMALLER_FILE}{job.tool}", job), AFTER_SMALLER)
            room -= len(data)
    if not pictures.files:
        return None
    if output.kind == "image" and room >= MIN_BEFORE_BYTES:
        for data, what in await _copies(job, output, room, drawing, rules):
            pictures.add(_drawn(data, what, job))
            room -= len(data)
    if output.kind == "image" and job.source is not None:
        pictures.add(*await _before(job, output.before, room, drawing))
    return pictures


async def _copies(
    job: Job, output: OutputFile, room: int, drawing: Drawing, rules: PostingRules
) -> list[tuple[bytes, str]]:
    """Return what the server wants beside a picture: a copy with a label, and a half of both pictures."""
    made: list[tuple[bytes, str]] = []
    if rules.staging_label and job.tool == STAGING:
        label = rules.staging_label, rules.staging_corner
        labelled = await drawing.label(output.path, min(room, MAX_LABELLED_BYTES), *label)
        made += [] if labelled is None else [(labelled, LABELLED_FILE)]
        room -= len(labelled or b"")
    if rules.splits and output.before is not None and room >= MIN_BEFORE_BYTES:
        left, right = map(str, SPLIT_LABELS)
        most = min(room, MAX_SPLIT_BYTES)
        halves = await drawing.split(output.before.path, output.path, most, (left, right))
        made += [] if halves is None else [(halves, HALVES_FILE)]
    return made


async def _before(
    job: Job, before: OutputFile | None, room: int, drawing: Drawing
) -> tuple[discord.File | None, Worded]:
    """Return the photo that a picture was made from within `room` bytes, and what to say of it."""
    if before is None:
        return None, BEFORE_GONE
    if before.content_type in DRAWN and before.size <= room:
        file = await _open(before, _name(BEFORE_FILE, job, before))
        return file, "" if file is not None else BEFORE_GONE
    data = await drawing.fit(before.path, room) if room >= MIN_BEFORE_BYTES else None
    if data is None:
        return None, BEFORE_LEFT_OUT
    return _drawn(data, SMALLER_BEFORE, job), BEFORE_SMALLER if before.size > room else ""


async def _open(file: OutputFile, name: str) -> discord.File | None:
    """Open the file, which the caller closes. None if it can't be read."""
    try:
        return await file_of(file, name)
    except OSError as error:
        _log.warning("%s can't be read: %s", Path(file.path).name, error)
        return None


def _drawn(data: bytes, what: str, job: Job) -> discord.File:
    return discord.File(io.BytesIO(data), f"{what}-{job.id[:8]}.jpg")


def _name(what: str, job: Job, file: OutputFile) -> str:
    kind = file.content_type.partition(";")[0].strip().lower()
    suffix = suffix_of(kind) or suffix_of(usual_type(file.kind))
    # Letters, digits and dashes, as Discord renames everything else and the gallery would not find it.
    return f"{what}-{job.id[:8]}{suffix}"
