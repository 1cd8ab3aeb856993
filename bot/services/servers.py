"""A server comes, pauses, and goes."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.model import FailureCode, Job, JobState
from bot.services.patience import PATIENCE
from bot.storage import Storage, Transaction

log = logging.getLogger(__name__)

UNSENT = (JobState.RECEIVED, JobState.WAITING, JobState.UPLOADING)
APPLICATION = "application"  # the name under which the bot's own id is kept
REMOVED = (
    "The bot was removed from the server while this was being made, and with it the server's Studii key."
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of a server's jobs: so many were cancelled unpaid, so many are still being made."""

    cancelled: int
    running: int


class ServerService:
    """Whether a server takes jobs at the moment, and what is left of it when it removes the bot."""

    def __init__(self, storage: Storage, clock: Clock, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._wake = wake

    async def paused(self, guild_id: int) -> bool:
        """Whether new jobs are refused."""
        async with self._storage.read() as transaction:
            return (await transaction.guilds.get(guild_id)).paused

    async def pause(self, guild_id: int, *, paused: bool) -> bool:
        """Refuse new jobs, or take them again; what is going goes on. Returns whether that is a change."""
        async with self._storage.write(patience=PATIENCE) as transaction:
            if (await transaction.guilds.get(guild_id)).paused is paused:
                return False
            await transaction.guilds.set_paused(guild_id, self._clock.now() if paused else None)
        return True

    async def joined(self, guild_id: int) -> bool:
        """The bot is in the server (again). Whether to greet it: true once for each stay."""
        async with self._storage.write() as transaction:
            return await transaction.guilds.came(guild_id, self._clock.now())

    async def left(self, guild_id: int) -> None:
        """The server removed the bot: its keys are erased now, and the rest in time, unless it comes back.

        What was not sent yet is cancelled, unpaid; what Studii had is over, and costs what Studii said.
        """
        async with self._storage.write() as transaction:
            await transaction.ledger.lock(guild_id)
            now = self._clock.now()
            await cancel_unsent(transaction, guild_id, now)
            for job in await _of(transaction, guild_id, (JobState.RUNNING,)):
                await _end_running(transaction, job, now)
            await transaction.guilds.set_key(guild_id, None, now)
            await transaction.privacy.erase_keys(guild_id, now)
            await transaction.guilds.went(guild_id, now)
        log.info("The bot was removed from server %d; its keys are erased.", guild_id)
        self._wake()

    async def compare(self, application_id: int, present: Collection[int]) -> list[int]:
        """What happened while the bot was away: servers that it knows and is not in any more were left.

        Returns those that it came into meanwhile; `joined` is still to be called for them.
        """
        mine = str(application_id).encode()
        async with self._storage.write() as transaction:
            before = await transaction.meta.get(APPLICATION)
            known = await transaction.guilds.present()
            if before is None or before == mine:
                await transaction.meta.set(APPLICATION, mine)
        if before is not None and before != mine:
            # With another bot's token, no server of this database is there: that is a mistake, no farewell.
            log.warning("The token is another bot's than before; no server counts as left.")
            return []
        for guild_id in set(known) - set(present):
            await self.left(guild_id)
        return sorted(set(present) - set(known))


async def cancel_unsent(transaction: Transaction, guild_id: int, at: datetime) -> int:
    """Cancel what Studii has not been asked for yet; nothing is charged. How many there were."""
    cancelled = 0
    for job in await _of(transaction, guild_id, UNSENT):
        ended = await transaction.jobs.advance(
            job.id, UNSENT, JobState.CANCELLED, at=at, finished_at=at, held=None, not_before=None
        )
        if ended is not None:
            await transaction.ledger.release(job.id, at)
            cancelled += 1
    return cancelled


async def running(transaction: Transaction, guild_id: int) -> int:
    """How many jobs of the server are with Studii."""
    return len(await _of(transaction, guild_id, (JobState.SUBMITTING, JobState.RUNNING)))


async def _of(transaction: Transaction, guild_id: int, states: Collection[JobState]) -> list[Job]:
    return [job for job in await transaction.jobs.in_states(states) if job.guild_id == guild_id]


async def _end_running(transaction: Transaction, job: Job, at: datetime) -> None:
    charge = job.charged if job.charged is not None else job.reserved
    failed = await transaction.jobs.advance(
        job.id,
        JobState.RUNNING,
        JobState.FAILED,
        at=at,
        failure=FailureCode.LOST,
        failure_text=REMOVED,
        finished_at=at,
        charged=charge,
    )
    if failed is not None:
        await transaction.ledger.settle(job.id, charge, at)
