"""From Studii's output address to a file in the spool: then the job has succeeded."""

import asyncio
import logging
from pathlib import Path

from bot.catalog import Catalog
from bot.engine.crew import Crew
from bot.engine.endings import charge_of, fail_paid, succeed
from bot.engine.loops import untorn
from bot.engine.pulse import TRANSFER_PATIENCE
from bot.engine.spool import suffix_of
from bot.engine.steps import Tools, backoff
from bot.errors import Refused
from bot.media import HEAD_BYTES, sniff
from bot.model import FailureCode, Job
from bot.studii import Download, DownloadFailed, MalformedAnswer, OutputGone, TooLarge

_log = logging.getLogger(__name__)

FULL_DISK_PAUSE = 30.0  # seconds
NO_PICTURE = "What Studii gave as the result is neither a picture nor a video."
UNFORESEEN = "The result is ready, but fetching it failed for a reason that nobody foresaw."
_WEBM = b"\x1a\x45\xdf\xa3"  # an EBML document, https://www.rfc-editor.org/rfc/rfc8794


class Collector:
    """Downloads outputs."""

    def __init__(self, tools: Tools, catalog: Catalog) -> None:
        self._tools = tools
        self._catalog = catalog
        self._gone_once: set[str] = set()
        self.crew = Crew(
            "fetching outputs",
            self._find,
            self._collect,
            self._give_up,
            size=tools.tuning.downloads_at_once,
            clock=tools.clock,
            pulse=tools.pulse,
            patience=TRANSFER_PATIENCE,
            look_around=tools.tuning.look_around,
        )

    async def _find(self, limit: int) -> list[Job]:
        async with self._tools.storage.read() as tx:
            return await tx.jobs.to_download(limit)

    async def _collect(self, job: Job, tries: int) -> float | None:
        tuning = self._tools.tuning
        if not await self._tools.spool.room_for_output():
            _log.warning("Job %s: the spool is full, its output waits", job.id, extra={"job": job.id})
            return FULL_DISK_PAUSE
        path = self._tools.spool.output(job.id)
        limit = tuning.max_output_bytes
        try:
            download = await self._tools.studii.download(job.output_url or "", path, limit=limit)
        except OutputGone as error:
            return await untorn(self._gone(job, str(error)))
        except TooLarge as error:
            return await untorn(self._fail(job, str(error)))
        except (DownloadFailed, MalformedAnswer) as error:
            _log.info("Job %s: its output met %s", job.id, error.reason, extra={"job": job.id})
            if tries + 1 >= tuning.download_tries:
                return await untorn(self._fail(job, str(error)))
            return backoff(tries + 1, tuning.download_pause, tuning.backoff_bound)
        except OSError as error:
            _log.warning("Job %s: its output can't be written: %s", job.id, error, extra={"job": job.id})
            return FULL_DISK_PAUSE
        return await self._keep(job, path, download)

    async def _give_up(self, job: Job) -> None:
        await untorn(self._fail(job, UNFORESEEN))

    async def _keep(self, job: Job, path: Path, download: Download) -> None:
        content_type = content_type_of_output(await asyncio.to_thread(_head, path), download.content_type)
        content_type = content_type or self._expected(job, download.content_type)
        if content_type is None:
            await self._tools.spool.remove(path.name)
            await untorn(self._fail(job, NO_PICTURE))
            return
        kept = self._tools.spool.output(job.id, suffix_of(content_type) or "")
        await asyncio.to_thread(path.replace, kept)
        await untorn(self._succeed(job, kept.name, content_type.partition("/")[0]))

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

    async def _succeed(self, job: Job, output_file: str, kind: str) -> None:
        self._gone_once.discard(job.id)
        async with self._tools.storage.write() as tx:
            done = await succeed(tx, job, output_file, kind, self._tools.clock.now())
        if done is not None:
            _log.info("Job %s succeeded", job.id, extra={"job": job.id})
        self._tools.changed()

    async def _gone(self, job: Job, text: str) -> None:
        """The first time, Studii is asked for a fresh address."""
        if job.id in self._gone_once:
            await self._fail(job, text)
            return
        self._gone_once.add(job.id)
        async with self._tools.storage.write() as tx:
            await tx.jobs.update(job.id, output_url=None)
        self._tools.requeued()

    async def _fail(self, job: Job, text: str) -> None:
        self._gone_once.discard(job.id)
        async with self._tools.storage.write() as tx:
            now = self._tools.clock.now()
            await fail_paid(tx, job, FailureCode.OUTPUT, text, charge_of(job), now)
        _log.warning("Job %s: its output can't be had", job.id, extra={"job": job.id})
        self._tools.changed()


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
