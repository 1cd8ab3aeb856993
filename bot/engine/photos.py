"""Bring accepted jobs to waiting: fetch their photos into the spool, check the bytes, take metadata out."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.backoff import backoff
from bot.db import Database
from bot.engine.context import DueJobs, EngineContext, PhotoSource
from bot.engine.files import CountedDecoder, SpoolRoom, Undecodable
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, SourcePhoto, Trouble
from bot.media.kinds import suffix_of
from bot.media.metadata import BrokenStructure, strip_metadata
from bot.media.photo import PhotoRefused
from bot.reasons import Reason, ReasonCode
from bot.servers import settings as server_settings

_log = logging.getLogger(__name__)

_BROKEN, _NO_ROOM = Reason(ReasonCode.PHOTO_METADATA_BROKEN), Reason(ReasonCode.PHOTO_NO_ROOM)


async def remove_metadata(db: Database, job: Job, path: Path) -> None:
    """Remove the metadata of the job's photo in `path`, as its server's setting says.

    Raises `PhotoRefused` if the file is damaged, and `PhotoDelayed` if it can't be written.
    """
    settings = await db.read(server_settings.of, job.guild_id)
    if settings.keeps_metadata:
        return
    try:
        # Finished even if cancelled, so that no thread writes to the file later. Takes less than a second.
        await shielded(asyncio.to_thread(strip_metadata, path))
    except BrokenStructure as error:
        _log.info("Job %s: its photo is damaged: %s", job.id, error)
        raise PhotoRefused(_BROKEN) from None
    except OSError as error:
        _log.warning("Job %s: its photo can't be written: %s", job.id, error)
        raise PhotoDelayed(_NO_ROOM) from None


SLACK = 1_000_000  # bytes that a photo may have beyond what Discord said of it


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
        self._context = context
        self._photos = photos
        self._decoder = decoder
        self._room = room
        self._started = context.clock.now()
        self._frees = self._looked = 0  # how often room became free, and had when photos were last looked for
        self._lacks = False  # whether a photo waits for room
        size = context.tuning.intake_at_once
        self.worker = DueJobs(context, "fetching photos", self._due, self._take_in, self._give_up, size)
        context.spool.when_freed(self._room_freed)

    async def _due(self, now: datetime, limit: int) -> tuple[list[Job], datetime | None]:
        frees = self._frees
        freed = frees != self._looked
        found, next_due, self._lacks = await self._context.db.read(_due, now, limit, freed=freed)
        self._looked = frees
        return found, next_due

    async def _take_in(self, job: Job) -> float | None:
        if job.source is None:
            return await shielded(self._ready(job, None))
        if self._room.is_leaving(job.id):
            soon = self._context.clock.now() + timedelta(seconds=self._context.tuning.busy_photo_pause)
            await self._context.db.write(transitions.later, job.id, soon, counts=False)
            return None
        frees = self._frees
        if not await self._room.for_source(job, job.source.size):
            return await self._wait_for_room(job, frees)
        try:
            kept = await self._bring_in(job, job.source)
        except (PhotoRefused, Undecodable) as error:
            return await shielded(self._fail(job, FailureCode.PHOTO, error.told))
        except PhotoUnavailable as error:
            tuning = self._context.tuning
            if job.tries + 1 < tuning.intake_tries:
                await shielded(self._clear_away(job))
                return backoff(job.tries + 1, tuning.intake_pause, tuning.backoff_bound)
            code = FailureCode.UPLOAD if isinstance(error, PhotoDelayed) else FailureCode.PHOTO
            return await shielded(self._fail(job, code, error.told))
        size = await self._context.spool.settle(kept)
        if size > job.source.size and not await self._room.for_source(job, size):
            # It has grown by its conversion, and is not fetched again before there is room for all of it.
            grown = replace(job.source, size=size)
            await self._context.db.write(transitions.change, job.id, source=grown)
            await shielded(self._clear_away(job, kept))
            return await self._wait_for_room(job, self._frees)
        if self._lacks:
            now = self._context.clock.now()
            await self._context.db.write(transitions.found_room, job.guild_id, now)
            self.worker.wake()
        return await shielded(self._ready(job, kept.name))

    async def _give_up(self, job: Job) -> None:
        why = Reason(ReasonCode.NOT_STARTED, {"photo": job.source is not None})
        await shielded(self._fail(job, FailureCode.PHOTO, why))

    async def _wait_for_room(self, job: Job, frees: int) -> float | None:
        """Let this photo wait as long as other photos of the server are fetched, or its key is held.

        It is tried again at once if room has become free since `frees`: nobody else would tell it.
        """
        tuning, now = self._context.tuning, self._context.clock.now()
        if await shielded(self._context.db.write(key_holds.wait_for_hold, job.id)):
            return None
        lacked = 0.0 if job.trouble != Trouble.ROOM else self._lasts(job.troubled_at or now, now)
        pause = min(max(lacked, tuning.room_pause), tuning.room_pause_bound)
        self._lacks = True
        waiting = (transitions.wait_for_room, job.id, now + timedelta(seconds=pause), now)
        since = await shielded(self._context.db.write(*waiting))
        if since is not None and self._lasts(since, now) >= tuning.room_patience:
            _log.warning("Job %s: the spool has no room for this server's photo", job.id)
            await shielded(self._fail(job, FailureCode.UPLOAD, _NO_ROOM))
        elif self._frees != frees:
            self._looked = frees
        return 0.0

    def _lasts(self, since: datetime, now: datetime) -> float:
        """Return the seconds since then, in this life."""
        return (now - max(since, self._started)).total_seconds()

    def _room_freed(self) -> None:
        """Let photos that found no room be tried again now."""
        self._frees += 1
        if self._lacks:
            self.worker.wake()

    async def _bring_in(self, job: Job, source: SourcePhoto) -> Path:
        """Fetch and check the photo; returns where it is."""
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
        await remove_metadata(self._context.db, job, path)
        kept = self._context.spool.source(job.id, suffix_of(photo.content_type) or "")
        await asyncio.to_thread(path.replace, kept)
        return kept

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
        await self._clear_away(job)
        _log.info("Job %s: its photo can't be used", job.id)

    async def _clear_away(self, job: Job, *files: Path) -> None:
        await self._context.spool.remove(
            self._context.spool.source(job.id).name, *(file.name for file in files)
        )
