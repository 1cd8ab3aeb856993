"""Files from outside: decoded so that none ends the bot again and again, and given room in the spool.

Photos of accepted jobs are fetched and checked, and their metadata is taken out: then the jobs wait. Outputs
of Studii are downloaded: then jobs have succeeded. Lost ones are fetched again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.backoff import backoff
from bot.connections import WRITE_TIMEOUT
from bot.db import Database
from bot.engine.context import DueJobs, EngineContext, PhotoSource
from bot.engine.lanes import Lanes
from bot.errors import PhotoDelayed, PhotoUnavailable, ReasonedError, StudiiBotError
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, SourcePhoto, Trouble
from bot.media import sniff
from bot.media.kinds import UNKNOWN_TYPE, content_type_of, sniffed_type, suffix_of, usual_type
from bot.media.metadata import BrokenStructure, strip_metadata
from bot.media.photo import DecoderFailed, Drawing, Photo, PhotoRefused, PictureBroken
from bot.media.spool import KEPT_RESULTS_SHARE, Evictable, OutputFile, to_evict
from bot.posts import Later, Refuse
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings as server_settings
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
_T = TypeVar("_T")

MAX_DECODE_TRIES = 2  # that ended what decoded the file, before it is given up


class Undecodable(ReasonedError):
    """The file has ended what decodes it as often as it may: it is not opened any more."""

    code = ReasonCode.PHOTO_UNDECODABLE


class Decoder(Drawing, Protocol):
    """An opener of pictures. Each method raises `DecoderFailed` if the file is to be given up."""

    async def inspect(self, path: Path) -> Photo: ...
    async def check(self, path: Path) -> bytes: ...


class CountedDecoder:
    """Counts a try in the job's row before the decoder is asked, and takes it back when that has answered:
    that it is good, with the change of the job's state that follows.

    A file ends its process at most, where the kernel's limits are set; but a machine may end the whole bot.
    The files are named by the spool: the job's id, then what the file is to the job.
    """

    def __init__(self, db: Database, decoder: Decoder) -> None:
        self._db, self._decoder = db, decoder
        self._again = asyncio.Lock()

    async def inspect(self, path: Path) -> Photo:
        """Decode a photo (see `DecoderPool.inspect`). Raises `PhotoRefused` and `Undecodable`."""
        return await self._counted(path, lambda: self._decoder.inspect(path), moves=True)

    async def check(self, path: Path) -> bytes:
        """Decode a result, and return its thumbnail. Raises `PictureBroken` and `Undecodable`."""
        return await self._counted(path, lambda: self._decoder.check(path), moves=True)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that."""
        return await self._made(path, lambda: self._decoder.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy with words in a corner, or None (see `DecoderPool.label`)."""
        return await self._made(path, lambda: self._decoder.label(path, limit, words, corner))

    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None:
        """Return one picture of both, or None (see `DecoderPool.split`)."""
        return await self._made(after, lambda: self._decoder.split(before, after, limit, labels, moves=moves))

    async def _made(self, path: Path, make: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        try:
            return await self._counted(path, make)
        except Undecodable:
            return None

    async def _counted(self, path: Path, decode: Callable[[], Awaitable[_T]], *, moves: bool = False) -> _T:
        job_id = path.name.partition(".")[0]
        tries = await self._db.read(transitions.decode_tries, job_id)
        if tries >= MAX_DECODE_TRIES:
            raise Undecodable
        # Those that were open when the bot died are tried one at a time: only the culprit counts twice.
        async with self._again if tries else nullcontext():
            left: int | None = tries  # a stop is no death
            try:
                await shielded(self._set(job_id, tries + 1))
                made = await decode()
                left = None if moves and not tries else 0
            except (PhotoRefused, PictureBroken):
                left = 0
                raise
            except DecoderFailed:
                _log.warning("Job %s: %s can't be decoded", job_id, path.name)
                left = MAX_DECODE_TRIES
                raise Undecodable from None
            finally:
                if left is not None:
                    await shielded(self._set(job_id, left))
            return made

    async def _set(self, job_id: str, tries: int) -> None:
        await self._db.write(transitions.set_decode_tries, job_id, tries)


class SpoolRoom:
    """Claims room for photos and outputs. Results that could not be posted give way to those that can be."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._turn = asyncio.Lock()  # what one makes room for, another must not count as its own

    async def for_source(self, job: Job, size: int) -> bool:
        """Claim room for the job's photo. Returns False if its server has none now."""
        spool = self._context.spool
        spared = int(spool.max_bytes * KEPT_RESULTS_SHARE)
        return await self._claimed(lambda: spool.claim_source(job.id, job.guild_id, size), spared)

    async def for_output(self, job: Job, size: int) -> bool:
        """Claim room for the job's output. Returns False if there is none now."""
        return await self._claimed(lambda: self._context.spool.claim_output(job.id, job.guild_id, size))

    async def _claimed(self, claim: Callable[[], int], spared: int = 0) -> bool:
        """Claim room, and make some if need be. Results that are kept keep at least `spared` bytes."""
        async with self._turn:
            if not (lacking := claim()):
                return True
            found = await self._context.db.read(queries.kept_results)
            results = [self._kept(job) for job in found if job.state is not JobState.REVIEWING]
            leaving = to_evict(results, lacking, spared=spared)
            if not (leaving or spared):  # for outputs alone, and last: the address may not live
                leaving = to_evict(map(self._kept, found), lacking)
            if leaving:
                await shielded(self._drop({file.job_id for file in leaving}))
        return bool(leaving) and not claim()

    def _kept(self, job: Job) -> Evictable:
        spool = self._context.spool
        # The photo of one that waits for moderators may be nowhere else.
        photo = 0 if job.state is JobState.REVIEWING else spool.source_size(job.id)
        return Evictable(job.id, job.guild_id, spool.output_size(job.id) + photo, job.output_url is not None)

    async def _drop(self, job_ids: set[str]) -> None:
        drop = self._context.db.write(_drop, job_ids, self._context.clock.now(), within=WRITE_TIMEOUT)
        await self._context.spool.remove(*await drop)
        _log.warning("Removed files of %d jobs from the spool, to make room", len(job_ids))


def _drop(session: Session, job_ids: Collection[str], at: datetime) -> list[str | None]:
    """Let files of these jobs go, and return their names.

    A result that could not be posted is announced with a link, unless it was withheld; one that waits for a
    moderator is fetched again when it is needed.
    """
    names: list[str | None] = []
    for job in queries.some(session, job_ids).values():
        if job.state is JobState.REVIEWING:
            names.append(job.output_file)
        elif job.announced_at is not None and job.state in {JobState.SUCCEEDED, JobState.WITHHELD}:
            names += [job.source_file, job.output_file]
            # The files' names go in the same step: what is announced now is the link.
            transitions.drop_files(session, job.id, at)
    return names


_BROKEN, _NO_ROOM = Reason(ReasonCode.PHOTO_METADATA_BROKEN), Reason(ReasonCode.PHOTO_NO_ROOM)


def _due(session: Session, now: datetime, limit: int, *, freed: bool) -> tuple[list[Job], datetime | None]:
    return queries.to_take_in(session, now, limit, freed=freed), queries.next_to_take_in(session)


class Intake:
    """Fetches and checks the photos of accepted jobs. Servers and their members take turns, and
    servers share the spool."""

    def __init__(
        self, context: EngineContext, photos: PhotoSource, decoder: CountedDecoder, room: SpoolRoom
    ) -> None:
        self._context, self._photos, self._decoder, self._room = context, photos, decoder, room
        self._lacked = False  # whether a photo has found no room since some became free
        self._freed = False  # whether room became free since photos were last looked for
        self.worker = DueJobs(
            context,
            "fetching photos",
            self._due,
            self._take_in,
            self._give_up,
            context.tuning.intake_at_once,
        )
        context.spool.when_freed(self._room_freed)

    async def _due(self, now: datetime, limit: int) -> tuple[list[Job], datetime | None]:
        freed, self._freed = self._freed, False
        return await self._context.db.read(_due, now, limit, freed=freed)

    async def _take_in(self, job: Job) -> float | None:
        if job.source is None:
            return await shielded(self._ready(job, None))
        if not await self._room.for_source(job, job.source.size):
            self._lacked = True
            return await shielded(self._wait_for_room(job, job.source))
        try:
            kept = await self._bring_in(job, job.source)
        except (PhotoRefused, Undecodable) as error:
            return await shielded(self._fail(job, FailureCode.PHOTO, error.told))
        except PhotoUnavailable as error:
            tuning = self._context.tuning
            if job.tries + 1 < tuning.intake_tries:
                await shielded(self._context.spool.remove(self._context.spool.source(job.id).name))
                return backoff(job.tries + 1, tuning.backoff, tuning.backoff_bound)
            code = FailureCode.UPLOAD if isinstance(error, PhotoDelayed) else FailureCode.PHOTO
            return await shielded(self._fail(job, code, error.told))
        await self._context.spool.settle(kept)
        return await shielded(self._ready(job, kept.name))

    async def _give_up(self, job: Job) -> None:
        why = Reason(ReasonCode.NOT_STARTED, {"photo": job.source is not None})
        await shielded(self._fail(job, FailureCode.PHOTO, why))

    async def _wait_for_room(self, job: Job, source: SourcePhoto) -> None:
        """Let this photo, and others of the server, wait until room is free, for a day at most."""
        context, now = self._context, self._context.clock.now()
        waited = (now - job.created_at).total_seconds()
        if waited >= context.tuning.held_bound or source.size > context.spool.for_photos:
            _log.warning("Job %s: there is no room in the spool for this server's photo", job.id)
            await self._fail(job, FailureCode.UPLOAD, _NO_ROOM)
            return
        until = now + timedelta(seconds=context.tuning.room_pause)
        await context.db.write(transitions.wait_for_room, job.guild_id, job.id, until, now)

    def _room_freed(self) -> None:
        """Let photos that found no room be tried again now."""
        if self._lacked:
            self._lacked, self._freed = False, True
            self.worker.wake()

    async def _bring_in(self, job: Job, source: SourcePhoto) -> Path:
        """Fetch and check the photo; returns where it is."""
        path = self._context.spool.source(job.id)
        try:
            await self._context.spool.make()
            async with asyncio.timeout(self._context.tuning.patience):
                # A photo may be somewhat larger than Discord said of it.
                await self._photos.fetch(job, path, source.size + 1_000_000)
        except TimeoutError:
            raise PhotoDelayed(Reason(ReasonCode.PHOTO_TOO_SLOW)) from None
        except OSError as error:
            raise self._unwritten(job, error) from None
        photo = await self._decoder.inspect(path)  # whose own errors say nothing of the room
        settings = await self._context.db.read(server_settings.of, job.guild_id)
        try:
            if not settings.keeps_metadata:
                # Finished even if cancelled, so that no thread writes to the file later. It takes no second.
                await shielded(asyncio.to_thread(strip_metadata, path))
            kept = self._context.spool.source(job.id, suffix_of(photo.content_type) or "")
            await asyncio.to_thread(path.replace, kept)
        except BrokenStructure as error:
            _log.info("Job %s: its photo is damaged: %s", job.id, error)
            raise PhotoRefused(_BROKEN) from None
        except OSError as error:
            raise self._unwritten(job, error) from None
        return kept

    def _unwritten(self, job: Job, error: OSError) -> PhotoDelayed:
        _log.warning("Job %s: its photo can't be written: %s", job.id, error)
        return PhotoDelayed(_NO_ROOM)

    async def _ready(self, job: Job, source_file: str | None) -> None:
        db = self._context.db
        waiting = await db.write(transitions.make_ready, job.id, source_file, self._context.clock.now())
        # It was cancelled meanwhile; or it is ready already, and the file is its own.
        fresh = waiting or await db.read(queries.get, job.id)
        if fresh is None or fresh.source_file != source_file:
            await self._context.spool.remove(source_file)

    async def _fail(self, job: Job, code: FailureCode, reason: Reason) -> None:
        failed = (job.id, JobState.RECEIVED, code, reason, self._context.clock.now())
        await self._context.db.write(transitions.fail_unpaid, *failed)
        await self._context.spool.remove(self._context.spool.source(job.id).name)
        _log.info("Job %s: its photo can't be used", job.id)


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
        room: SpoolRoom,
        decoder: CountedDecoder,
        lanes: Lanes,
    ) -> None:
        self._context, self._room = context, room
        self._decoder, self._lanes = decoder, lanes
        self.worker = DueJobs(
            context,
            "fetching outputs",
            partial(context.db.read, queries.to_download),
            self._collect,
            self._give_up,
            context.tuning.downloads_at_once,
        )

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
            thumbnail = await self._check(job, kept) if content_type.startswith("image/") else b""
            spool.settle_at(kept, download.size)
        except BaseException:
            await shielded(spool.remove(path.name, kept.name))
            raise
        kind = content_type.partition("/")[0]
        return OutputFile(kept, kind, content_type, download.size, thumbnail=thumbnail)

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

    async def _check(self, job: Job, path: Path) -> bytes:
        """See that a picture is whole, as far as can be seen, and return its thumbnail, empty if there is
        none. Raises `BrokenPicture`."""
        try:
            return await self._decoder.check(path)
        except PictureBroken:
            raise BrokenPicture(reason="it can't be decoded") from None
        except Undecodable:
            # It was paid for, and may well be whole: it is posted as it is, and never opened again.
            _log.warning("Job %s: its output can't be checked", job.id)
            return b""

    def _said(self, job: Job, said: str) -> str | None:
        """Return the kind that the storage says, or Studii, where the bytes don't tell it.

        None if that is neither a picture nor a video.
        """
        if said != UNKNOWN_TYPE:
            return said if suffix_of(said) is not None else None
        return None if job.output_kind is None else usual_type(job.output_kind)

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
        fetched = (
            await self._from(job, job.output_url)
            or await self._from(job, await self._fresh_address(job))
            or replace(job, output_url=None)
        )
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
        except (SpoolFull, OSError) as error:
            _log.warning("Job %s: there is no room for its output: %r", job.id, error)
            return await self._rest(job)
        except (TooLarge, NoPicture) as error:
            return await shielded(self._fail(job, error.told))
        except (OutputGone, DownloadFailed, MalformedAnswer) as error:
            _log.info("Job %s: its output can't be fetched from Studii (%s)", job.id, error.reason)
            return await self._again(job, error)
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
        succeed = self._context.db.write(transitions.succeed, job.id, *file, now, thumbnail=output.thumbnail)
        done = await succeed
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
