"""The engine: everything that happens to a job after its row has been written."""

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.aio.tasks import TRANSFER_TIMEOUT, Liveness, StoreRetry, WakeUp, run_forever
from bot.catalog import Catalog
from bot.clock import Clock
from bot.cluster import Membership
from bot.connections import WRITE_TIMEOUT
from bot.db import Database
from bot.engine.context import Delivery, EngineContext, PhotoSource
from bot.engine.files import CountedDecoder, Intake, Outputs, SpoolRoom
from bot.engine.lane import Work
from bot.engine.lanes import Lanes
from bot.engine.posts import Posts
from bot.engine.tuning import DAY, HOUR, Tuning
from bot.jobs import best_results, confirm, lanes, queries, submission, transitions
from bot.jobs.holds import waited_too_long
from bot.jobs.models import APPROVAL_HOURS, UNRULED_DAYS, FailureCode, Job, JobState
from bot.media.spool import Spool
from bot.reasons import Reason, ReasonCode
from bot.servers import privacy, settings
from bot.studii import StudiiClient
from bot.vault import Vault

_log = logging.getLogger(__name__)

# Names in commits that concern one part alone. All parts hear of any other.
_WOKEN = frozenset({"job", "posts", "best", "lanes", "questions"})


class Engine:
    """Works from the database alone, so that it continues after a restart where it was.

    It owns its tasks while `run` lasts, and none of what it was given.
    """

    def __init__(
        self,
        *,
        db: Database,
        member: Membership,
        studii: StudiiClient,
        vault: Vault,
        delivery: Delivery,
        photos: PhotoSource,
        decoder: CountedDecoder,
        spool: Spool,
        catalog: Catalog,
        clock: Clock,
        tuning: Tuning,
        posted: Callable[[float], None],
    ) -> None:
        context = EngineContext(
            db,
            member,
            studii,
            vault,
            spool,
            clock,
            tuning,
            posted=posted,
            liveness=Liveness(clock),
        )
        self._context = context
        self._lanes = Lanes(context, catalog)
        room = SpoolRoom(context)
        outputs = Outputs(context, room, decoder, self._lanes)
        self._posts = Posts(context, delivery, outputs).worker
        self.fresh_link, self.progress = outputs.fresh_link, self._lanes.progress
        self.oldest_due_poll, self.occupancy = self._lanes.overdue, self._lanes.occupancy
        self._photos, self._outputs = Intake(context, photos, decoder, room).worker, outputs.worker
        self._sweeping, self.stuck = WakeUp(), context.liveness.stuck

    async def run(self) -> None:
        """Run until cancelled.

        What must be stored (the answer to a submission) is finished first, for at most `Tuning.drain`
        seconds.
        """
        what, context = "resuming interrupted jobs", self._context
        with context.db.listening(self._notify):
            await context.spool.prepare()
            with context.liveness.operation(what):  # one that hangs is stuck
                await StoreRetry(what, context.liveness).run("at the start", self._resume)
            context.member.when_gained(lambda _: self.wake())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lanes.run(), name="lanes")
                for worker in (self._photos, self._outputs, self._posts):
                    group.create_task(worker.run(), name=worker.what)
                group.create_task(run_forever("tidying the spool", self._sweeping, self._tidy), name="spool")

    def wake(self) -> None:
        """Read from the database what there is to do. Not needed after writes through `db`.

        It starts nothing itself, and can be called from any task on the loop.
        """
        self._context.liveness.called()
        self._lanes.reread()
        self._posts.wake()
        self._photos.wake()
        self._outputs.wake()

    def alive(self) -> bool:
        """Return whether it makes progress. This is denied some minutes before `stuck` is sure."""
        return self._context.liveness.failing_for() < 300.0 and self.stuck() is None

    def _notify(self, wakes: Mapping[Hashable, Any]) -> None:
        """Notify the parts that a commit concerns.

        It may change jobs of other processes' servers, as when it learns the price of a key that they share.
        Those processes continue with them.
        """
        what, shards = {one[0] for one in cast("Collection[tuple[str]]", wakes)}, self._context.member.shards
        if what - _WOKEN:
            self.wake()
        if "lanes" in what:
            self._lanes.reread()
        jobs: list[Job] = [job for job in wakes.values() if job is not None and shards.has(job.guild_id)]
        self._lanes.notify(jobs)
        if any(job.state is JobState.RECEIVED for job in jobs):
            self._photos.wake()
        if any(job.state is JobState.RUNNING and job.output_url is not None for job in jobs):
            self._outputs.wake()
        if "posts" in what:
            self._posts.wake()
        if jobs:
            self._context.liveness.called()

    async def _resume(self) -> None:
        if self._context.member.shards.whole_bot:
            await self._context.db.write(submission.doubt_restored, self._context.clock.now())
        for one in await self._context.db.read(lanes.durations):
            self._lanes.durations.learn(Work(one.tool, one.output_kind), one.low, one.high)
        await self._count_files()

    async def _tidy(self) -> float:
        with self._context.liveness.operation("tidying", TRANSFER_TIMEOUT, progress=False):
            try:
                if self._context.member.shards.whole_bot:
                    await housekeep(self._context)
            finally:
                await self._count_files()
        return HOUR

    async def _count_files(self) -> None:
        await self._context.spool.sweep(lambda: self._context.db.read(queries.with_files))


async def housekeep(context: EngineContext) -> None:
    """Do each periodic task once. One that fails keeps no other from being done."""
    now, failed = context.clock.now(), None
    periodic: list[tuple[Callable[..., object], Any, float]] = [
        (_drop_undelivered, (), context.tuning.undelivered_bound),
        (_end_undecided, ({JobState.UNKNOWN}, now), UNRULED_DAYS * DAY),
        (_end_undecided, ({JobState.PENDING, JobState.REVIEWING}, now), APPROVAL_HOURS * HOUR),
        (_end_where_missing, (now,), context.tuning.held_bound),
        (privacy.erase_retired_keys, (), DAY),
        (lanes.tidy, (), 0.0),
        (confirm.forget_over, (), 0.0),
        (best_results.want_months, (now,), best_results.MONTH_DAYS * DAY),
    ]
    for work, about, age in periodic:
        try:
            await context.db.write(work, *about, now - timedelta(seconds=age), within=WRITE_TIMEOUT)
        except Exception as error:  # noqa: BLE001 - raised at the end
            failed = error
    if failed is not None:
        raise failed


def _drop_undelivered(session: Session, oldest: datetime) -> None:
    """Drop outputs that were not posted or were withheld, and that no one wanted for a long while."""
    undelivered = update(Job).where(Job.output_file.is_not(None), Job.announced_at < oldest)
    session.execute(undelivered.values(output_file=None, source_file=None))


def _end_undecided(session: Session, states: Collection[JobState], at: datetime, oldest: datetime) -> None:
    """End what no one has decided on for long: a request unpaid, and a result without being posted.

    An unknown outcome counts as charged, at what was reserved.
    """
    for job in queries.in_states(session, states):
        if job.changed_at > oldest:
            continue
        if job.state is JobState.UNKNOWN:
            transitions.apply_ruling(session, job.id, job.reserved, Reason(ReasonCode.NOBODY_RULED), at)
            _log.info("Job %s: no one settled it, so it counts as charged", job.id)
        # Of these, what its state allows.
        why = (FailureCode.DECLINED, Reason(ReasonCode.NOT_APPROVED), at)
        transitions.fail_unpaid(session, job.id, JobState.PENDING, *why)
        transitions.withhold_result(session, job.id, Reason(ReasonCode.RESULT_NOT_SEEN), at)


def _end_where_missing(session: Session, at: datetime, oldest: datetime) -> None:
    """End jobs unpaid that have waited for a day in a server that seems to have removed the bot."""
    missing = settings.missing(session)
    for job in queries.in_states(session, {JobState.WAITING}) if missing else ():
        if job.guild_id in missing and waited_too_long(job, oldest, missing[job.guild_id]):
            why = FailureCode.API, Reason(ReasonCode.SERVER_MISSING), at
            transitions.fail_unpaid(session, job.id, JobState.WAITING, *why)
