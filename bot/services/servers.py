"""Servers that remove the bot."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.credits import ledger
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, JobState
from bot.jobs.transitions import charge_of
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings
from bot.services.service import Service
from bot.storage import Storage, Transaction

_log = logging.getLogger(__name__)

MAX_FORGOTTEN_UNASKED = 3  # servers that are forgotten at a time without the operator's word


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The numbers of a server's jobs that were cancelled unpaid, and that still run."""

    cancelled: int
    running: int


# Whether the server has removed the bot, or None if Discord has not said.
Asking = Callable[[int], Awaitable[bool | None]]


@dataclass(frozen=True, slots=True)
class Parted:
    """The servers that were forgotten, those that still have the bot, and those without an answer."""

    forgotten: list[int] = field(default_factory=list[int])
    kept: list[int] = field(default_factory=list[int])
    unanswered: list[int] = field(default_factory=list[int])


class ServerService(Service):
    """Handles that servers remove the bot."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._parting = asyncio.Lock()

    async def left(self, guild_id: int) -> None:
        """Record that the server removed the bot. Its keys are erased now, the rest later unless it returns.

        Jobs that were not sent are cancelled, unpaid. Jobs at Studii end, at the charge that Studii told.
        """
        async with self._storage.write() as transaction:
            await transaction.run(ledger.lock, guild_id)
            now = self._clock.now()
            await transaction.run(transitions.cancel_unsent, guild_id, now)
            removed = Reason(ReasonCode.SERVER_REMOVED)
            for job in await transaction.run(queries.in_states, (JobState.RUNNING,)):
                if job.guild_id == guild_id:
                    await transaction.run(
                        transitions.fail_paid, job.id, FailureCode.LOST, removed, charge_of(job), now
                    )
            unseen = Reason(ReasonCode.RESULT_SERVER_REMOVED)
            for job in await transaction.run(queries.in_states, (JobState.REVIEWING,)):
                if job.guild_id == guild_id:
                    await transaction.run(transitions.withhold_result, job.id, unseen, now)
            await transaction.run(settings.set_key, guild_id, None, now)
            await transaction.run(keys.erase, guild_id, now)
            await transaction.run(settings.went, guild_id, now)
        _log.info("The bot was removed from server %d; its keys were erased.", guild_id)

    async def part(self, absent: Collection[int], removed: Asking) -> None:
        """Forget those of the servers that have removed the bot, if they are few.

        If they are many, something else may be wrong: nothing of theirs is erased, and what waits there is
        not sent, until they are seen again or the operator lets them be forgotten (`forget_missing`).
        """
        async with self._parting:
            gone = [guild_id for guild_id in absent if await removed(guild_id)]
            async with self._storage.write() as transaction:
                missing = await transaction.run(settings.missing)
                fresh = sorted(set(gone) - set(missing))
                if len(fresh) > MAX_FORGOTTEN_UNASKED:
                    await transaction.run(settings.set_missing, fresh, self._clock.now())
            if len(fresh) <= MAX_FORGOTTEN_UNASKED:
                for guild_id in fresh:
                    await self.left(guild_id)
                return
        _log.warning(
            "Discord reports that %d servers removed the bot while it was offline. Their Studii keys "
            "are kept, and their waiting jobs are not sent. If the report is right, run: python -m "
            "bot forget-servers",
            len(fresh),
        )

    async def missing(self) -> list[int]:
        """Return the servers that wait for the operator's confirmation."""
        async with self._storage.read() as transaction:
            return list(await transaction.run(settings.missing))

    async def forget_missing(self, removed: Asking) -> Parted:
        """Forget the servers that wait for confirmation, as `left` does, if Discord still says so."""
        parted = Parted()
        for guild_id in await self.missing():
            match await removed(guild_id):
                case True:
                    await self.left(guild_id)
                    parted.forgotten.append(guild_id)
                case False:
                    async with self._storage.write() as transaction:
                        await transaction.run(settings.set_missing, [guild_id], None)
                    parted.kept.append(guild_id)
                case None:
                    parted.unanswered.append(guild_id)
        return parted


async def running(transaction: Transaction, guild_id: int) -> int:
    """Return the number of the server's jobs at Studii."""
    there = await transaction.run(queries.in_states, (JobState.SUBMITTING, JobState.RUNNING))
    return sum(job.guild_id == guild_id for job in there)
