"""Files from outside: decoded so that none ends the bot again and again, and given room in the spool.

Photos of accepted jobs are fetched and checked here, and their metadata is taken out: then the jobs wait.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.backoff import backoff
from bot.db import WRITE_TIMEOUT, Database
from bot.engine.context import DueJobs, EngineContext, PhotoSource
from bot.errors import PhotoDelayed, PhotoUnavailable, ReasonedError
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, SourcePhoto
from bot.media.kinds import suffix_of
from bot.media.metadata import BrokenStructure, strip_metadata
from bot.media.photo import DecoderFailed, Drawing, Photo, PhotoRefused, PictureBroken
from bot.media.spool import KEPT_RESULTS_SHARE, Evictable, to_evict
from bot.reasons import Reason, ReasonCode
from bot.servers import settings as server_settings

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_DECODE_TRIES = 2  # that ended what decoded the file, before it is given up


class Undecodable(ReasonedError):
    """The file has ended what decodes it as often as it may: it is not opened any more."""

    code = ReasonCode.PHOTO_UNDECODABLE


class Decoder(Drawing, Protocol):
    """An opener of pictures. Each method raises `DecoderFailed` if the file is to be given up."""

    async def inspect(self, path: Path) -> Photo: ...
    async def check(self, path: Path) -> None: ...


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

    async def check(self, path: Path) -> None:
        """Decode a result. Raises `PictureBroken` and `Undecodable`."""
        await self._counted(path, lambda: self._decoder.check(path), moves=True)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that."""
        return await self._made(path, lambda: self._decoder.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy with words in a corner, or None (see `DecoderPool.label`)."""
        return await self._made(path, lambda: self._decoder.label(path, limit, words, corner))

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        """Return one picture of both halves, or None (see `DecoderPool.split`)."""
        return await self._made(after, lambda: self._decoder.split(before, after, limit, labels))

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
            kept, undecided = await self._context.db.read(_that_can_go)
            results = [self._kept(job) for job in kept]
            leaving = to_evict(results, lacking, spared=spared)
            if not (leaving or spared):  # for outputs alone, and last: the address may not live
                leaving = to_evict([*results, *map(self._kept, undecided)], lacking)
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


def _that_can_go(session: Session) -> tuple[list[Job], list[Job]]:
    """Return results that are kept, and those that moderators have to decide on."""
    return queries.kept_results(session), queries.results_to_decide_on(session)


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


def _due(
    session: Session, now: datetime, limit: int, *, freed: bool
) -> tuple[list[Job], datetime | None, bool]:
    return queries.to_take_in(session, now, limit, freed=freed), *queries.next_to_take_in(session)


class Intake:
    """Fetches and checks the photos of accepted jobs. Servers and their members take turns, and
    servers share the spool."""

    def __init__(
        self, context: EngineContext, photos: PhotoSource, decoder: CountedDecoder, room: SpoolRoom
    ) -> None:
        self._context, self._photos, self._decoder, self._room = context, photos, decoder, room
        self._freed = False  # whether room became free since photos were last looked for
        self._lacks = False  # whether a photo waits for room
        size = context.tuning.intake_at_once
        self.worker = DueJobs(context, "fetching photos", self._due, self._take_in, self._give_up, size)
        context.spool.when_freed(self._room_freed)

    async def _due(self, now: datetime, limit: int) -> tuple[list[Job], datetime | None]:
        freed, self._freed = self._freed, False
        found, next_due, self._lacks = await self._context.db.read(_due, now, limit, freed=freed)
        return found, next_due

    async def _take_in(self, job: Job) -> float | None:
        if job.source is None:
            return await shielded(self._ready(job, None))
        if not await self._room.for_source(job, job.source.size):
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
            _log.warning("Job %s: the spool has no room for this server's photo", job.id)
            await self._fail(job, FailureCode.UPLOAD, _NO_ROOM)
            return
        self._lacks = True
        until = now + timedelta(seconds=context.tuning.room_pause)
        await context.db.write(transitions.wait_for_room, job.guild_id, job.id, until, now)
        self.worker.wake()  # it looks for what is due next; room may have become free meanwhile

    def _room_freed(self) -> None:
        """Let photos that found no room be tried again now."""
        self._freed = True
        if self._lacks:
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
            _log.warning("Job %s: its photo can't be written: %s", job.id, error)
            raise PhotoDelayed(_NO_ROOM) from None
        photo = await self._decoder.inspect(path)
        settings = await self._context.db.read(server_settings.of, job.guild_id)
        if not settings.keeps_metadata:
            await self._strip(job, path)
        kept = self._context.spool.source(job.id, suffix_of(photo.content_type) or "")
        await asyncio.to_thread(path.replace, kept)
        return kept

    async def _strip(self, job: Job, path: Path) -> None:
        """Remove the photo's metadata."""
        try:
            # Finished even if cancelled, so that no thread writes to the file later. It takes no second.
            await shielded(asyncio.to_thread(strip_metadata, path))
        except BrokenStructure as error:
            _log.info("Job %s: its photo is damaged: %s", job.id, error)
            raise PhotoRefused(_BROKEN) from None
        except OSError as error:
            _log.warning("Job %s: its photo can't be written: %s", job.id, error)
            raise PhotoDelayed(_NO_ROOM) from None

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
