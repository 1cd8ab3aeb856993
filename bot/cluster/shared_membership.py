"""A process among those that share a database: it stands by, takes shards, and keeps its lease."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from bot.clock import boottime
from bot.cluster.lease import Lease, LeaseTimes
from bot.cluster.membership import Membership
from bot.cluster.wanted_shards import WantedShards
from bot.db_failures import UNUSABLE, usable_database
from bot.domain.shards import Shards, shard_of
from bot.sqlite_file import sqlite_file
from bot.storage import ProcessTable
from bot.version import VERSION

_log = logging.getLogger(__name__)

IDENTIFY_EVERY = 5.5  # seconds between two IDENTIFYs of a bucket: Discord's 5, and what the network adds


class SharedMembership(Membership):
    """A process that shares its database. Its lease is renewed by `run`."""

    def __init__(
        self,
        table: ProcessTable,
        name: str,
        wanted: WantedShards,
        times: LeaseTimes,
        count: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._table = table
        self._wanted = wanted
        self._times = times
        self._count = count
        self._clock = clock
        self._lease = Lease(times)
        self.shards = Shards(0, frozenset())
        self._taken_at: dict[int, float] = {}
        self._serves = asyncio.Event()
        self._lost = asyncio.Event()
        self._gained: list[Callable[[frozenset[int]], None]] = []
        self._renew_at = 0.0
        self._away = False
        self._was_cut_off = False
        self._free_since: float | None = None
        self._free_said = False
        self._count_said = False
        self._keeping: asyncio.Task[None]

    @property
    def sharded(self) -> Shards | None:
        return self.shards

    def met(self) -> None:
        self._count("fence")
        self._lose()

    def may_act(self) -> bool:
        return self._lease.lasts_at(self._clock())

    def may_tell(self) -> bool:
        return not self._lost.is_set() and self._lease.is_cut_off_at(self._clock())

    def may_finish(self) -> bool:
        return self._lost.is_set() and self._was_cut_off

    def held_for(self, guild_id: int) -> float:
        taken = self._taken_at.get(shard_of(guild_id, self.shards.count))
        return 0.0 if taken is None else self._clock() - taken

    async def others(self) -> int:
        return sum(one.alive and one.epoch != self.epoch for one in await self._table.processes())

    async def stand_by(self) -> None:
        await self._until(self._serves)

    async def lost(self) -> None:
        await self._until(self._lost)

    def when_gained(self, listener: Callable[[frozenset[int]], None]) -> None:
        self._gained.append(listener)

    async def identify_turn(self, shard: int, buckets: int) -> None:
        while True:
            try:
                wait = await self._table.identify_turn(shard % max(1, buckets), IDENTIFY_EVERY)
            except UNUSABLE:
                await asyncio.sleep(self._times.standby_pause)
            else:
                if wait is None:
                    return
                await asyncio.sleep(wait)

    async def register(self) -> None:
        """Add this process to the others, without a shard. Raises one of `UNUSABLE`."""
        self._lease.renewing(self._clock())
        self.epoch = await self._table.register(self.name, VERSION, self._times.lasts)
        self._renew_at = self._clock() + self._times.renewed_every

    async def run(self) -> None:
        """Keep the lease and take free shards, until the lease is lost or the task cancelled."""
        while not self._lost.is_set():
            try:
                await self._turn()
            except UNUSABLE as error:
                self._is_away(error)
            else:
                self._is_back()
            if not self.shards.held and not self.stood_by:
                self.stood_by = True
                said = "Process %s (%s) stands by: other processes serve all shards."
                _log.info(said, self.epoch, self.name)
            rests = self._away or not self.shards.held
            await asyncio.sleep(self._times.standby_pause if rests else self._times.renewed_every)

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Keep the lease during the block, and let the others have the shards after it."""
        self._keeping = asyncio.create_task(self.run(), name="lease")
        try:
            yield
        finally:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            with suppress(*UNUSABLE):
                await self.leave()

    async def leave(self) -> None:
        if self.epoch is not None:
            await self._table.leave(self.epoch)

    async def take(self) -> bool:
        """Take free shards if there is room for more. Return whether any are held."""
        counts = await self._table.counts()
        most = self._wanted.most(self.shards)
        if most == 0 or (counts.held and counts.held == counts.shards):
            return bool(self.shards.held)
        recommended = await self._wanted.recommendation(counts, self._times.renewed_every)
        epoch = self._number()
        self._lease.renewing(self._clock())
        count, held = await self._table.take(epoch, most, lambda seen: self._wanted.number(seen, recommended))
        self._now_held(count, held)
        return bool(held)

    async def _turn(self) -> None:
        if self._clock() >= self._renew_at and not await self._renew():
            return
        if self._wanted.most(self.shards) != 0:
            await self.take()
        if self.shards.held:
            self._note_free(await self._table.free())

    async def _renew(self) -> bool:
        """Return False if the process is not among the others any more, and had shards."""
        self._lease.renewing(self._clock())
        if not await self._table.renew(self._number(), self._times.lasts):
            if self.shards.held:
                self._lose()
                return False
            await self.register()  # it stood still while it stood by
            return True
        self._lease.renewed()
        self._renew_at = self._clock() + self._times.renewed_every
        return True

    def _now_held(self, count: int, held: frozenset[int]) -> None:
        gained = held - self.shards.held
        self.shards = Shards(count, held)
        if not gained:
            return
        self._lease.renewed()
        now = self._clock()
        self._taken_at |= dict.fromkeys(gained, now)
        for _ in gained:
            self._count("takeover")
        _log.info("Process %s (%s) serves shards %s of %d.", self.epoch, self.name, self.shards, count)
        if self._wanted.shard_count not in (None, count) and not self._count_said:
            self._count_said = True
            _log.warning(
                "SHARD_COUNT is %s, but the running processes share %d shards, and so does this one. To "
                "change that, stop all processes first.",
                self._wanted.shard_count,
                count,
            )
        self._serves.set()
        for listener in self._gained:
            listener(gained)

    def _note_free(self, free: list[int]) -> None:
        """Say once if there are shards that nobody takes."""
        now = self._clock()
        self.free_shards = len(free)
        if not free:
            self._free_since, self._free_said = None, False
            return
        self._free_since = now if self._free_since is None else self._free_since
        if now - self._free_since >= self._times.free_bound and not self._free_said:
            self._free_said = True
            _log.error(
                "No process serves %s %s of %d, so the servers there get no answer. Start another process, "
                "or raise SHARDS_PER_PROCESS.",
                "shard" if len(free) == 1 else "shards",
                ", ".join(map(str, free)),
                self.shards.count,
            )

    def _lose(self) -> None:
        # It could not store what it has announced, for the next process. One that stood still could.
        self._was_cut_off |= self._away and self._lease.is_cut_off_at(self._clock())
        self._lease.end()
        if not self._lost.is_set():
            self._lost.set()
            _log.error(
                "Another process has taken over from process %s (%s), which stood still or was cut off from "
                "the database. This one drops its shards.",
                self.epoch,
                self.name,
            )

    def _is_away(self, error: Exception) -> None:
        if not self._away:
            _log.warning(
                "The database can't be reached to renew this process's lease (%s). When the lease is over, "
                "nothing is accepted or submitted until the database is back.",
                type(error).__name__,
            )
        self._away = True

    def _is_back(self) -> None:
        if self._away:
            _log.warning("The database is back, and this process has its lease.")
        self._away = False

    async def _until(self, event: asyncio.Event) -> None:
        """Wait for the event. Raises what has ended `run`, if something did."""
        waiting = asyncio.create_task(event.wait(), name="lease event")
        try:
            await asyncio.wait({waiting, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not event.is_set():
                self._keeping.result()
        finally:
            waiting.cancel()

    def _number(self) -> int:
        if self.epoch is None:
            raise RuntimeError("the process is not registered")
        return self.epoch


@asynccontextmanager
async def membership(
    url: str,
    name: str,
    wanted: WantedShards,
    *,
    times: LeaseTimes | None = None,
    count: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = boottime,
) -> AsyncGenerator[Membership]:
    """Be one of the processes on this database, whose tables exist, during the block.

    On SQLite it is the only one. `name` is what operators know it by. `count` is called with "takeover" for
    each shard that is taken, and with "fence" when a transaction found that another process has taken over.
    Raises `SettingsError` if the database can't be used.
    """
    if sqlite_file(url) is not None:
        yield Membership()
        return
    async with ProcessTable.open(url) as table:
        member = SharedMembership(table, name, wanted, times or LeaseTimes(), count, clock)
        with usable_database(url):
            await member.register()
        async with member.kept():
            yield member
