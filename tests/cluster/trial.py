"""Jobs of many servers while processes are killed, stopped, continued and replaced, and PostgreSQL restarts;
and what the three worlds say of them in the end."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from bot.jobs.models import JobState
from sandbox.discord.emulator.interactions import Interaction
from tests.cluster.world import Cluster, Process
from tests.support.patience import until
from tests.support.postgresql import PostgreSQL

ANSWERED_WITHIN = 3.2  # seconds; Discord takes no answer later
GIVEN_UP = 60.0  # seconds after which a member who was told to wait asks again
PATIENCE = 300.0  # seconds until everything has ended


@dataclass
class Crowd:
    """Members who ask for jobs, and again when nobody answers. `silences`: by server, in seconds."""

    own: Cluster
    guilds: Sequence[int]
    accepted: int = 0
    silences: dict[int, float] = field(default_factory=dict[int, float])

    async def ask(self, guild: int, number: int) -> None:
        """Ask for one job until somebody answers that it was accepted."""
        began = monotonic()
        while not await _answered(asked := self.own.ask(guild, f"Kite {number}")):
            pass  # nobody was there
        self.silences[guild] = max(self.silences.get(guild, 0.0), monotonic() - began)
        told = str(asked.said)
        if f"Kite {number}" in told:
            self.accepted += 1
            return
        await asyncio.sleep(1.0)  # told that it isn't possible now: asked again a little later
        await self.ask(guild, number)


async def _answered(asked: Interaction) -> bool:
    began = monotonic()
    while not asked.over and monotonic() - began < (GIVEN_UP if asked.deferred else ANSWERED_WITHIN):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return asked.over


@dataclass
class Trial:
    """Processes of which some are always there. `hang` is how long one is stopped, in seconds."""

    own: Cluster
    postgresql: PostgreSQL
    shards: int
    per_process: int
    hang: float
    away: float
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    processes: list[Process] = field(default_factory=list[Process])
    refused_identifies: int = 0

    @asynccontextmanager
    async def running(self, count: int) -> AsyncGenerator[None]:
        """Run so many processes."""
        sessions, identify = self.own.discord.sessions, self.own.discord.sessions.identify

        def counted(*given: object) -> object:
            session = identify(*given)  # type: ignore[arg-type]
            self.refused_identifies += session is None
            return session

        sessions.identify = counted  # type: ignore[method-assign,assignment]
        async with self._stack:
            for _ in range(count):
                await self.start()
            await self.connected()
            supervising = asyncio.create_task(self._supervise())
            try:
                yield
            finally:
                supervising.cancel()

    async def _supervise(self) -> None:
        """Start another process for each that has ended by itself, as a supervisor does."""
        while True:
            for one in [one for one in self.processes if one.forked.returncode == 1]:
                self.processes.remove(one)
                await self.start()
            await asyncio.sleep(0.5)

    async def start(self) -> None:
        """Start another process."""
        settings = {"SHARD_COUNT": str(self.shards), "SHARDS_PER_PROCESS": str(self.per_process)}
        process = await self._stack.enter_async_context(self.own.process(**settings))
        await until(lambda: process.serves or process.said("stands by"))
        self.processes.append(process)

    async def connected(self) -> None:
        """Wait until each shard has one session."""
        await until(lambda: self.own.connected() == list(range(self.shards)))

    def _serving(self) -> Process:
        """Return a process that serves shards now."""
        return next(one for one in self.processes if one.forked.returncode is None and one.serves)

    async def kill(self, number: signal.Signals) -> None:
        """Kill or end one, and start another in its place."""
        one = self._serving()
        one.forked.send_signal(number)
        await until(lambda: one.forked.returncode is not None)
        self.processes.remove(one)
        await self.start()
        await self.connected()

    async def stop_and_continue(self) -> None:
        """Stop one for longer than its lease, and continue it."""
        one = self._serving()
        one.forked.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self.hang)
        one.forked.send_signal(signal.SIGCONT)
        await until(lambda: one.said("drops its shards") and one.forked.returncode is not None)
        await self.connected()

    async def restart_database(self) -> None:
        """Stop PostgreSQL for a while."""
        await asyncio.to_thread(self.postgresql.stop)
        await asyncio.sleep(self.away)
        await asyncio.to_thread(self.postgresql.start)

    async def ended(self) -> None:
        """Wait until every job has had its last word."""
        async with asyncio.timeout(PATIENCE):
            while not all(one.over and one.announced_at is not None for one in await self.own.jobs()):  # noqa: ASYNC110
                await asyncio.sleep(0.5)

    async def complaints(self, crowd: Crowd) -> list[str]:
        """Return what the three worlds disagree on."""
        jobs, studii = await self.own.jobs(), self.own.studii
        states = Counter(job.state for job in jobs)
        known = Counter(job.studii_id for job in jobs if job.studii_id is not None)
        wrong = [f"{one} of Studii stands in {count} jobs" for one, count in known.items() if count > 1]
        lost = len(studii.jobs.keys() - known.keys())
        if lost > states[JobState.UNKNOWN]:
            wrong.append(f"{lost} jobs of Studii are nobody's, {states[JobState.UNKNOWN]} are unknown")
        if states[JobState.SUCCEEDED] + states[JobState.UNKNOWN] != len(jobs):
            wrong.append(f"jobs ended as {dict(states)}")
        if len(jobs) < crowd.accepted:
            wrong.append(f"{crowd.accepted} were told that they were accepted, and there are {len(jobs)}")
        for guild in crowd.guilds:
            posted = Counter(self.own.posted(guild))
            wrong += [f"{nonce} was posted {count} times" for nonce, count in posted.items() if count > 1]
            made = {job.id for job in jobs if job.guild_id == guild and job.state is JobState.SUCCEEDED}
            missing = made - {nonce.partition("-")[0] for nonce in posted}
            wrong += [f"the result of {one} was not posted" for one in missing]
        charged = sum(job.settled for job in jobs)
        by_studii = sum(one.charged or 0 for name, one in studii.jobs.items() if name in known)
        if charged != by_studii:
            wrong.append(f"{charged} credits were charged, by Studii {by_studii}")
        if limited := studii.requests.count(status=429):
            wrong.append(f"{limited} requests met a 429")
        if self.refused_identifies:
            wrong.append(f"{self.refused_identifies} IDENTIFYs came too soon")
        return wrong


async def crowd_asks(crowd: Crowd, jobs: int, seconds: float) -> None:
    """Let members of all servers ask for so many jobs, spread over these seconds."""
    chance = random.Random(1)

    async def one(number: int) -> None:
        await asyncio.sleep(chance.uniform(0.0, seconds))
        await crowd.ask(crowd.guilds[number % len(crowd.guilds)], number)

    async with asyncio.TaskGroup() as group:
        for number in range(jobs):
            group.create_task(one(number))
