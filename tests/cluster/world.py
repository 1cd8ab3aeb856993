"""Discord with shards, Studii, and processes of the bot on one PostgreSQL, each as on a host of its own."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from bot.clock import SystemClock
from bot.credits import budgets
from bot.db import Database
from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.servers.keys import Plan
from bot.servers.settings import Period
from bot.vault import Vault, lane_names
from sandbox.discord.emulator import DiscordServer, Rules
from sandbox.discord.emulator.interactions import Interaction
from sandbox.studii import Key, Options, RateStyle, StudiiServer
from tests.cluster.shortened import NAME, RATE
from tests.support.forks import ForkedProcess
from tests.support.postgresql import new_migrated_database
from tests.support.process import bot_process
from tests.support.resources import store_key

# Less, and a process on a busy machine may be taken for dead.
LEASE = 5.0  # seconds
MEMBER = 1 << 40
FIRST = 1 << 30


def servers(count: int) -> list[int]:
    """Return the ids of that many servers; those of n shards are its first n's, in turn."""
    return [FIRST + (number << 22) for number in range(count)]


@dataclass
class Process:
    """A process, and what it has logged."""

    forked: ForkedProcess
    log: list[str] = field(default_factory=list[str])

    def said(self, words: str) -> bool:
        return any(words in line for line in self.log)

    @property
    def serves(self) -> bool:
        """Whether it serves shards, as far as it has said."""
        words = ("serves shards", "stands by", "drops its shards")
        said = [word for line in self.log for word in words if word in line]
        return bool(said) and said[-1] == words[0]

    async def read(self) -> None:
        """Take over its log until its end."""
        while line := await self.forked.stderr.readline():
            self.log.append(line.decode().rstrip())


@dataclass
class Cluster:
    """The worlds around the processes."""

    discord: DiscordServer
    studii: StudiiServer
    url: str
    folder: Path
    keys: Sequence[Key]
    secret: str
    lease: float | None
    period: float
    _started: int = 0

    @asynccontextmanager
    async def process(self, **settings: str) -> AsyncGenerator[Process]:
        """Run a process on a host of its own, until the end of the block."""
        self._started += 1
        folder = self.folder / f"host{self._started}"
        folder.mkdir()
        environment = {
            "STUDII_API_URL": self.studii.url,
            "DATABASE_URL": self.url.replace("postgresql+asyncpg", "postgresql"),
            "ENCRYPTION_KEYS": self.secret,
        }
        if self.lease is not None:
            environment |= {NAME: str(self.lease), RATE: str(self.period)}
        async with bot_process(self.discord, folder, "run", **(environment | settings)) as forked:
            process = Process(forked)
            reading = asyncio.create_task(process.read())
            try:
                yield process
            finally:
                forked.kill()
                await reading
                # Shown by pytest if the test fails.
                sys.stdout.write("\n".join((f"--- {folder.name}", *process.log, "")))

    def ask(self, server: int, prompt: str = "A red kite") -> Interaction:
        """Let a member type the command that makes a picture."""
        return self.discord.send(self.discord.command(server, MEMBER, "studio", {"prompt": prompt}))

    def posted(self, server: int) -> list[str]:
        """Return what results were posted there, by their nonces."""
        return [one.nonce for one in self.discord.in_channel(server) if one.of_the_bot and one.nonce]

    def connected(self) -> list[int]:
        """Return the shards with a session, one entry for each."""
        return sorted(one.shard for one in self.discord.sessions.all if one.connected)

    async def runs(self) -> bool:
        """Return whether there are jobs, and Studii has all of them."""
        found = await self.jobs()
        return bool(found) and all(job.state is JobState.RUNNING for job in found)

    async def jobs(self) -> list[Job]:
        """Return all jobs."""
        async with Database.open(self.url) as db:
            return await db.read(queries.in_states, list(JobState))


@asynccontextmanager
async def cluster(
    folder: Path,
    server: str,
    guilds: Sequence[int],
    *,
    shards: int = 1,
    options: Options | None = None,
    shared_key: bool = False,
    lease: float | None = LEASE,
    period: float = 60.0,
    url: str | None = None,
    answers: float = 3.0,
) -> AsyncGenerator[Cluster]:
    """Prepare the worlds. Each server has a Studii key of its own, or all of them one (`shared_key`).

    `lease` shortens all times in its proportion; None leaves them as they are. A key's limit is for `period`
    seconds, as the processes know. `url`: a database with all tables, if not a new one on that server. An
    answer may take `answers` seconds.
    """
    url = url or await new_migrated_database(server)
    secret = Fernet.generate_key().decode()
    rules = Rules(shards=shards, identify_every=5.0 if lease is None else lease / 5)
    async with (
        DiscordServer(guilds=guilds, rules=rules, answers=answers) as discord,
        StudiiServer(options or Options(instant=True, long_side=64)) as studii,
    ):
        style, several = RateStyle(period=period), guilds[:1] if shared_key else guilds
        keys = [studii.add_key("pro", balance=1_000_000, rate_style=style) for _ in several]
        vault = Vault.open((secret,), folder / "unused.key")
        async with Database.open(url) as db:
            lanes, now = await db.write(lane_names, vault), SystemClock().now()
            for number, guild_id in enumerate(guilds):
                key = keys[number % len(keys)].secret
                await store_key(db, vault, guild_id, key, Plan.PRO, now, lanes)
                await db.write(budgets.set_budget, guild_id, 1_000_000, Period.DAY, at=now)
        yield Cluster(discord, studii, url, folder, keys, secret, lease, period)
