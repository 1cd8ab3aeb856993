"""Makes room in the spool: photos of held jobs give way to those of jobs that can continue."""

import asyncio
import logging

from bot.aio.shield import shielded
from bot.engine.context import EngineContext
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import Job, JobState
from bot.media.spool import KEPT_RESULTS_SHARE, Evictable, to_evict

UNKNOWN_SIZE = 50_000_000  # bytes that an output may well have of which the size is not told

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
        """Claim room for the job's photo. Returns False if its server has none now."""
        spool = self._context.spool
        together = 0
        async with self._context.storage.read() as transaction:
            held = await transaction.run(key_holds.get, job.guild_id) is not None
            if held:
                unsent = await transaction.run(queries.unsent_where_held)
                together = sum(spool.source_size(job_id) for job_id in unsent if job_id != job.id)
        lacking = spool.claim_source(job.id, job.guild_id, size, held=held, held_together=together)
        # A held server gets no room at the cost of others: they are held as well.
        spared = int(spool.max_bytes * KEPT_RESULTS_SHARE)
        if lacking and not held and await self._make_room(lacking, spared=spared):
            lacking = spool.claim_source(job.id, job.guild_id, size)
        return not lacking

    async def for_output(self, job: Job, size: int) -> bool:
        """Claim room for the job's output. Returns False if there is none now."""
        spool = self._context.spool
        lacking = spool.claim_output(job.id, job.guild_id, size)
        if lacking and await self._make_room(lacking):
            lacking = spool.claim_output(job.id, job.guild_id, size)
        return not lacking

    async def for_unknown_output(self, job: Job, most: int) -> int:
        """Claim what is left, at most `most` bytes, for an output of unknown size; returns how many."""
        lacking = min(most, UNKNOWN_SIZE) - self._context.spool.left_for_output(job.id)
        if lacking > 0:
            await self._make_room(lacking)
        return self._context.spool.claim_rest(job.id, job.guild_id, most)

    async def _make_room(self, lacking: int, *, spared: int = 0) -> bool:
        """Return whether enough bytes were freed. Results that are kept keep at least `spared` bytes."""
        spool = self._context.spool
        async with self._turn:
            async with self._context.storage.read() as transaction:
                held = await transaction.run(queries.held_with_photos)
                kept = await transaction.run(queries.kept_results)
                # Can be fetched again, but the address may not live: they go last, and for outputs alone.
                undecided = [] if spared else await transaction.run(queries.results_to_decide_on)
            # The newest first: a server's oldest job is the one to try whether Studii takes its key again.
            photos = [Evictable(job.id, job.guild_id, spool.source_size(job.id)) for job in reversed(held)]
            giving = to_evict(photos, lacking)
            if giving:
                await shielded(self._give_way({photo.job_id for photo in giving}))
                return True
            results = [self._kept(job) for job in kept]
            leaving = to_evict(results, lacking, spared=spared)
            if not leaving and undecided:
                leaving = to_evict([*results, *map(self._kept, undecided)], lacking)
            if leaving:
                await shielded(self._let_go({result.job_id for result in leaving}))
        return bool(leaving)

    def _kept(self, job: Job) -> Evictable:
        spool = self._context.spool
        size = spool.output_size(job.id)
        if job.state is not JobState.REVIEWING:  # whose photo may be nowhere else
            size += spool.source_size(job.id)
        return Evictable(job.id, job.guild_id, size, job.output_url is not None)

    async def _let_go(self, job_ids: set[str]) -> None:
        """Remove results that could not be posted from the spool, and have them announced with a link. One
        that waits for a moderator is fetched again when it is needed. One that was withheld is not announced.
        """
        names: list[str | None] = []
        async with self._context.storage.write() as transaction:
            for job in (await transaction.run(queries.some, job_ids)).values():
                if job.state is JobState.REVIEWING:
                    names.append(job.output_file)
                    continue
                if job.announced_at is None or job.state not in {JobState.SUCCEEDED, JobState.WITHHELD}:
                    continue  # it is being posted after all
                names += [job.source_file, job.output_file]
                # The files' names go in the same step: what is announced now is the link.
                await transaction.run(transitions.drop_files, job.id, self._context.clock.now())
        await self._context.spool.remove(*names)
        _log.warning("Removed %d results that could not be posted from the spool, to make room", len(job_ids))

    async def _give_way(self, job_ids: set[str]) -> None:
        self._leaving |= job_ids
        names: list[str | None] = []
        try:
            async with self._context.storage.write() as transaction:
                for job in (await transaction.run(queries.some, job_ids)).values():
                    if job.state is not JobState.WAITING or job.held is None:
                        continue  # it continues after all
                    await transaction.run(transitions.give_way, job.id, self._context.clock.now())
                    names.append(job.source_file)
            await self._context.spool.remove(*names)
        finally:
            self._leaving -= job_ids
        _log.info("Removed the photos of %d jobs on hold from the spool, to make room", len(names))
