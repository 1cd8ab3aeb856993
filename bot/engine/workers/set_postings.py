"""Announce the jobs of a set together: when all have ended, or some time after the first did."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.retry import FailureCounts, StoreRetry
from bot.aio.worker import KeyedWorker
from bot.credits import ledger
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.engine.workers.ended_jobs import EndedJobs, NotYet
from bot.jobs import cards, queries, transitions
from bot.jobs.delivery import Posted, TooMuch, TryLater, Undeliverable
from bot.jobs.models import Job
from bot.jobs.sets import (
    SetPart,
    SetPosting,
    after_posting,
    card_is_superseded,
    next_number,
    post_at,
    unposted,
)

_log = logging.getLogger(__name__)


class SetPostings:
    """Posts the messages of sets.

    Which jobs a message is about is stored, with its number, before it is sent: whenever the process ends,
    the next one sends the same message, or finds it.
    """

    def __init__(self, context: EngineContext, delivery: Delivery, ended_jobs: EndedJobs) -> None:
        self._context = context
        self._delivery = delivery
        self._ended_jobs = ended_jobs
        self._refusals = FailureCounts()
        self._retry = StoreRetry("storing that it was posted", context.liveness, noun="set")
        self.worker = KeyedWorker[Job](
            "posting sets",
            context.finding(lambda transaction, limit: transaction.run(queries.unannounced_sets, limit)),
            self._post,
            self._give_up,
            key=lambda job: job.set_id,
            noun="set",
            size=context.tuning.announcements_at_once,
            setting=context.worker_setting,
            patience=TRANSFER_TIMEOUT,  # files that are gone are fetched again
            news=lambda job: (job.id, job.version),  # another one has ended: perhaps the last
        )

    def notify(self, job: Job) -> None:
        """Take over a job that has just changed, if its set may have something to post now."""
        # One that ended without a word, or whose outcome is unknown, may be what the others waited for.
        if job.set_id is not None and job.over:
            self.worker.add(job)

    async def _post(self, job: Job, _tries: int) -> float | None:
        """Post the set's next message, if one is due. Return in how many seconds to check again."""
        whole = await self._whole(job)
        try:
            posting = await self._pending(whole)
            if posting is None:
                if (due := self._due_in(whole)) != 0.0:
                    return due
                await self._claim(whole)
                posting = await self._pending(await self._whole(job))
        except NotYet as reason:
            return reason.seconds
        return 0.0 if posting is None else await self._say_and_note(posting)

    async def _say_and_note(self, posting: SetPosting) -> float:
        announcing, what = self._delivery.announce_set(posting), f"Set {posting.set_id}: posting its results"
        messages = len(posting.parts)
        said = await self._context.delivered(what, announcing, TryLater(0.0), messages=messages)
        if isinstance(said, TryLater):
            failures = self._refusals.count(posting.set_id)
            return self._context.redelivery_pause(failures, said.seconds)
        self._refusals.forget(posting.set_id)
        if isinstance(said, TooMuch):
            await self._split(posting)
            return 0.0
        # Discord forgets after some minutes that it has the message: said again, it would be there twice.
        await self._retry.run(posting.set_id, self._note, posting, said)
        return 0.0  # there may be another one

    async def _give_up(self, job: Job) -> None:
        """Give up messages that fail for an unknown reason; the results stay in the list of jobs."""
        _log.error("The results of set %s can't be posted", job.set_id)
        whole = await self._whole(job)
        parts = await self._parts(whole, unposted(whole))
        posting = SetPosting(job.set_id or "", next_number(whole), parts, whole)
        await self._note(posting, Undeliverable("unexpected errors"))

    async def _whole(self, job: Job) -> tuple[Job, ...]:
        async with self._context.storage.read() as transaction:
            return tuple(await transaction.run(queries.of_set, job.set_id or ""))

    def _due_in(self, whole: Sequence[Job]) -> float | None:
        """Return in how many seconds what has ended is posted, or None if there is nothing."""
        if not unposted(whole):
            return None
        patience = timedelta(seconds=self._context.tuning.set_patience)
        due = post_at(whole, patience)
        if due is None:
            return 0.0
        # A clock that was set back doesn't make it longer.
        return max(0.0, min(due - self._context.clock.now(), patience).total_seconds())

    async def _pending(self, whole: tuple[Job, ...]) -> SetPosting | None:
        """Return the set's first message that was made up and is not noted as posted, if there is one."""
        numbered = [(job.set_message, job) for job in unposted(whole) if job.set_message is not None]
        if not numbered:
            return None
        first = min(number for number, _ in numbered)
        parts = await self._parts(whole, [job for number, job in numbered if number == first])
        return SetPosting(parts[0].job.set_id or "", first, parts, whole)

    async def _claim(self, whole: Sequence[Job]) -> None:
        """Make up messages of what has ended, and store which jobs are in which."""
        messages = await self._delivery.arrange(await self._parts(whole, unposted(whole)))
        async with self._context.storage.write() as transaction:
            await transaction.run(ledger.lock, whole[0].guild_id)  # as several jobs are changed
            for number, message in enumerate(messages, next_number(whole)):
                for part in message:
                    await transaction.run(transitions.change, part.job.id, part.job.state, set_message=number)

    async def _split(self, posting: SetPosting) -> None:
        """Leave half of a message that is too large to another one, which was never sent either."""
        number = next_number(posting.whole)
        async with self._context.storage.write() as transaction:
            await transaction.run(ledger.lock, posting.whole[0].guild_id)
            for part in posting.parts[len(posting.parts) // 2 :]:
                await transaction.run(transitions.change, part.job.id, part.job.state, set_message=number)

    async def _parts(self, whole: Sequence[Job], jobs: Sequence[Job]) -> tuple[SetPart, ...]:
        numbers = {job.id: number for number, job in enumerate(whole, 1)}
        found = [await self._ended_jobs.with_output(job) for job in jobs]
        return tuple(SetPart(job, numbers[job.id], output) for job, output in found)

    async def _note(self, posting: SetPosting, said: Posted | Undeliverable) -> None:
        files: list[str | None] = []
        async with self._context.storage.write() as transaction:
            await transaction.run(ledger.lock, posting.whole[0].guild_id)
            now = self._context.clock.now()
            whole = await transaction.run(queries.of_set, posting.set_id)
            superseded = isinstance(said, Posted) and card_is_superseded(
                after_posting(replace(posting, whole=tuple(whole)), said, now), said
            )
            for part in posting.parts:
                files += await self._ended_jobs.note(transaction, part.job, said, now, superseded=superseded)
            if superseded:
                await transaction.run(cards.supersede_of_set, posting.set_id, now)
        await self._context.spool.remove(*files)
        if isinstance(said, Undeliverable):
            _log.warning("Set %s can't be delivered: %s", posting.set_id, said.reason)
            return
        for part in posting.parts:
            self._ended_jobs.posted(part.job)
