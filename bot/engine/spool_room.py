"""Makes room in the spool: photos of held jobs give way to those of jobs that can continue."""

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.db import WRITE_TIMEOUT
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
        unsent = await self._context.db.read(_unsent_if_held, job.guild_id)
        held = unsent is not None
        together = sum(spool.source_size(job_id) for job_id in unsent or () if job_id != job.id)
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
            held, kept, undecided = await self._context.db.read(_that_can_go)
            if spared:  # they can be fetched again, but the address may not live: for outputs alone, and last
                undecided = []
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
        now = self._context.clock.now()
        names = await self._context.db.write(_drop_results, job_ids, now, within=WRITE_TIMEOUT)
        await self._context.spool.remove(*names)
        _log.warning("Removed %d results that could not be posted from the spool, to make room", len(job_ids))

    async def _give_way(self, job_ids: set[str]) -> None:
        self._leaving |= job_ids
        now = self._context.clock.now()
        try:
            names = await self._context.db.write(_drop_photos, job_ids, now, within=WRITE_TIMEOUT)
            await self._context.spool.remove(*names)
        finally:
            self._leaving -= job_ids
        _log.info("Removed the photos of %d jobs on hold from the spool, to make room", len(names))


def _unsent_if_held(session: Session, guild_id: int) -> list[str] | None:
    """Return the unsent jobs of all servers whose key is held, or None if this server's isn't."""
    return None if key_holds.get(session, guild_id) is None else queries.unsent_where_held(session)


def _that_can_go(session: Session) -> tuple[list[Job], list[Job], list[Job]]:
    """Return held jobs with photos, results that are kept, and those that moderators have to decide on."""
    held, kept = queries.held_with_photos(session), queries.kept_results(session)
    return held, kept, queries.results_to_decide_on(session)


def _drop_results(session: Session, job_ids: Collection[str], at: datetime) -> list[str | None]:
    """Return the names of the files that can go."""
    names: list[str | None] = []
    for job in queries.some(session, job_ids).values():
        if job.state is JobState.REVIEWING:
            names.append(job.output_file)
        elif job.announced_at is not None and job.state in {JobState.SUCCEEDED, JobState.WITHHELD}:
            names += [job.source_file, job.output_file]
            # The files' names go in the same step: what is announced now is the link.
            transitions.drop_files(session, job.id, at)
    return names


def _drop_photos(session: Session, job_ids: Collection[str], at: datetime) -> list[str | None]:
    """Return the names of the files that can go."""
    names: list[str | None] = []
    for job in queries.some(session, job_ids).values():
        if job.state is JobState.WAITING and job.held is not None:  # else it continues after all
            names.append(job.source_file)
            transitions.give_way(session, job.id, at)
    return names
