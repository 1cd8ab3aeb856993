"""Download outputs of Studii into the spool, and check what they are."""

import logging
from collections.abc import Callable
from pathlib import Path

from bot.aio.shield import shielded
from bot.catalog import Catalog
from bot.engine.context import EngineContext
from bot.engine.workers.counted_decoder import CountedDecoder, Undecodable
from bot.engine.workers.spool_room import SpoolRoom
from bot.errors import StudiiBotError
from bot.jobs.models import Job
from bot.media import sniff
from bot.media.kinds import UNKNOWN_TYPE, content_type_of, sniffed_type, suffix_of, usual_type
from bot.media.photo import PictureBroken
from bot.media.spool import OutputFile
from bot.reasons import ReasonCode
from bot.studii import Download, DownloadFailed, StudiiError, TooLarge

_log = logging.getLogger(__name__)


class NoPicture(StudiiError):
    """The fetched file is neither a picture nor a video; it is not kept."""

    code = ReasonCode.OUTPUT_NO_PICTURE


class BrokenPicture(DownloadFailed):
    """The fetched file is no whole picture, though its length may be right; fetched again it may be."""


class SpoolFull(StudiiBotError):
    """There is no room for the output at the moment."""


class Outputs:
    """Fetches outputs. A picture is decoded before it counts as fetched."""

    def __init__(
        self, context: EngineContext, catalog: Catalog, room: SpoolRoom, decoder: CountedDecoder
    ) -> None:
        self._context = context
        self._catalog = catalog
        self._room = room
        self._decoder = decoder

    async def fetch(self, job: Job) -> OutputFile:
        """Fetch the file at the job's output address.

        Raises `StudiiError` (`OutputGone`, `DownloadFailed`, `TooLarge`, `MalformedAnswer`, `NoPicture`),
        `SpoolFull`, and OSError where it can't be written.
        """
        spool = self._context.spool
        path = kept = spool.output(job.id)

        def kept_as(download: Download) -> Path:
            nonlocal kept
            kept = spool.output(job.id, suffix_of(self._content_type(job, download)) or "")
            return kept

        try:
            try:
                download = await self._download(job, path, kept_as)
            except FileNotFoundError:  # the folder was removed
                await spool.make()
                download = await self._download(job, path, kept_as)
            content_type = content_type_of(kept)
            if content_type.startswith("image/"):
                await self._check(job, kept)
            spool.settle_at(kept, download.size)
        except BaseException:
            await shielded(spool.remove(path.name, kept.name))
            raise
        return OutputFile(kept, content_type.partition("/")[0], content_type, download.size)

    async def _download(self, job: Job, path: Path, kept_as: Callable[[Download], Path]) -> Download:
        most = self._context.tuning.max_output_bytes
        granted: int | None = None  # if its size is not known

        async def room(length: int | None) -> int:
            nonlocal granted
            if length is None:
                granted = await self._room.for_unknown_output(job, most)
                return granted
            if length > self._context.spool.max_bytes:
                raise TooLarge(self._context.spool.max_bytes)
            if not await self._room.for_output(job, length):
                raise SpoolFull
            return most

        try:
            return await self._context.studii.download(
                job.output_url or "", path, limit=most, room=room, kept_as=kept_as
            )
        except TooLarge:
            if granted is not None and granted < min(most, self._context.spool.max_bytes):
                raise SpoolFull from None  # there may be more room later
            raise

    def _content_type(self, job: Job, download: Download) -> str:
        """Return what the file is, by its first bytes. Raises `NoPicture` and `BrokenPicture`."""
        content_type = sniffed_type(download.head) or self._said(job, download.content_type)
        if content_type is None:
            raise NoPicture(reason=download.content_type)
        if content_type.startswith("image/") and sniff(download.head) is None:
            raise BrokenPicture(reason=f"it is not {content_type}")
        return content_type

    async def _check(self, job: Job, path: Path) -> None:
        """See that a picture is whole, as far as can be seen. Raises `BrokenPicture`."""
        try:
            await self._decoder.check(path)
        except PictureBroken:
            raise BrokenPicture(reason="it can't be decoded") from None
        except Undecodable:
            # It was paid for, and may well be whole: it is posted as it is, and never opened again.
            _log.warning("Job %s: its output can't be checked", job.id)

    def _said(self, job: Job, said: str) -> str | None:
        """Return the kind that the storage says, or that the tool makes, where the bytes don't tell it.

        None if that is neither a picture nor a video.
        """
        if said != UNKNOWN_TYPE:
            return said if suffix_of(said) is not None else None
        kind, tool = job.output_kind, self._catalog.tools.get(job.tool)
        if kind is None and tool is not None:
            kind = tool.output_kind(job.inputs)
        return None if kind is None else usual_type(kind)
