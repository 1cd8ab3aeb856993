"""From accepted to waiting: the photo comes into the spool, and its bytes are looked at."""

import asyncio
import logging

from bot.engine.crew import Crew
from bot.engine.endings import fail_unpaid
from bot.engine.loops import untorn
from bot.engine.photo_metadata import remove_metadata
from bot.engine.ports import PhotoSource
from bot.engine.pulse import TRANSFER_PATIENCE
from bot.engine.spool import suffix_of
from bot.engine.steps import Tools, backoff
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.media import Photo, PhotoRefused
from bot.media.pool import DecoderPool
from bot.model import FailureCode, Job, JobState, SourcePhoto
from bot.storage import JobChanges

_log = logging.getLogger(__name__)

SLACK = 1_000_000  # bytes that a photo may have beyond what Discord said of it
LONGEST_FETCH = 300.0  # seconds
NO_ROOM = "The bot has no room for another photo at the moment. Please try again in a few minutes."
UNFORESEEN = (
    "Something that nobody foresaw stood in the way before anything was sent to Studii. Please try again{}; "
    "if it stays like this, tell whoever hosts this bot."
)
TOO_SLOW = "The photo took too long to arrive. Please try again."


class Intake:
    """Fetches and checks the photos of accepted jobs."""

    def __init__(self, tools: Tools, photos: PhotoSource, decoder: DecoderPool) -> None:
        self._tools = tools
        self._photos = photos
        self._decoder = decoder
        self.crew = Crew(
            "taking in photos",
            self._find,
            self._take_in,
            self._give_up,
            size=tools.tuning.intake_at_once,
            clock=tools.clock,
            pulse=tools.pulse,
            patience=TRANSFER_PATIENCE,
            look_around=tools.tuning.look_around,
        )

    async def _find(self, limit: int) -> list[Job]:
        async with self._tools.storage.read() as tx:
            return await tx.jobs.in_states({JobState.RECEIVED}, limit)

    async def _take_in(self, job: Job, tries: int) -> float | None:
        if job.source is None:
            return await untorn(self._ready(job, None))
        if not await self._tools.spool.room_for_source(job.source.size):
            _log.warning("Job %s: the spool is full", job.id, extra={"job": job.id})
            return await untorn(self._fail(job, FailureCode.UPLOAD, NO_ROOM))
        try:
            photo = await self._fetch(job, job.source)
        except PhotoRefused as error:
            return await untorn(self._fail(job, FailureCode.PHOTO, str(error)))
        except PhotoUnavailable as error:
            tuning = self._tools.tuning
            if tries + 1 < tuning.intake_tries:
                return backoff(tries + 1, tuning.intake_pause, tuning.backoff_bound)
            code = FailureCode.UPLOAD if isinstance(error, PhotoDelayed) else FailureCode.PHOTO
            return await untorn(self._fail(job, code, str(error)))
        suffix = suffix_of(photo.content_type) or ""
        kept = self._tools.spool.source(job.id, suffix)
        await asyncio.to_thread(self._tools.spool.source(job.id).replace, kept)
        return await untorn(self._ready(job, kept.name))

    async def _give_up(self, job: Job) -> None:
        with_what = "" if job.source is None else " with another photo"
        await untorn(self._fail(job, FailureCode.PHOTO, UNFORESEEN.format(with_what)))

    async def _fetch(self, job: Job, source: SourcePhoto) -> Photo:
        path = self._tools.spool.source(job.id)
        try:
            async with asyncio.timeout(LONGEST_FETCH):
                await self._photos.fetch(job, path, source.size + SLACK)
        except TimeoutError:
            raise PhotoDelayed(TOO_SLOW) from None
        except OSError as error:
            _log.warning("Job %s: its photo can't be written: %s", job.id, error, extra={"job": job.id})
            raise PhotoDelayed(NO_ROOM) from None
        photo = await self._decoder.inspect(path)
        await remove_metadata(self._tools.storage, job, path)
        return photo

    async def _ready(self, job: Job, source_file: str | None) -> None:
        async with self._tools.storage.write() as tx:
            now = self._tools.clock.now()
            changes = JobChanges(source_file=source_file)
            hold = await tx.holds.get(job.guild_id)
            if hold is not None:
                # It was accepted before its server's key turned out not to be served.
                changes |= JobChanges(held=hold.reason, not_before=hold.until, key_id=hold.key_id)
            waiting = await tx.jobs.advance(job.id, JobState.RECEIVED, JobState.WAITING, at=now, **changes)
        if waiting is None:
            await self._tools.spool.remove(source_file)
        self._tools.changed()
        self._tools.requeued()

    async def _fail(self, job: Job, code: FailureCode, text: str) -> None:
        async with self._tools.storage.write() as tx:
            now = self._tools.clock.now()
            await fail_unpaid(tx, job, JobState.RECEIVED, code, text, now)
        await self._tools.spool.remove(self._tools.spool.source(job.id).name)
        _log.info("Job %s: its photo can't be used", job.id, extra={"job": job.id})
        self._tools.changed()
