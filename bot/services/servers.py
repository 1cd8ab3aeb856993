"""Servers that add, pause or remove the bot."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from bot import meta
from bot.clock import Clock
from bot.domain import FailureCode, JobState
from bot.lifecycle.transitions import cancel_unsent, charge_of, fail_paid, withhold_result
from bot.reasons import Reason, ReasonCode
from bot.services.service import Service
from bot.storage import Storage, Transaction

_log = logging.getLogger(__name__)

MAX_FORGOTTEN_UNASKED = 3  # servers that are forgotten at a time without the operator's word
APPLICATION = "application"  # the name under which the bot's own id is kept


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The numbers of a server's jobs that were cancelled unpaid, and that still run."""

    cancelled: int
    running: int


# Whether the server has removed the bot, or None if Discord has not said.
Asking = Callable[[int], Awaitable[bool | None]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The servers that added the bot while it was away, and those that may have removed it."""

    joined: list[int]
    absent: list[int]


@dataclass(frozen=True, slots=True)
class Parted:
    """The servers that were forgotten, those that still have the bot, and those without an answer."""

    forgotten: list[int] = field(default_factory=list[int])
    kept: list[int] = field(default_factory=list[int])
    unanswered: list[int] = field(default_factory=list[int])


class ServerService(Service):
    """Pauses servers, and handles their adding and removing of the bot."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._parting = asyncio.Lock()

    async def pause(self, guild_id: int, *, paused: bool) -> bool:
        """Pause or resume new jobs. Running jobs continue. Return whether that is a change."""
        async with self._changing() as transaction:
            if (await transaction.guilds.get(guild_id)).paused is paused:
                return False
            await transaction.guilds.set_paused(guild_id, self._clock.now() if paused else None)
        return True

    async def keeps_metadata(self, guild_id: int) -> bool:
        """Return whether photos keep their metadata."""
        async with self._storage.read() as transaction:
            return (await transaction.guilds.get(guild_id)).keeps_metadata

    async def keep_metadata(self, guild_id: int, *, keeps: bool) -> None:
        """Set whether photos that arrive from now on keep their metadata."""
        async with self._changing() as transaction:
            await transaction.guilds.set(guild_id, keeps_metadata=keeps)

    async def panel_posted(self, guild_id: int) -> None:
        """Note that buttons for every tool were posted in the server."""
        async with self._changing() as transaction:
            await transaction.guilds.set(guild_id, panel_posted_at=self._clock.now())

    async def joined(self, guild_id: int) -> bool:
        """Note that the bot is in the server. Return whether to greet it, once for each stay."""
        async with self._storage.write() as transaction:
            return await transaction.guilds.came(guild_id, self._clock.now())

    async def left(self, guild_id: int) -> None:
        """Record that the server removed the bot. Its keys are erased now, the rest later unless it returns.

        Jobs that were not sent are cancelled, unpaid. Jobs at Studii end, at the charge that Studii told.
        """
        async with self._storage.write() as transaction:
            await transaction.ledger.lock(guild_id)
            now = self._clock.now()
            await cancel_unsent(transaction, guild_id, now)
            removed = Reason(ReasonCode.SERVER_REMOVED)
            for job in await transaction.jobs.in_states((JobState.RUNNING,)):
                if job.guild_id == guild_id:
                    await fail_paid(transaction, job, FailureCode.LOST, removed, charge_of(job), now)
            unseen = Reason(ReasonCode.RESULT_SERVER_REMOVED)
            for job in await transaction.jobs.in_states((JobState.REVIEWING,)):
                if job.guild_id == guild_id:
                    await withhold_result(transaction, job, unseen, now)
            await transaction.guilds.set_key(guild_id, None, now)
            await transaction.privacy.erase_keys(guild_id, now)
            await transaction.guilds.went(guild_id, now)
        _log.info("The bot was removed from server %d; its keys were erased.", guild_id)

    async def compare(self, application_id: int, present: Collection[int]) -> Difference:
        """Compare the servers with those of Discord after an absence. Call `joined` for the servers that
        it came into, and `part` for those of which Discord does not speak any more."""
        mine = str(application_id).encode()
        async with self._storage.write() as transaction:
            before = await transaction.run(meta.get, APPLICATION)
            known = await transaction.guilds.present()
            if before is None or before == mine:
                await transaction.run(meta.set_to, APPLICATION, mine)
                await transaction.guilds.set_missing(set(known) & set(present), None)
        if before is not None and before != mine:
            # With another bot's token, no server of this database is there: that is a mistake, no farewell.
            _log.warning("The token belongs to another bot now, so missing servers don't count as left.")
            return Difference([], [])
        return Difference(sorted(set(present) - set(known)), sorted(set(known) - set(present)))

    async def part(self, absent: Collection[int], removed: Asking) -> None:
        """Forget those of the servers that have removed the bot, if they are few.

        If they are many, something else may be wrong: nothing of theirs is erased, and what waits there is
        not sent, until they are seen again or the operator lets them be forgotten (`forget_missing`).
        """
        async with self._parting:
            gone = [guild_id for guild_id in absent if await removed(guild_id)]
            async with self._storage.write() as transaction:
                missing = await transaction.guilds.missing()
                fresh = sorted(set(gone) - set(missing))
                if len(fresh) > MAX_FORGOTTEN_UNASKED:
                    await transaction.guilds.set_missing(fresh, self._clock.now())
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
            return list(await transaction.guilds.missing())

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
                        await transaction.guilds.set_missing([guild_id], None)
                    parted.kept.append(guild_id)
                case None:
                    parted.unanswered.append(guild_id)
        return parted


async def running(transaction: Transaction, guild_id: int) -> int:
    """Return the number of the server's jobs at Studii."""
    there = await transaction.jobs.in_states((JobState.SUBMITTING, JobState.RUNNING))
    return sum(job.guild_id == guild_id for job in there)
