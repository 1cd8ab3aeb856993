"""A world for the engine: a Studii on loopback, a database file, a spool, and a recorder of what is said."""

import asyncio
import io
import secrets
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from inspect import isawaitable
from pathlib import Path
from time import monotonic
from typing import Any

from PIL import Image

from bot.catalog import Catalog
from bot.clock import Clock, SystemClock
from bot.cluster import Membership
from bot.credits import ledger
from bot.db import Database
from bot.engine import CountedDecoder, Engine, Tuning
from bot.jobs import accept, queries, transitions
from bot.jobs.models import TERMINAL_STATES, Job, JobState, SourcePhoto
from bot.media.spool import Spool
from bot.resources import Resources
from bot.servers.keys import Plan, StudiiKey
from bot.studii import StudiiClient, Timeouts
from bot.vault import LaneNames, Vault, lane_names
from sandbox.studii import Key, Options, StudiiServer
from tests.engine.recorder import Album, Recorder, Said
from tests.support import jobs
from tests.support.database import database, given
from tests.support.decoders import SharedDecoders
from tests.support.patience import PATIENCE
from tests.support.postgresql import free_port
from tests.support.posts import open_posts
from tests.support.resources import resources_with, store_key

GUILD, CHANNEL, USER = 100, 200, 300
PHOTO_URL = "https://cdn.example/room.png"
STUDIO = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A red kite"}
STAGING = {"style": "modern", "room": "living"}

# As in earnest, but for pauses that a test would have to sit through.
QUICK = Tuning(
    rate_period=5.0,
    answer_bound=1.0,
    rate_block=0.2,
    paced_for=1.0,
    tries=3,
    unsent_tries=3,
    backoff=0.05,
    backoff_bound=0.1,
    key_retries=(0.3,),
    first_poll=0.02,
    poll_bound=0.1,
    missing_over=0.15,
    url_grace=0.3,
    room_pause=0.1,
    download_tries=3,
    announcement_bound=0.1,
    settled_after=0.2,
    answers_first=0.0,
    reread_every=3.0,
    drain=3.0,
)


def png(color: str = "red", size: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size), color).save(file, "PNG")
    return file.getvalue()


@dataclass
class EngineWorld:
    studii: StudiiServer
    db: Database
    vault: Vault
    lanes: LaneNames
    client: StudiiClient
    decoder: SharedDecoders
    spool_folder: Path
    tuning: Tuning
    discord: Recorder = field(default_factory=Recorder)
    album: Album = field(default_factory=lambda: Album({PHOTO_URL: png()}))
    clock: Clock = field(default_factory=SystemClock)
    member: Membership = field(default_factory=Membership)
    spool_bytes: int = 10_000_000

    def engine(self, posted: Callable[[float], None] = lambda _: None) -> Engine:
        return Engine(
            db=self.db,
            member=self.member,
            studii=self.client,
            vault=self.vault,
            delivery=self.discord,
            photos=self.album,
            decoder=CountedDecoder(self.db, self.decoder),
            spool=Spool(self.spool_folder, self.spool_bytes),
            catalog=Catalog.load(),
            clock=self.clock,
            tuning=self.tuning,
            posted=posted,
        )

    @property
    def resources(self) -> Resources:
        """What people do, beside the engine."""
        spool = Spool(self.spool_folder, self.spool_bytes)
        return resources_with(self.db, self.vault, self.lanes, spool, self.clock)

    @asynccontextmanager
    async def running(self, engine: Engine | None = None) -> AsyncGenerator[Engine, None]:
        """The engine at work; afterwards it is stopped as the app stops it."""
        engine = engine or self.engine()
        task = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def use_key(self, key: Key, guild_id: int = GUILD, plan: Plan | None = None) -> StudiiKey:
        """Make it the server's key, as its admin would; of the plan that it has, unless another is told."""
        plan = plan or Plan(key.account.plan)
        return await store_key(self.db, self.vault, guild_id, key.secret, plan, self.clock.now(), self.lanes)

    async def accept(self, job: Job) -> Job:
        """Write a job down with its reservation, as the service does."""
        await self.db.write(given(accept.store, [job], job.created_at))
        return job

    async def job(self, job_id: str) -> Job:
        job = await self.db.read(queries.get, job_id)
        assert job is not None
        return job

    async def put(self, job: Job, state: JobState, **changes: object) -> Job:
        """Bring a job into a state by the ways that the engine would."""
        path = {
            JobState.WAITING: (JobState.WAITING,),
            JobState.UPLOADING: (JobState.WAITING, JobState.UPLOADING),
            JobState.SUBMITTING: (JobState.WAITING, JobState.SUBMITTING),
            JobState.RUNNING: (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING),
            JobState.UNKNOWN: (JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN),
        }[state]
        before = job.state
        for to in path:
            moved = await self.db.write(transitions.advance, job.id, before, to, at=self.clock.now())
            assert moved is not None
            before = to
        await self.db.write(transitions.change, job.id, **changes)  # type: ignore[arg-type]
        return await self.job(job.id)

    async def until(
        self, true: Callable[[], object], what: str, changed: asyncio.Event | None = None
    ) -> None:
        """`changed` is set when it may have come true; now and then it is looked at all the same."""
        try:
            async with asyncio.timeout(PATIENCE):
                began = monotonic()
                while not (await there if isawaitable(there := true()) else there):
                    # A busy machine is not kept busy by looking.
                    pause = max(0.02, 4 * (monotonic() - began))
                    if changed is None:
                        await asyncio.sleep(pause)
                    else:
                        with suppress(TimeoutError):
                            await asyncio.wait_for(changed.wait(), 10 * pause)
                        changed.clear()
                    began = monotonic()
        except TimeoutError:
            states = [
                (job.id, job.state, job.held) for job in await self.db.read(queries.in_states, list(JobState))
            ]
            raise AssertionError(f"still not: {what}; {states}") from None

    async def becomes(self, job_id: str, true: Callable[[Job], bool], what: str) -> Job:
        """Return the job once that is true of it, which is looked at when it has changed."""
        changed = asyncio.Event()
        told_of: Job | None = None

        async def there() -> bool:
            # Most of its changes are others; the one that counts is looked for in the database.
            return (told_of is None or true(told_of)) and true(await self.job(job_id))

        def told(wakes: Mapping[Hashable, Any]) -> None:
            nonlocal told_of
            told_of = wakes.get(("job", job_id))
            changed.set()

        with self.db.listening(told):
            await self.until(there, f"{job_id} {what}", changed)
        return await self.job(job_id)

    async def over(self, job_id: str) -> Job:
        """The job, once its end has been said, or could not be."""
        return await self.becomes(job_id, lambda job: job.announced_at is not None, "announced")

    async def all_posted(self) -> None:
        """Wait until no post is left to be made."""

        async def done() -> bool:
            return not await self.db.read(open_posts)

        await self.until(done, "everything posted")

    async def reaches(self, job_id: str, state: JobState) -> Job:
        """The job, once it is in that state."""

        def there(job: Job) -> bool:
            now = job.state
            assert now is state or now not in TERMINAL_STATES, f"{job_id} is {now}, not {state}"
            return now is state

        return await self.becomes(job_id, there, state)

    async def announced(self, job_id: str) -> Said:
        """What was said of the job, once it has been said and noted."""
        await self.over(job_id)
        there = self.discord.said  # without a result, by a post
        await self.until(lambda: any(one.job.id == job_id for one in there), f"what is said of {job_id}")
        (said,) = [one for one in self.discord.said if one.job.id == job_id]
        return said

    async def balanced(self) -> None:
        """The ledger and the jobs' balances say the same."""
        assert await self.db.read(ledger.differing) == []

    def finish(self) -> None:
        """Let Studii's jobs come to their end that would never have ended."""
        for job in self.studii.jobs.values():
            job.outcome = replace(job.outcome, never_ends=False)

    def spooled(self) -> list[str]:
        return sorted(path.name for path in self.spool_folder.iterdir())


def a_job(
    tool: str = "studio",
    inputs: Mapping[str, str] | None = None,
    *,
    photo: bytes | None = None,
    url: str = PHOTO_URL,
    guild_id: int = GUILD,
    user_id: int = USER,
    channel_id: int = CHANNEL,
    estimate: int = 10,
    age: float = 0.0,
) -> Job:
    """A job as the service writes it down."""
    now = SystemClock().now() - timedelta(seconds=age)
    source = None if photo is None else SourcePhoto(url, "room.png", "image/png", len(photo))
    return jobs.a_job(
        id=secrets.token_hex(8),
        guild_id=guild_id,
        channel_id=channel_id,
        user_id=user_id,
        tool=tool,
        inputs=dict(STUDIO if inputs is None else inputs),
        variant="",
        source=source,
        created_at=now,
        changed_at=now,
        estimate=estimate,
        reserved=estimate,
    )


def a_staging_job(**options: object) -> Job:
    """A job that starts from the photo in the album."""
    return a_job("virtual-staging", STAGING, photo=png(), **options)  # type: ignore[arg-type]


def with_photo(size: int, **options: object) -> Job:
    """A job whose photo is said to have that many bytes."""
    return replace(a_staging_job(**options), source=SourcePhoto(PHOTO_URL, "room.png", "image/png", size))


MB = 1_000_000
TIMEOUTS = Timeouts(connect=60, read=60, total=60, transfer=60)


@asynccontextmanager
async def engine_world(
    folder: Path,
    *,
    options: Options | None = None,
    down: bool = False,
    clock: Clock | None = None,
    timeouts: Timeouts = TIMEOUTS,
    count: Callable[[str, int | None], None] = lambda kind, status: None,
    url: str | None = None,
    member: Membership | None = None,
    key: bool = False,
    **changes: object,
) -> AsyncGenerator[EngineWorld, None]:
    """Everything but the engine itself; `changes` are to `QUICK`.

    Studii's jobs are done at once, unless `options` say otherwise. `down`: the test starts Studii itself.
    `url`: a database with all tables, if not a new file's. `key`: the server has one.
    """
    url = url or await database(folder)
    vault = Vault.open((), folder / "encryption.key")
    port = free_port()
    studii = StudiiServer(options or Options(instant=True, long_side=64), port=port)
    address = f"http://127.0.0.1:{port}/api/v1"
    async with (
        Database.open(url, fence=member) as db,
        StudiiClient(address, timeouts=timeouts, count=count, clock=clock) as client,
        nullcontext() if down else studii,
    ):
        lanes = await db.write(lane_names, vault)
        tuning = replace(QUICK, **changes)  # type: ignore[arg-type]
        world = EngineWorld(studii, db, vault, lanes, client, SharedDecoders(), folder / "spool", tuning)
        world.member = member or Membership()
        if clock is not None:
            world.clock = clock
        if key:
            await world.use_key(studii.add_key())
        yield world


async def ends_badly(world: EngineWorld, job: Job, charged: int) -> Job:
    """Return the job once its failure, which cost `charged` credits, is announced."""
    said = await world.announced(job.id)
    assert said.job.state is JobState.FAILED
    failed = await world.job(job.id)
    assert (failed.reserved, failed.settled) == (0, charged)
    await world.balanced()
    return failed
