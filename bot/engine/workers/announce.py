"""Tell people once what became of their jobs: the result is posted, or why there is none."""

import logging

from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.retry import StoreRetry
from bot.aio.worker import KeyedWorker
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.engine.workers.ended_jobs import EndedJobs, NotYet
from bot.jobs import queries
from bot.jobs.delivery import Posted, TryLater, Undeliverable
from bot.jobs.models import Job

_log = logging.getLogger(__name__)


class Outbox:
    """Announces jobs that ended, or whose outcome is unknown; in a channel one after the other.

    Those of sets are posted together (see `SetPostings`).
    """

    def __init__(self, context: EngineContext, delivery: Delivery, ended_jobs: EndedJobs) -> None:
        self._context = context
        self._delivery = delivery
        self._ended_jobs = ended_jobs
        self._retry = StoreRetry("storing that it was announced", context.liveness, noun="job")
        self.worker = KeyedWorker[Job](
            "announcing",
            context.finding(lambda transaction, limit: transaction.run(queries.unannounced, limit)),
            self._announce,
            self._give_up,
            key=lambda job: job.id,
            noun="job",
            size=context.tuning.announcements_at_once,
            setting=context.worker_setting,
            patience=TRANSFER_TIMEOUT,  # a file that is gone is fetched again
            wants=lambda job: job.announced_at is None and job.over and not job.posted_with_set,
            queue=lambda job: job.channel_id,
        )

    async def _announce(self, job: Job, tries: int) -> float | None:
        try:
            job, output = await self._ended_jobs.with_output(job)
        except NotYet as reason:
            return reason.seconds
        announcing, what = self._delivery.announce(job, output), f"Job {job.id}: announcing it"
        said = await self._context.delivered(what, announcing, TryLater(0.0), job_id=job.id)
        if isinstance(said, TryLater):
            return self._context.redelivery_pause(tries + 1, said.seconds)
        if isinstance(said, Undeliverable):
            _log.warning("Job %s can't be delivered: %s", job.id, said.reason)
        # Discord forgets after some minutes that it has the message: said again, it would be there twice.
        await self._retry.run(job.id, self._note, job, said)
        if isinstance(said, Posted):
            self._ended_jobs.posted(job)
        return None

    async def _give_up(self, job: Job) -> None:
        """Give up an announcement that fails for an unknown reason; a result stays in the list of jobs."""
        _log.error("Job %s can't be announced", job.id)
        await self._note(job, Undeliverable("unexpected errors"))

    async def _note(self, job: Job, said: Posted | Undeliverable) -> None:
        superseded = isinstance(said, Posted) and said.supersedes_card(job)
        async with self._context.storage.write() as transaction:
            now = self._context.clock.now()
            files = await self._ended_jobs.note(transaction, job, said, now, superseded=superseded)
        await self._context.spool.remove(*files)
