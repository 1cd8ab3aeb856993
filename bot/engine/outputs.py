"""Download outputs of Studii into the spool: then jobs have succeeded. Lost ones are fetched again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.backoff import backoff
from bot.catalog import Catalog
from bot.db import WRITE_TIMEOUT
from bot.engine.context import DueJobs, EngineContext
from bot.engine.files import CountedDecoder, SpoolRoom, Undecodable
from bot.engine.lanes import Lanes
from bot.errors import StudiiBotError
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, Trouble
from bot.media import sniff
from bot.media.kinds import UNKNOWN_TYPE, content_type_of, sniffed_type, suffix_of, usual_type
from bot.media.photo import PictureBroken
from bot.media.spool import OutputFile
from bot.posts import Later, Refuse
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.studii import (
    ApiRefused,
    Download,
    DownloadFailed,
    MalformedAnswer,
    OutputGone,
    StudiiError,
    TooLarge,
)

_log = logging.getLogger(__name__)


class NoPicture(StudiiError):
    """The fetched file is neither a picture nor a video; it is not kept."""

    code = ReasonCode.OUTPUT_NO_PICTURE


class BrokenPicture(DownloadFailed):
    """The fetched file is no whole picture, though its length may be right; fetched again it may be."""


class SpoolFull(StudiiBotError):
    """There is no room for the output at the moment."""


_NOT_NOW = (StudiiError, SpoolFull, OSError)


class Outputs:
    """Fetches outputs; again if they were paid for and lost, by a disk or a backup without them.

    A picture is decoded before it counts as fetched. What was paid for is not given up lightly: a fresh
    address is asked for, and what is not there is sought again for some minutes, as it may have been
    announced too early.
    """

    def __init__(
        self,
        context: EngineContext,
        catalog: Catalog,
        room: SpoolRoom,
        decoder: CountedDecoder,
        lanes: Lanes,
    ) -> None:
        self._context, self._catalog, self._room = context, catalog, room
        self._decoder, self._lanes = decoder, lanes
        due = partial(context.db.read, queries.to_download)
        work = (due, self._collect, self._give_up, context.tuning.downloads_at_once)
        self.worker = DueJobs(context, "fetching outputs", *work)

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
        limit = min(self._context.tuning.max_output_bytes, self._context.spool.max_bytes)

        async def room(length: int | None) -> int:
            # One whose size is not told may well have 50 MB.
            size = min(limit, 50_000_000) if length is None else length
            if not await self._room.for_output(job, size):
                raise SpoolFull
            return size

        return await self._context.studii.download(
            job.output_url or "", path, limit=limit, room=room, kept_as=kept_as
        )

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

    async def with_output(self, job: Job, tries: int) -> tuple[Job, OutputFile | None]:
        """Return a job that was paid for, and its file, which is fetched again if it was lost.

        There is none any more if Studii doesn't give it, or after too many `tries` at posting the job; and
        no address if that leads nowhere. Raises `Refuse`.
        """
        output, tuning = await self._output_of(job), self._context.tuning
        if output is None and job.output_file is not None and job.output_url is not None:
            try:
                job = await self._fetch_again(job)
            except _NOT_NOW as reason:
                _log.info("Job %s: its output can't be fetched again: %r", job.id, reason)
                if tries < tuning.refetch_tries:
                    pause = backoff(tries, tuning.backoff, tuning.backoff_bound)
                    raise Refuse(Later(pause, unsent=True)) from None
            output = await self._output_of(job)
        return job, output

    async def fresh_link(self, job: Job) -> str | None:
        """Return the address of the output as Studii gives it now, or the last one if it gives none."""
        try:
            return await self._fresh_address(job) or job.output_url
        except _NOT_NOW:
            return job.output_url

    async def _output_of(self, job: Job) -> OutputFile | None:
        """Return the job's file in the spool, with the photo before."""
        spool = self._context.spool
        output = None if job.output_file is None else await spool.open_output(job.output_file)
        if output is not None and output.kind == "image" and job.source_file is not None:
            # Before and after are shown together.
            output = replace(output, before=await spool.open_output(job.source_file))
        return output

    async def _fetch_again(self, job: Job) -> Job:
        """Return the job with the file from its address, or from the one that Studii gives now.

        Raises one of `_NOT_NOW`.
        """
        _log.warning("Job %s: its output is fetched again", job.id)
        fetched = await self._from(job, job.output_url)
        if fetched is None:
            fetched = await self._from(job, await self._fresh_address(job)) or replace(job, output_url=None)
        url, file, now = fetched.output_url, fetched.output_file, self._context.clock.now()
        await self._context.db.write(_note, job.id, url, file, now, within=WRITE_TIMEOUT)
        return fetched

    async def _from(self, job: Job, address: str | None) -> Job | None:
        """Return the job with the file at that address, or without if it is too large. None if it is gone."""
        there = replace(job, output_url=address)
        try:
            output = await self.fetch(there)
        except OutputGone:
            return None
        except TooLarge:
            return there
        return replace(there, output_file=output.path.name)

    async def _fresh_address(self, job: Job) -> str | None:
        """Ask for the address with the key that the job was made with, or with the server's current one."""
        key = await self._context.db.read(_key_of, job.key_id, job.guild_id)
        if key is None or job.studii_id is None:
            return None
        try:
            return (await self._lanes.ask(key, job)).output_url
        except (ApiRefused, MalformedAnswer):
            return None

    async def _collect(self, job: Job) -> float | None:
        try:
            output = await self.fetch(job)
        except SpoolFull:
            _log.warning("Job %s: the spool is full, its output waits", job.id)
            return await self._rest(job)
        except (TooLarge, NoPicture) as error:
            return await shielded(self._fail(job, error.told))
        except (OutputGone, DownloadFailed, MalformedAnswer) as error:
            _log.info("Job %s: its output can't be fetched from Studii (%s)", job.id, error.reason)
            return await self._again(job, error)
        except OSError as error:
            _log.warning("Job %s: its output can't be written: %s", job.id, error)
            return await self._rest(job)
        return await shielded(self._succeed(job, output))

    async def _rest(self, job: Job) -> None:
        """Let it wait for room on the disk, for a day at most: then its person is given the link."""
        now, tuning = self._context.clock.now(), self._context.tuning
        since = job.troubled_at if job.trouble == Trouble.ROOM and job.troubled_at is not None else now
        if (now - since).total_seconds() >= tuning.held_bound:
            await shielded(self._fail(job, Reason(ReasonCode.OUTPUT_NOT_FETCHED)))
            return
        until = now + timedelta(seconds=tuning.room_pause)
        waits: dict[str, Any] = {"not_before": until, "trouble": Trouble.ROOM, "troubled_at": since}
        await shielded(self._context.db.write(transitions.change, job.id, JobState.RUNNING, **waits))

    async def _again(self, job: Job, error: StudiiError) -> float | None:
        tuning = self._context.tuning
        gone = isinstance(error, OutputGone)
        last = job.tries + 1 >= tuning.download_tries
        if (gone or last) and job.attempts >= 0:
            # Studii is asked for a fresh address, once. What `attempts` counted before is of no use any more.
            anew: dict[str, Any] = {"output_url": None, "attempts": -1, "tries": 0, "not_before": None}
            await shielded(self._context.db.write(transitions.change, job.id, **anew))
            return None
        if not last:
            return backoff(job.tries + 1, tuning.backoff, tuning.backoff_bound)
        code = ReasonCode.OUTPUT_BROKEN if isinstance(error, BrokenPicture) else ReasonCode.OUTPUT_NOT_FETCHED
        why = Reason(ReasonCode.OUTPUT_NOT_THERE if gone else code)
        return await shielded(self._fail(job, why, link=not gone))

    async def _give_up(self, job: Job) -> None:
        await shielded(self._fail(job, Reason(ReasonCode.OUTPUT_UNEXPECTED_ERROR)))

    async def _succeed(self, job: Job, output: OutputFile) -> None:
        now, file = self._context.clock.now(), (output.path.name, output.kind)
        done = await self._context.db.write(transitions.succeed, job.id, *file, now)
        if done is not None:
            _log.info("Job %s has its output, and is %s", job.id, done.state)

    async def _fail(self, job: Job, reason: Reason, *, link: bool = True) -> None:
        """Fail the job. `link` says that the address may still lead its person to the output."""
        now = self._context.clock.now()
        await self._context.db.write(_lose, job.id, reason, transitions.charge_of(job), now, link=link)
        _log.warning("Job %s: its output can't be fetched", job.id)


def _lose(session: Session, job_id: str, reason: Reason, charge: int, at: datetime, *, link: bool) -> None:
    failed = transitions.fail_paid(session, job_id, FailureCode.OUTPUT, reason, charge, at)
    if failed is not None and not link:
        _note(session, job_id, None, None, at)


def _note(session: Session, job_id: str, url: str | None, file: str | None, at: datetime) -> None:
    transitions.change(session, job_id, output_url=url, output_file=file)
    if url is None:
        transitions.tell_result_lost(session, job_id, at)


def _key_of(session: Session, key_id: int | None, guild_id: int) -> keys.StudiiKey | None:
    own = None if key_id is None else session.get(keys.StudiiKey, key_id)
    return own if own is not None and own.ciphertext else keys.current(session, guild_id)
