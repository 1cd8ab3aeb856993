"""Show the newest version of each job on its card."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.aio.loops import WakeUp, run_forever
from bot.aio.shield import shielded
from bot.aio.worker import KeyedWorker
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.engine.workers.cards.expected_ends import ExpectedEnds
from bot.engine.workers.cards.missing import MissingCards
from bot.engine.workers.cards.pauses import news, pause, pause_of_state
from bot.engine.workers.cards.queue_positions import UNPLACED_EVERY, QueuePositions
from bot.engine.workers.cards.removals import CardRemovals
from bot.engine.workers.cards.shown_versions import ShownVersions
from bot.errors import Outage
from bot.jobs import cards, queries
from bot.jobs.models import Job, JobState, Progress

_log = logging.getLogger(__name__)
RESUMED_WITHIN = timedelta(minutes=1)
MAX_RESUMED_CARDS = 2000


class Cards:
    """Shows the newest version of each job on its card. `progress` returns the lane's estimates."""

    def __init__(
        self, context: EngineContext, delivery: Delivery, progress: Callable[[str], Awaitable[Progress]]
    ) -> None:
        self._context = context
        self._delivery = delivery
        self._progress = progress
        self._since = context.clock.now()
        self._positions = QueuePositions()
        self._ends = ExpectedEnds()
        self._resuming: set[str] | None = None  # running jobs whose cards an earlier life has shown
        self._tending = WakeUp()
        self._removals = CardRemovals(context, delivery)
        self._shown = ShownVersions(context, self._removals)
        self._missing = MissingCards(context, delivery, self._shown_progress, self._posted)
        self.worker = KeyedWorker[Job](
            "showing cards",
            self._find,
            self._show,
            self._give_up,
            key=lambda job: job.id,
            noun="job",
            size=context.tuning.cards_at_once,
            setting=replace(context.worker_setting, reread_every=context.tuning.cards_reread),
            free=lambda job: job.card_message_id is not None,
            wants=self._wants,
            rank=_rank,
            # The jobs of a set share a card, and each draws all of it.
            queue=lambda job: job.set_id or job.id,
            news=news,
            pause=self._pause,
        )

    def notify(self, job: Job) -> None:
        """Take note of a job that has just changed.

        A command's answer is the card of a job that may wait already, and tells no position yet.
        """
        told = job.card_message_id is not None and job.card_version >= job.version
        if job.state is JobState.WAITING and told and job.set_id is None and job.id not in self._positions:
            self._positions.shown(job.id, Progress(), self._context.clock.monotonic())
            self._tending.set()

    async def run(self) -> None:
        """Bring positions and times on cards up to date, and store what cards show, until cancelled."""
        try:
            await run_forever("positions and times on cards", self._tending, self._tend)
        finally:
            with suppress(Outage):  # the next process finds out what they show
                await shielded(self._shown.store())

    def _wants(self, job: Job) -> bool:
        if job.card_superseded_at is not None:
            return self._removals.wants(job)
        if job.card_message_id is None:
            return job.origin_message_id is not None and not job.card_version and not job.over
        return not self._shown.told(job)

    async def _find(self, limit: int) -> list[Job]:
        async with self._context.storage.read() as transaction:
            wanted = await transaction.run(cards.wanted, limit)
            lost = await transaction.run(cards.lost, *self._missing.lost_between(), limit)
            stale = await transaction.run(cards.stale, limit)
            superseded = await transaction.run(cards.superseded, limit)
        return wanted + [job for job in stale + superseded if self._wants(job)] + lost

    async def _tend(self) -> float | None:
        now = self._context.clock.monotonic()
        ways = {job_id: await self._progress(job_id) for job_id in self._positions.due(now)}
        moved = self._positions.moved(lambda job_id: ways.get(job_id, Progress()), now)
        outdated = [*moved, *await self._overdue()]
        if outdated:
            async with self._context.storage.read() as transaction:
                for job in await transaction.run(cards.unfinished, outdated):
                    self.worker.add(job)
        if self._shown.due():
            await shielded(self._shown.store())
        if self._shown.unstored:
            return min(UNPLACED_EVERY, self._context.tuning.card_noted_after)
        if self._positions or self._resuming:
            return UNPLACED_EVERY
        return self._ends.next_in(self._context.clock.now())

    async def _overdue(self) -> list[str]:
        """Return running jobs whose cards name a time that has passed, also one of an earlier life."""
        now = self._context.clock.now()
        if self._resuming is None:
            async with self._context.storage.read() as transaction:
                running = await transaction.run(queries.in_states, [JobState.RUNNING], MAX_RESUMED_CARDS)
            self._resuming = {job.id for job in running if job.card_message_id is not None}
        overdue = self._ends.passed(now)
        for job_id in list(self._resuming):
            progress = await self._progress(job_id)
            if progress.late:
                overdue.append(job_id)
            self._ends.shown(job_id, progress)
            # Its lane may not have taken it over yet; some jobs have no time to tell.
            if progress.late or progress.ends_at is not None or now - self._since > RESUMED_WITHIN:
                self._resuming.discard(job_id)
        return overdue

    def _pause(self, job: Job, waited: float) -> float | None:
        """Return for how many seconds to leave the card as it is, or None if it may be shown or removed."""
        if job.card_message_id is None or job.card_superseded_at is not None or self._shown_by_set(job):
            return None
        return pause_of_state(job, waited, self._context.tuning.card_again)

    def _shown_by_set(self, job: Job) -> bool:
        """Return whether another job of the set has shown this one's newest version, too."""
        return job.set_id is not None and self._shown.remembered(job) >= job.version

    async def _show(self, job: Job, tries: int) -> float | None:
        if job.card_message_id is None:
            return await self._missing.get(job, tries)
        if job.card_superseded_at is not None:
            return await self._remove(job)
        if self._shown_by_set(job):
            return None
        waited, between = self.worker.waited(job.id), self._context.tuning.card_again
        progress = await self._shown_progress(job)
        if any(one.card_superseded_at is not None for one in progress.whole_set):
            return None  # it is being removed
        told, now = self._shown.told(job), self._context.clock.now()
        rest = pause(job, progress, waited, between, told=told, now=now)
        if rest is not None:
            return rest
        showing, what = self._delivery.show_card(job, progress), f"Job {job.id}: showing its card"
        again = await self._context.delivered(what, showing, between, job_id=job.id)
        if again is None:
            self._note_shown(job, progress)
        return again

    def _note_shown(self, job: Job, progress: Progress) -> None:
        # The card of a set tells neither positions nor times.
        if job.state is JobState.WAITING and not progress.whole_set:
            self._positions.shown(job.id, progress, self._context.clock.monotonic())
        else:
            self._positions.forget(job.id)
        if job.state is JobState.RUNNING and not progress.whole_set:
            self._ends.shown(job.id, progress)
        else:
            self._ends.forget(job.id)
        for one in progress.whole_set or (job,):
            self._note(one)

    async def _remove(self, job: Job) -> float | None:
        again = await self._removals.remove(job)
        if again is None:
            self._note_removed(job)
        return again

    async def _shown_progress(self, job: Job) -> Progress:
        """Return the job's progress in its lane, with its whole set if it is of one."""
        progress = await self._progress(job.id)
        if job.set_id is None:
            return progress
        async with self._context.storage.read() as transaction:
            whole = await transaction.run(queries.of_set, job.set_id)
        # One whose result is shown again has a card of its own.
        together = tuple(one for one in whole if one.card_message_id in {None, job.card_message_id})
        return replace(progress, whole_set=together)

    async def _give_up(self, job: Job) -> None:
        """Leave a card that can't be shown for an unknown reason as it is until its job changes."""
        _log.error("Job %s: its card can't be shown", job.id)
        if job.card_superseded_at is not None:
            self._removals.gone(job)
            self._note_removed(job)
            return
        self._positions.forget(job.id)
        self._note(job)

    def _note_removed(self, job: Job) -> None:
        """Have it stored soon, with others, that the job has no card any more."""
        self._positions.forget(job.id)
        self._ends.forget(job.id)
        self._shown.store_soon()
        self._tending.set()

    def _posted(self, job: Job, progress: Progress) -> None:
        if job.state is JobState.WAITING and not progress.whole_set:
            self._positions.shown(job.id, progress, self._context.clock.monotonic())
            self._tending.set()

    def _note(self, job: Job) -> None:
        self._shown.note(job)
        self._tending.set()


def _rank(job: Job) -> int:
    """Return 0 for cards that are to be posted, 1 for those of jobs that are over, and 2 for others."""
    if job.card_message_id is None and job.origin_message_id is not None:
        return 0
    return 1 if job.over else 2
