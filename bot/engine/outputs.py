"""An output at Studii becomes a file in the spool."""

import asyncio
from pathlib import Path

from bot.catalog import Catalog
from bot.engine.spool import content_type_of, suffix_of
from bot.engine.steps import Tools
from bot.errors import Refused
from bot.media import HEAD_BYTES, sniff
from bot.model import Job, OutputFile
from bot.studii import StudiiError

_WEBM = b"\x1a\x45\xdf\xa3"  # an EBML document, https://www.rfc-editor.org/rfc/rfc8794


class NoPicture(StudiiError):
    """What was fetched is neither a picture nor a video; it is not kept."""

    default = "What Studii gave as the result is neither a picture nor a video."


class Outputs:
    """Fetches outputs."""

    def __init__(self, tools: Tools, catalog: Catalog) -> None:
        self._tools = tools
        self._catalog = catalog

    async def fetch(self, job: Job) -> OutputFile:
        """From the job's output address. Raises `StudiiError` (`OutputGone`, `DownloadFailed`, `TooLarge`,
        `MalformedAnswer`, `NoPicture`), and OSError where it can't be written."""
        spool = self._tools.spool
        path = spool.output(job.id)
        limit = self._tools.tuning.max_output_bytes
        download = await self._tools.studii.download(job.output_url or "", path, limit=limit)
        content_type = content_type_of_output(await asyncio.to_thread(_head, path), download.content_type)
        content_type = content_type or self._expected(job, download.content_type)
        if content_type is None:
            await spool.remove(path.name)
            raise NoPicture(reason=download.content_type)
        kept = spool.output(job.id, suffix_of(content_type) or "")
        await asyncio.to_thread(path.replace, kept)
        return OutputFile(kept, content_type.partition("/")[0], content_type_of(kept), download.size)

    def _expected(self, job: Job, said: str) -> str | None:
        """For bytes that say nothing, of which the storage says nothing either: what the tool makes."""
        if said != "application/octet-stream":
            return None
        kind = job.output_kind
        if kind is None:
            try:
                kind = self._catalog.get(job.tool).output_kind(job.inputs)
            except Refused:
                return None
        return {"image": "image/png", "video": "video/mp4"}.get(kind)


def content_type_of_output(head: bytes, said: str) -> str | None:
    """What a file is by its first bytes, else by what the storage said; None: no picture and no video."""
    picture = sniff(head)
    if picture is not None:
        return picture.content_type
    if head[4:8] == b"ftyp":  # ISO 14496-12, as MP4 is
        return "video/mp4"
    if head.startswith(_WEBM):
        return "video/webm"
    return said if suffix_of(said) is not None else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
