"""Makes room in the spool: photos of held jobs give way to what can go on."""

import asyncio
import logging

from bot.aio.shield import shielded
from bot.domain import Job, JobState
from bot.engine.context import EngineContext
from bot.lifecycle import key_holds
from bot.lifecycle.transitions import give_way
from bot.media.spool_usage import HeldPhoto, photos_to_evict

_log = logging.getLogger(__name__)


class SpoolRoom:
    """Claims room for photos and outputs. A held job whose photo gives way is received again: its photo is
    fetched from its message when Studii takes the server's key again."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._leaving: set[str] = set()
        self._turn = asyncio.Lock()  # what one makes room for, another must not count as its own

    def is_leaving(self, job_id: str) -> bool:
        """Return whether the job's photo is being removed."""
        return job_id in self._leaving

    async def for_source(self, job: Job, size: int) -> bool:
        """Claim room for the job's photo; False if its server has none now."""
        spool = self._context.spool
        async with self._context.storage.read() as tx:
            held = await key_holds.is_held(tx, job.guild_id)
        lacking = spool.claim_source(job.id, job.guild_id, size, held=held)
        # A held server gets no room at the cost of others: they are held as well.
        if lacking and not held and await self._make_room(lacking):
            lacking = spool.claim_source(job.id, job.guild_id, size)
        return not lacking

    async def for_output(self, job: Job, size: int) -> bool:
        """Claim room for the job's output; False if there is none now."""
        spool = self._context.spool
        lacking = spool.claim_output(job.id, job.guild_id, size)
        if lacking and await self._make_room(lacking):
            lacking = spool.claim_output(job.id, job.guild_id, size)
        return not lacking

    def for_unknown_output(self, job: Job, most: int) -> int:
        """Claim what is left, at most `most` bytes, for an output of unknown size; returns how many."""
        return self._context.spool.claim_rest(job.id, job.guild_id, most)

    async def _make_room(self, lacking: int) -> bool:
        """Return whether as many bytes were freed."""
        async with self._turn:
            async with self._context.storage.read() as tx:
                held = await tx.jobs.held_with_photos()
            photos = [
                HeldPhoto(job.id, job.guild_id, self._context.spool.source_size(job.id)) for job in held
            ]
            giving = photos_to_evict(photos, lacking)
            if giving:
                await shielded(self._give_way({photo.job_id for photo in giving}))
        return bool(giving)

    async def _give_way(self, job_ids: set[str]) -> None:
        self._leaving |= job_ids
        names: list[str | None] = []
        try:
            async with self._context.storage.write() as tx:
                for job in (await tx.jobs.some(job_ids)).values():
                    if job.state is not JobState.WAITING or job.held is None:
                        continue  # it goes on after all
                    await give_way(tx, job, self._context.clock.now())
                    names.append(job.source_file)
            await self._context.spool.remove(*names)
        finally:
            self._leaving -= job_ids
        _log.info("The photos of %d held jobs gave way in the spool", len(names))
        self._context.requeued()
