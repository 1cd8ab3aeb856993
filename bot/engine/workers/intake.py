"""Bring accepted jobs to waiting: fetch their photos into the spool, and check the bytes."""

import asyncio
import logging
from pathlib import Path

from bot.aio.bounded import BoundedDict
from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.shield import shielded
from bot.aio.worker import KeyedWorker
from bot.backoff import backoff
from bot.engine.context import EngineContext
from bot.engine.ports import PhotoSource
from bot.engine.workers.counted_decoder import CountedDecoder, Undecodable
from bot.engine.workers.photo_metadata import remove_metadata
from bot.engine.workers.spool_room import SpoolRoom
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, SourcePhoto
from bot.media.kinds import suffix_of
from bot.media.photo import Photo, PhotoRefused
from bot.media.spool import Shortages
from bot.reasons import Reason, ReasonCode

_log = logging.getLogger(__name__)

SLACK = 1_000_000  # bytes that a photo may have beyond what Discord said of it
MAX_REMEMBERED_PHOTOS = 500
HELD_LOOK = 15.0  # seconds; nothing reports the end of the job that a held photo waits for
_NO_ROOM = Reason(ReasonCode.PHOTO_NO_ROOM)


class Intake:
    """Fetches and checks the photos of accepted jobs. Servers and their members take turns, and
    servers share the spool."""

    def __init__(
        self, context: EngineContext, photos: PhotoSource, decoder: CountedDecoder, room: SpoolRoom
    ) -> None:
        self._context = context
        self._photos = photos
        self._decoder = decoder
        self._room = room
        # Longer than two tries can be apart: a pause ends when the worker next reads the database.
        tuning = context.tuning
        self._shortages = Shortages(2 * tuning.room_pause_bound + tuning.reread_every)
        # By job: the bytes that its photo has once it is converted.
        self._grown = BoundedDict[str, int](MAX_REMEMBERED_PHOTOS)
        self._due: asyncio.TimerHandle | None = None  # when a held photo may be fetched, or one without room
        self.worker = KeyedWorker[Job](
            "fetching photos",
            self._find,
            self._take_in,
            self._give_up,
            key=lambda job: job.id,
            noun="job",
            size=tuning.intake_at_once,
            setting=context.worker_setting,
            patience=TRANSFER_TIMEOUT,
            free=lambda _: True,  # it is fetched again
            # Held ones are found in the database, which says when one of them is due.
            wants=lambda job: job.state is JobState.RECEIVED and job.held is None,
            ready=self._may_have_room,
            news=lambda job: self._shortages.times_freed(job.guild_id),
            shared_by=lambda job: (job.guild_id, job.user_id),
        )
        context.spool.when_freed(self._room_freed)

    async def _find(self, limit: int) -> list[Job]:
        full = self._shortages.resting(self._context.clock.monotonic())
        now, db = self._context.clock.now(), self._context.storage.db
        due = await db.read(queries.held_photo_due)
        found = await db.read(queries.to_take_in, limit, now, full)
        rests = [] if due is None else [max((due - now).total_seconds(), 0.0) or HELD_LOOK]
        if (room := self._shortages.rest(self._context.clock.monotonic())) is not None:
            rests.append(room)
        if self._due is not None:
            self._due.cancel()
        later = asyncio.get_running_loop().call_later
        self._due = later(min(rests), self.worker.reread) if rests else None
        return found

    def notify(self, job: Job) -> None:
        """Take note of a job that has just changed."""
        self.worker.notify(job)
        if job.state is JobState.RECEIVED and job.held is not None:
            self.worker.reread()  # it may be the next one that is due

    def _may_have_room(self, job: Job) -> bool:
        return job.source is None or not self._shortages.rests(job.guild_id, self._context.clock.monotonic())

    async def _take_in(self, job: Job, tries: int) -> float | None:
        if job.source is None:
            return await shielded(self._ready(job, None))
        if self._room.is_leaving(job.id):
            return self._context.tuning.busy_photo_pause
        frees = self._shortages.frees
        if not await self._room.for_source(job, max(job.source.size, self._grown.get(job.id, 0))):
            return await self._wait_for_room(job, tries, frees)
        try:
            kept = await self._bring_in(job, job.source)
        except (PhotoRefused, Undecodable) as error:
            return await shielded(self._fail(job, FailureCode.PHOTO, error.told))
        except PhotoUnavailable as error:
            tuning = self._context.tuning
            if tries + 1 < tuning.intake_tries:
                await shielded(self._clear_away(job))
                return backoff(tries + 1, tuning.intake_pause, tuning.backoff_bound)
            code = FailureCode.UPLOAD if isinstance(error, PhotoDelayed) else FailureCode.PHOTO
            return await shielded(self._fail(job, code, error.told))
        size = await self._context.spool.settle(kept)
        if size > job.source.size and not await self._room.for_source(job, size):
            # It has grown by its conversion, and is not fetched again before there is room for all of it.
            self._grown[job.id] = size
            await shielded(self._clear_away(job, kept))
            return await self._wait_for_room(job, tries, self._shortages.frees)
        self._shortages.granted(job.guild_id)
        return await shielded(self._ready(job, kept.name))

    async def _give_up(self, job: Job) -> None:
        why = Reason(ReasonCode.NOT_STARTED, {"photo": job.source is not None})
        await shielded(self._fail(job, FailureCode.PHOTO, why))

    async def _wait_for_room(self, job: Job, tries: int, frees: int) -> float | None:
        """Let this photo wait as long as other photos of the server are fetched, or its key is held.

        It is tried again at once if room has become free since `frees`: nobody else would tell it.
        """
        tuning = self._context.tuning
        if await shielded(self._waits_for_key(job)):
            self._shortages.granted(job.guild_id)  # with the key, the server's share grows
            return None
        if self._shortages.frees != frees:
            return 0.0
        pause = backoff(tries + 1, tuning.room_pause, tuning.room_pause_bound)
        short = self._shortages.refused(job.guild_id, self._context.clock.monotonic(), pause)
        if short < tuning.room_patience:
            return pause
        _log.warning("Job %s: the spool has no room for this server's photo", job.id)
        return await shielded(self._fail(job, FailureCode.UPLOAD, _NO_ROOM))

    async def _waits_for_key(self, job: Job) -> bool:
        return await self._context.storage.db.write(key_holds.wait_for_hold, job.id)

    def _room_freed(self) -> None:
        """Let photos that found no room be tried again now."""
        if self._shortages.freed():
            self.worker.reread()

    async def _bring_in(self, job: Job, source: SourcePhoto) -> Path:
        """Fetch and check the photo; returns where it is."""
        photo = await self._fetch(job, source)
        spooled = self._context.spool.source(job.id)
        kept = self._context.spool.source(job.id, suffix_of(photo.content_type) or "")
        await asyncio.to_thread(spooled.replace, kept)
        return kept

    async def _fetch(self, job: Job, source: SourcePhoto) -> Photo:
        path = self._context.spool.source(job.id)
        try:
            await self._context.spool.make()
            async with asyncio.timeout(self._context.tuning.fetch_patience):
                await self._photos.fetch(job, path, source.size + SLACK)
        except TimeoutError:
            raise PhotoDelayed(Reason(ReasonCode.PHOTO_TOO_SLOW)) from None
        except OSError as error:
            _log.warning("Job %s: its photo can't be written: %s", job.id, error)
            raise PhotoDelayed(_NO_ROOM) from None
        photo = await self._decoder.inspect(path)
        await remove_metadata(self._context.storage.db, job, path)
        return photo

    async def _ready(self, job: Job, source_file: str | None) -> None:
        db = self._context.storage.db
        waiting = await db.write(transitions.make_ready, job.id, source_file, self._context.clock.now())
        # It was cancelled meanwhile; or it is ready already, and the file is its own.
        fresh = waiting or await db.read(queries.get, job.id)
        if fresh is None or fresh.source_file != source_file:
            await self._context.spool.remove(source_file)

    async def _fail(self, job: Job, code: FailureCode, reason: Reason) -> None:
        failed = (job.id, JobState.RECEIVED, code, reason, self._context.clock.now())
        await self._context.storage.db.write(transitions.fail_unpaid, *failed)
        await self._clear_away(job)
        _log.info("Job %s: its photo can't be used", job.id)

    async def _clear_away(self, job: Job, *files: Path) -> None:
        await self._context.spool.remove(
            self._context.spool.source(job.id).name, *(file.name for file in files)
        )
