"""Find or post the cards that jobs should have: no interaction started the job, or its answer was lost."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.aio.retry import StoreRetry
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.jobs import cards, transitions
from bot.jobs.delivery import Posted, TryLater, Undeliverable
from bot.jobs.models import Job, Progress

_log = logging.getLogger(__name__)


class MissingCards:
    """Gets cards.

    `progress_of` returns the estimates of a job's lane, and `posted` is called when its card was posted.
    """

    def __init__(
        self,
        context: EngineContext,
        delivery: Delivery,
        progress_of: Callable[[Job], Awaitable[Progress]],
        posted: Callable[[Job, Progress], None],
    ) -> None:
        self._context = context
        self._delivery = delivery
        self._progress = progress_of
        self._posted = posted
        self._since = context.clock.now()
        self._seeking = False
        self._retry = StoreRetry("storing that its card was posted", context.liveness, noun="job")

    def lost_between(self) -> tuple[datetime, datetime]:
        """Return between which moments the jobs were accepted whose card, if unknown, is to be looked for.

        A command of an earlier life stores nothing any more; one of this life is given its time.
        """
        now, tuning = self._context.clock.now(), self._context.tuning
        overdue = now - timedelta(seconds=tuning.card_overdue)
        return now - timedelta(seconds=tuning.card_sought_for), max(self._since, overdue)

    async def get(self, job: Job, tries: int) -> float | None:
        """Find or post the card that should be there. Return in how many seconds to try again, or None."""
        if job.origin_message_id is None:
            return await self._seek(job, tries)
        return await self._post(job, tries)

    async def _seek(self, job: Job, tries: int) -> float | None:
        """Take over the card that a command's answer may have shown without anybody storing its message.

        One is looked for at a time: reading a channel is slow, and nobody waits for it.
        """
        if self._seeking:
            return self._context.tuning.card_again
        self._seeking = True
        try:
            return await self._find_lost(job, tries)
        finally:
            self._seeking = False

    async def _find_lost(self, job: Job, tries: int) -> float | None:
        finding, what = self._delivery.find_card(job), f"Job {job.id}: finding its card"
        said = await self._context.delivered(what, finding, TryLater(0.0), job_id=job.id)
        if isinstance(said, TryLater):
            return max(said.seconds, self._context.tuning.card_again)
        found = said.message_id if isinstance(said, Posted) else None
        searched = isinstance(said, Posted)
        age = (self._context.clock.now() - job.created_at).total_seconds()
        if found is None and age < self._context.tuning.card_overdue:
            # The answer may have been on its way when the process that sent it ended.
            return self._context.tuning.card_overdue - age
        if found is None and searched and not job.over:
            # Its person was told that the bot didn't answer, and must learn that the job runs all the same.
            return await self._post(job, tries)
        async with self._context.storage.write() as transaction:
            await transaction.run(cards.found, job.id, found)
        _log.info("Job %s: its card was %s", job.id, "found" if found else "not there")
        return None

    async def _post(self, job: Job, tries: int) -> float | None:
        progress = await self._progress(job)
        posting, what = self._delivery.post_card(job, progress), f"Job {job.id}: posting its card"
        said = await self._context.delivered(what, posting, TryLater(0.0), job_id=job.id)
        if isinstance(said, TryLater):
            return self._context.redelivery_pause(tries + 1, said.seconds)
        if isinstance(said, Undeliverable):
            _log.info("Job %s continues without a card: %s", job.id, said.reason)
        message_id = said.message_id if isinstance(said, Posted) else None
        if message_id is not None:
            self._posted(job, progress)
        await self._retry.run(job.id, self._note_posted, progress.whole_set or (job,), message_id)
        return None

    async def _note_posted(self, jobs: Sequence[Job], message_id: int | None) -> None:
        async with self._context.storage.write() as transaction:
            for job in jobs:
                await transaction.run(
                    transitions.change, job.id, card_message_id=message_id, card_version=job.version
                )
