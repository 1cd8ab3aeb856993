"""Every job's last word reaches its person, once."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.retry import FailureCounts, Retry, backoff
from bot.aio.shield import shielded
from bot.aio.worker import KeyedWorker
from bot.domain import Announcement, Job, JobState, NoticeKind, Posted, TryLater, Undeliverable
from bot.domain.approvals import Approval
from bot.engine.context import EngineContext
from bot.engine.lanes.out_of_band import NoRoom
from bot.engine.ports import Delivery
from bot.engine.workers.refetch import NotNow, Refetch
from bot.storage import JobChanges

_log = logging.getLogger(__name__)

ROOM_TRIES = 30  # while its key has no request left
REFETCH_TRIES = 3  # before a result is announced without its file


class Outbox:
    """Announces jobs that ended, or whose outcome is unknown; in a channel one after the other."""

    def __init__(self, context: EngineContext, delivery: Delivery, refetch: Refetch) -> None:
        self._context = context
        self._delivery = delivery
        self._refetch = refetch
        self._fetches = FailureCounts()
        self._retry = Retry("storing that it was announced", context.liveness, noun="job")
        self.worker = KeyedWorker[Job](
            "announcing",
            self._find,
            self._announce,
            self._give_up,
            key=lambda job: job.id,
            noun="job",
            size=context.tuning.announcements_at_once,
            clock=context.clock,
            liveness=context.liveness,
            patience=TRANSFER_TIMEOUT,  # a file that is gone is fetched again
            look_around=context.tuning.look_around,
            wants=lambda job: job.announced_at is None and job.over,
            queue=lambda job: job.channel_id,
        )

    async def _find(self, limit: int) -> list[Job]:
        async with self._context.storage.read() as transaction:
            return await transaction.job_queue.unannounced(limit)

    async def _announce(self, job: Job, tries: int) -> float | None:
        try:
            job = await self._refetch.fetch(job)
        except NoRoom as reason:
            if tries < ROOM_TRIES:
                return reason.seconds
        except NotNow as reason:
            _log.info("Job %s: its output can't be fetched again: %s", job.id, reason, extra={"job": job.id})
            fetches = self._fetches.count(job.id)
            if fetches < REFETCH_TRIES:
                return backoff(
                    fetches, self._context.tuning.download_pause, self._context.tuning.backoff_bound
                )
        self._fetches.forget(job.id)
        # No cancellation may come between Discord's answer and our note of it.
        return await shielded(self._announce_and_note(job, tries), patience=self._context.tuning.drain)

    async def _give_up(self, job: Job) -> None:
        """Give up an announcement that fails for an unknown reason; a result stays in the list of jobs."""
        _log.error("Job %s can't be announced", job.id, extra={"job": job.id})
        await shielded(self._note(job, Undeliverable("unexpected errors")))

    async def _announce_and_note(self, job: Job, tries: int) -> float | None:
        said = await self._say(job)
        if isinstance(said, TryLater):
            bound = self._context.tuning.announcement_bound
            return backoff(tries + 1, 1.0, bound, at_least=said.seconds)
        if isinstance(said, Undeliverable):
            _log.warning("Job %s can't be delivered: %s", job.id, said.reason, extra={"job": job.id})
        # Discord forgets after some minutes that it has the message: said again, it would be there twice.
        await self._retry.run(lambda: self._note(job, said), job.id)
        if isinstance(said, Posted):
            _log.info("Job %s is posted", job.id, extra={"job": job.id})
            if job.finished_at is not None:
                # A result that had to be approved is late since then, not since its end.
                approved = job.result_approval is Approval.GIVEN
                since = job.changed_at if approved else job.finished_at
                self._context.posted((self._context.clock.now() - since).total_seconds())
        return None

    async def _say(self, job: Job) -> Announcement:
        output = None
        if job.output_file is not None:
            output = await self._context.spool.open_output(job.output_file)
        if output is not None and output.kind == "image" and job.source_file is not None:
            # Before and after are shown together.
            output = replace(output, before=await self._context.spool.open_output(job.source_file))
        try:
            async with asyncio.timeout(self._context.tuning.delivery_patience):
                return await self._delivery.announce(job, output)
        except TimeoutError:
            _log.warning("Job %s: announcing it took too long", job.id, extra={"job": job.id})
            return TryLater(0.0)

    async def _note(self, job: Job, said: Posted | Undeliverable) -> None:
        now = self._context.clock.now()
        changes = JobChanges(result_message_id=None)
        files: list[str | None] = []
        superseded = isinstance(said, Posted) and said.supersedes_card(job)
        if isinstance(said, Posted):
            changes |= JobChanges(
                result_message_id=said.message_id,
                result_channel_id=said.channel_id,
                result_by_dm=said.by_dm,
                card_superseded_at=now if superseded else None,
            )
            if job.state is not JobState.WITHHELD:  # for moderators, who may still release it
                changes |= JobChanges(source_file=None, output_file=None)
                files = [job.source_file, job.output_file]
        elif job.output_file is None:
            # A result that could not be posted is kept, with the photo before, until somebody fetches it.
            changes["source_file"] = None
            files = [job.source_file]
        async with self._context.storage.write() as transaction:
            # A card that stays says where the last word is.
            logged = await transaction.jobs.announce(job, now, visible=not superseded, **changes)
            if logged is None:
                return  # ruled on, or to be posted anew, meanwhile: then this was not the last word
            if logged and isinstance(said, Posted) and job.state is JobState.SUCCEEDED:
                await transaction.notices.add(job.guild_id, NoticeKind.MADE, job.nonce, at=now, job_id=job.id)
        await self._context.spool.remove(*files)

    async def tidy(self) -> None:
        """Drop outputs that were not posted or were withheld, and that nobody wanted for a long while."""
        age = timedelta(seconds=self._context.tuning.undelivered_bound)
        async with self._context.storage.write() as transaction:
            for job in await transaction.job_queue.undelivered(self._context.clock.now() - age):
                await transaction.jobs.update(job.id, output_file=None, source_file=None)
