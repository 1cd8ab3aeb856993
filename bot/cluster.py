"""Several processes on one PostgreSQL: which of them serves which servers, and what that allows it to do.

A process has a lease on its shards, by the database's clock. What it says about leases goes over a connection
of its own, with short timeouts.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, ForeignKey, Integer, Row, delete, false, func, insert, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from yarl import URL

from bot.aio.net import Gate
from bot.base import DIRECT_MESSAGES, NUMBER, Base, Shards, shard_of
from bot.clock import Clock, boottime
from bot.connections import UNUSABLE, usable_database
from bot.db import LEASE_TIMEOUT, NAME_PREFIX, Database, Fence
from bot.errors import StudiiBotError
from bot.sqlite_file import sqlite_file
from bot.version import VERSION

_log = logging.getLogger(__name__)

FREE_TURNS = 7  # in a row that shards are free, half a minute, are an error
TOLD_AFTER = 2.0  # seconds from the interaction's arrival; Discord waits for 3
# When the interaction arrived that is handled now, by the clock's monotonic time.
arrived_at: ContextVar[float | None] = ContextVar("arrived_at", default=None)
_LATER_ANSWER = re.compile(r"/webhooks/\d+/")  # to an interaction
_ANSWER = re.compile(rf"/interactions/\d+/|{_LATER_ANSWER.pattern}")


class Process(Base):
    """A process's lease: its shards are its own until `until`, by the database's clock.

    A number (`epoch`) is given once, so that rows with it belong to that one term of that one process. On
    SQLite, where there is one process, this table and the next ones stay empty.
    """

    __tablename__ = "processes"

    name: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime]
    until: Mapped[datetime]
    epoch: Mapped[int] = mapped_column(NUMBER, primary_key=True, default=None)


class Shard(Base):
    """One of Discord's shards. Without an epoch, it is free."""

    __tablename__ = "shards"

    shard: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("processes.epoch", ondelete="SET NULL"), default=None
    )
    since: Mapped[datetime | None] = mapped_column(default=None)


class IdentifyTurn(Base):
    """The time at which the next connection of a bucket may identify itself at Discord's gateway."""

    __tablename__ = "identify_turns"

    bucket: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_at: Mapped[datetime]


def register(session: Session, name: str, seconds: float) -> int:
    """Add a process with a lease of `seconds`. Return its number."""
    return session.scalars(
        text(
            "INSERT INTO processes (name, version, started_at, until) VALUES (:name, :version,"
            " clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds)) RETURNING epoch"
        ),
        {"name": name, "version": VERSION, "seconds": seconds},
    ).one()


def renew(session: Session, epoch: int, seconds: float) -> bool:
    """Let the lease last for `seconds` from now. Return False if the process is gone."""
    renewed = session.scalars(
        text(
            "UPDATE processes SET until = clock_timestamp() + make_interval(secs => :seconds)"
            " WHERE epoch = :epoch RETURNING epoch"
        ),
        {"epoch": epoch, "seconds": seconds},
    )
    return renewed.first() is not None


def leave(session: Session, epoch: int) -> None:
    """Remove the process: its shards are free."""
    session.execute(delete(Process).where(Process.epoch == epoch))


def all_shards(session: Session) -> dict[int, bool]:
    """Return whether a living process holds it, of each shard in their order; none were stored at first."""
    holders = (
        select(Shard.shard, func.coalesce(Process.until >= func.clock_timestamp(), false()))
        .outerjoin(Process, Process.epoch == Shard.epoch)
        .order_by(Shard.shard)
    )
    return dict(session.execute(holders).all())


def take(session: Session, epoch: int, most: int | None, number: int) -> tuple[int, frozenset[int]]:
    """Take free shards, at most `most` or all if that is None, also those of processes whose lease is over.

    Their open transactions are ended. While no process holds a shard, there are `number` shards. Return their
    number, and all that the process holds now.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(21332, 4)"))  # one process after the other
    session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " JOIN processes ON application_name = CAST(:prefix AS text) || epoch"
            " WHERE datname = current_database() AND until < clock_timestamp() AND epoch <> :epoch"
        ),
        {"epoch": epoch, "prefix": NAME_PREFIX},
    )
    session.execute(delete(Process).where(Process.until < func.clock_timestamp(), Process.epoch != epoch))
    there = all_shards(session)
    count = len(there) if any(there.values()) else number
    if count != len(there):
        session.execute(delete(Shard))
        session.execute(insert(Shard), [{"shard": shard} for shard in range(count)])
    free = select(Shard.shard).where(Shard.epoch.is_(None)).order_by(Shard.shard).limit(most)
    taken = update(Shard).where(Shard.shard.in_(free)).values(epoch=epoch, since=func.clock_timestamp())
    session.execute(taken, execution_options={"synchronize_session": False})
    return count, frozenset(session.scalars(select(Shard.shard).where(Shard.epoch == epoch)))


def all_processes(session: Session) -> Sequence[Row[Any]]:
    """Return all processes, in the order of their numbers, with their shards and since when they have them.

    Without a shard one stands by. `alive`: its lease lasts.
    """
    return session.execute(
        text(
            "SELECT processes.epoch, name, version, started_at, until >= clock_timestamp() AS alive,"
            " array_remove(array_agg(shard ORDER BY shard), NULL) AS shards, min(since) AS since"
            " FROM processes LEFT JOIN shards ON shards.epoch = processes.epoch"
            " GROUP BY processes.epoch ORDER BY processes.epoch"
        )
    ).all()


def identify_turn(session: Session, bucket: int, seconds: float) -> float | None:
    """Take the turn of a bucket, if the one before was `seconds` ago. Else return when to try again."""
    turn = text(
        "INSERT INTO identify_turns AS turns (bucket, next_at)"
        " VALUES (:bucket, clock_timestamp() + make_interval(secs => :seconds)) ON CONFLICT (bucket) DO"
        " UPDATE SET next_at = clock_timestamp() + make_interval(secs => :seconds)"
        " WHERE turns.next_at <= clock_timestamp() RETURNING bucket"
    )
    if session.scalars(turn, {"bucket": bucket, "seconds": seconds}).first() is not None:
        return None
    left = func.extract("epoch", IdentifyTurn.next_at - func.clock_timestamp())
    return max(0.0, float(session.scalars(select(left).where(IdentifyTurn.bucket == bucket)).one()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """Durations in seconds. Tests shorten them."""

    lasts: float = 20.0
    renewed_every: float = 5.0
    margin: float = 1.0  # by which a process believes that its lease ends earlier, as clocks differ in pace
    standby_pause: float = 1.0  # of a process that stands by, or can't reach the database
    identify_every: float = 5.5  # between two IDENTIFYs of a bucket: Discord's 5, and what the network adds


async def one_shard() -> int:
    """Return how many shards a bot needs that is in few servers."""
    return 1


@dataclass(frozen=True, slots=True)
class WantedShards:
    """The shards that a process would serve. `recommended` asks Discord how many shards it recommends.

    `shard_count` and `per_process` are the settings: None means the recommended number, and all shards.
    """

    recommended: Callable[[], Awaitable[int]] = one_shard
    shard_count: int | None = None
    per_process: int | None = None

    def most(self, held: Shards) -> int | None:
        """Return how many more shards are taken beside those held, or None for all."""
        if self.per_process is None:
            return 0 if held.held and held.all else None
        return max(0, self.per_process - len(held.held))

    async def number(self, there: Mapping[int, bool], within: float) -> int:
        """Return how many shards there are to be, if no process holds one of those that are `there`.

        A process that serves all shards follows Discord's recommendation as it grows; where each serves some,
        the stored number stays until the setting says otherwise. Where there are shards already, Discord has
        `within` seconds to answer.
        """
        stored = len(there)
        if self.shard_count is not None or any(there.values()) or (self.per_process is not None and stored):
            return self.shard_count or stored
        if not stored:
            return await self.recommended()
        # Rather the stored number than no one who serves; and the lease has to be renewed before long.
        try:
            async with asyncio.timeout(within):
                return max(stored, await self.recommended())
        except (StudiiBotError, TimeoutError) as error:
            _log.warning(
                "Discord couldn't be asked how many shards it recommends, so there are %d as before. %s",
                stored,
                error,
            )
            return stored


class Membership(Fence):
    """This process among those on its database.

    Alone (without `db`), as on SQLite, it serves all servers, always. Else `kept` renews its lease.
    """

    def __init__(
        self,
        db: Database | None = None,
        name: str = "",
        wanted: WantedShards | None = None,
        times: LeaseTimes | None = None,
        count: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = boottime,
    ) -> None:
        self._db, self._name, self._wanted = cast("Database", db), name, cast("WantedShards", wanted)
        self._times, self._count, self._clock = times or LeaseTimes(), count, clock
        self.free_shards = 0  # which no process holds
        self.stood_by = False  # it has waited for another one's shards
        self._serves, self._lost = asyncio.Event(), asyncio.Event()
        self._gained: list[Callable[[frozenset[int]], None]] = []
        # The lease's end: it lasts from some moment after the database was asked.
        self._renew_at, self._ends = 0.0, float("inf")
        self._away = self._was_cut_off = False
        self._free_turns = 0  # in a row in which there were some
        self._number = 0
        self._keeping = set[asyncio.Task[None]]()
        self._taken_at: dict[int, float] = {DIRECT_MESSAGES: float("-inf")}
        if db is None:
            self._serves.set()
        else:
            self.shards, self._taken_at, self._ends = Shards(0, frozenset()), {}, 0.0

    @property
    def sharded(self) -> Shards | None:
        """Return the shards to connect, or None if Discord's recommendation is to be followed."""
        return None if self.epoch is None else self.shards

    def met(self) -> None:
        self._count("fence")
        self._lose()

    def may_act(self) -> bool:
        """Return whether no other process can have taken over by now."""
        return self._clock() < self._ends

    def may_tell(self) -> bool:
        """Return whether people may still be told that the database can't be reached."""
        # A process that stood still has not tried to renew its lease, in vain, when that has ended.
        return not self._lost.is_set() and self._away and not self.may_act()

    def may_finish(self) -> bool:
        """Return whether people may still be given the answers that this process has announced, although
        another one has taken over."""
        return self._lost.is_set() and self._was_cut_off

    def held_for(self, guild_id: int) -> float:
        """Return for how many seconds the server's shard has been held."""
        now = self._clock()
        return now - self._taken_at.get(shard_of(guild_id, self.shards.count), now)

    async def others(self) -> int:
        """Return how many other processes there are."""
        if self.epoch is None:
            return 0
        return sum(one.alive and one.epoch != self.epoch for one in await self._db.write(all_processes))

    async def stand_by(self) -> None:
        """Return when there is something to serve."""
        await self._until(self._serves)

    async def lost(self) -> None:
        """Return when another process has taken over: this one must drop everything."""
        await self._until(self._lost)

    def was_lost(self) -> bool:
        """Return whether another process has taken over."""
        return self._lost.is_set()

    def when_gained(self, listener: Callable[[frozenset[int]], None]) -> None:
        """Call `listener` with shards that are taken from now on. It must not raise."""
        self._gained.append(listener)

    async def identify_turn(self, shard: int, buckets: int) -> None:
        """Return when this process may identify the shard at the gateway; `buckets` may do so at once."""
        wait: float | None = 0.0
        while wait is not None:
            await asyncio.sleep(wait)
            wait = self._times.standby_pause
            with suppress(*UNUSABLE):
                wait = await self._db.write(
                    identify_turn, shard % max(1, buckets), self._times.identify_every
                )

    async def register(self) -> None:
        """Add this process to the others, without a shard. Raises one of `UNUSABLE`."""
        self.epoch = self._number = await self._db.write(register, self._name, self._times.lasts)
        self._renew_at = self._clock() + self._times.renewed_every

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Keep the lease during the block, and let the others have the shards after it."""
        keeping = asyncio.create_task(self._run(), name="lease")
        self._keeping = {keeping}
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            with suppress(*UNUSABLE):
                await self._db.write(leave, self._number)

    async def _run(self) -> None:
        """Keep the lease and take free shards, until the lease is lost or the task cancelled."""
        while not self._lost.is_set():
            try:
                await self._turn()
                self._away = False
            except UNUSABLE:  # which is logged
                self._away = True
            if not self.shards.held and not self.stood_by:
                self.stood_by = True
                _log.info(
                    "Process %s (%s) stands by: other processes serve all shards.", self.epoch, self._name
                )
            works = self.shards.held and not self._away
            await asyncio.sleep(self._times.renewed_every if works else self._times.standby_pause)

    async def _turn(self) -> None:
        if self._clock() >= self._renew_at and not await self._renew():
            return
        if self._wanted.most(self.shards) != 0:
            await self._take()
        if self.shards.held:
            free = [one for one, held in (await self._db.write(all_shards)).items() if not held]
            self.free_shards, self._free_turns = len(free), self._free_turns + 1 if free else 0
            if self._free_turns == FREE_TURNS:
                _log.error(
                    "No process serves %s %s of %d, so the servers there get no answer. Start another "
                    "process, or raise SHARDS_PER_PROCESS.",
                    "shard" if len(free) == 1 else "shards",
                    ", ".join(map(str, free)),
                    self.shards.count,
                )

    async def _renew(self) -> bool:
        """Return False if the process is not among the others any more, and had shards."""
        asked_at = self._clock()
        if await self._db.write(renew, self._number, self._times.lasts):
            self._ends = asked_at + self._times.lasts - self._times.margin
            self._renew_at = self._clock() + self._times.renewed_every
        elif self.shards.held:
            self._lose()
            return False
        else:
            await self.register()  # it stood still while it stood by
        return True

    async def _take(self) -> None:
        """Take free shards, if there are any."""
        there, most = await self._db.write(all_shards), self._wanted.most(self.shards)
        if there and all(there.values()):
            return
        number = await self._wanted.number(there, self._times.renewed_every)
        asked_at = self._clock()
        count, held = await self._db.write(take, self._number, most, number)
        gained = held - self.shards.held
        self.shards = Shards(count, held)
        if not gained:
            return
        self._ends = asked_at + self._times.lasts - self._times.margin
        self._taken_at |= dict.fromkeys(gained, self._clock())
        for _ in gained:
            self._count("takeover")
        wanted = self._wanted.shard_count
        _log.info("Process %s (%s) serves shards %s of %d.", self.epoch, self._name, self.shards, count)
        if wanted not in (None, count):
            _log.warning(
                "SHARD_COUNT is %s, but the running processes share %d shards, and so does this one. To "
                "change that, stop all processes first.",
                wanted,
                count,
            )
        self._serves.set()
        for listener in self._gained:
            listener(gained)

    def _lose(self) -> None:
        # It could not store what it has announced, for the next process. One that stood still could.
        self._was_cut_off |= self.may_tell()
        self._ends = float("-inf")
        if not self._lost.is_set():
            self._lost.set()
            _log.error(
                "Another process has taken over from process %s (%s), which stood still or was cut off from "
                "the database. This one drops its shards and ends.",
                self.epoch,
                self._name,
            )

    async def _until(self, event: asyncio.Event) -> None:
        """Wait for the event. Raises what has ended `_run`, if something did."""
        waiting = asyncio.create_task(event.wait(), name="lease event")
        try:
            await asyncio.wait({waiting, *self._keeping}, return_when=asyncio.FIRST_COMPLETED)
            for one in self._keeping if not event.is_set() else ():
                one.result()
        finally:
            waiting.cancel()


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
    async with Database.open(
        url, statement_timeout=LEASE_TIMEOUT, used_for="renew this process's lease"
    ) as db:
        member = Membership(db, name, wanted, times, count, clock)
        with usable_database(url):
            await member.register()
        async with member.kept():
            yield member


def discord_gate(member: Membership, clock: Clock) -> Gate:
    """Return the gate of requests to Discord.

    While the database is out of reach, answers say so after the lease's end too. That may be because this
    process alone is cut off: so no answer comes before `TOLD_AFTER`, when one that has taken over has
    answered. Such a process gives the answers that it has announced also once it is replaced.
    """

    def may_tell(url: URL) -> bool:
        return member.may_tell() and _ANSWER.search(url.path) is not None

    def allows(url: URL) -> bool:
        return (
            member.may_act()
            or may_tell(url)
            or (member.may_finish() and _LATER_ANSWER.search(url.path) is not None)
        )

    def delay(url: URL) -> float:
        if member.may_act() or not may_tell(url):
            return 0.0
        arrived = arrived_at.get()
        return TOLD_AFTER if arrived is None else max(0.0, arrived + TOLD_AFTER - clock.monotonic())

    return Gate(allows, delay)
