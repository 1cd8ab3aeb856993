"""Show the newest version of each job on its card."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.aio.bounded import BoundedDict
from bot.aio.loops import WakeUp, run_forever
from bot.aio.shield import shielded
from bot.aio.worker import KeyedWorker
from bot.domain import Job, JobState, Progress
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.engine.workers.cards.expected_ends import ExpectedEnds
from bot.engine.workers.cards.missing import MissingCards
from bot.engine.workers.cards.queue_positions import UNPLACED_EVERY, QueuePositions
from bot.engine.workers.cards.removals import CardRemovals
from bot.errors import Outage

_log = logging.getLogger(__name__)
# A job that is about to be queued has its position in a moment: one edit of its card then shows both.
POSITION_KNOWN_IN = 0.2  # seconds
POSITION_CHECKS = 5
# Before it is in its lane's queue, its card keeps saying what it said: "in the queue" always has a position.
PATIENT_CHECKS = 60
# A job that is being sent runs in a moment: its card shows that at once, as a second edit had to wait.
SENT_CHECKS = 1
# One that is expected to end in a moment is not shown as running at all, unless it takes longer.
END_EXPECTED_WITHIN = 2  # multiples of the pause between two checks
END_EXPECTED_CHECKS = 4
# When Studii has finished a job, its card shows the end alone, unless the download takes longer.
END_CHECKS = 4
# A card says nothing of an end that is about to be posted in its place, unless posting takes longer.
POSTED_CHECKS = 4
RESUMED_WITHIN = timedelta(minutes=1)
MAX_NOTES_TOGETHER = 100
MAX_REMEMBERED_CARDS = 2000


class Cards:
    """Shows the newest version of each job on its card. `progress` returns the lane's estimates."""

    def __init__(
        self,
        context: EngineContext,
        delivery: Delivery,
        progress: Callable[[str], Awaitable[Progress]],
    ) -> None:
        self._context = context
        self._delivery = delivery
        self._progress = progress
        self._since = context.clock.now()
        self._positions = QueuePositions()
        self._ends = ExpectedEnds()
        self._resuming: set[str] | None = None  # running jobs whose cards an earlier life has shown
        self._tending = WakeUp()
        self._versions = BoundedDict[tuple[str, int], int](MAX_REMEMBERED_CARDS)  # what cards show
        self._notes: dict[str, int] = {}  # of these, what the database does not know yet
        self._removals = CardRemovals(context, delivery)
        self._unnoted_since: float | None = None  # when the oldest of these was added
        self._missing = MissingCards(context, delivery, self._way, self._posted)
        self.worker = KeyedWorker[Job](
            "showing cards",
            self._find,
            self._show,
            self._give_up,
            key=lambda job: job.id,
            noun="job",
            size=context.tuning.cards_at_once,
            clock=context.clock,
            liveness=context.liveness,
            drain=context.tuning.drain,  # between Discord's answer and our note of it
            free=lambda job: job.card_message_id is not None,
            reread_every=context.tuning.reread_every,
            wants=self._wants,
            rank=_rank,
            # The jobs of a set share a card, and each draws all of it.
            queue=lambda job: job.set_id or job.id,
            news=lambda job: (job.over, job.announced_at is not None),  # its card then waits for nothing
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
                await shielded(self._store_notes())

    def _wants(self, job: Job) -> bool:
        if job.card_superseded_at is not None:
            return self._removals.wants(job)
        if job.card_message_id is None:
            return job.origin_message_id is not None and not job.card_version and not job.over
        shown = self._versions.get((job.id, job.card_message_id), 0)
        return max(job.card_version, shown) < job.version

    async def _find(self, limit: int) -> list[Job]:
        async with self._context.storage.read() as transaction:
            wanted = await transaction.job_cards.wanted_cards(limit)
            lost = await transaction.job_cards.lost_cards(*self._missing.lost_between(), limit)
            stale = await transaction.job_cards.stale_cards(limit)
            superseded = await transaction.job_cards.superseded_cards(limit)
        return wanted + [job for job in stale + superseded if self._wants(job)] + lost

    async def _tend(self) -> float | None:
        now, tuning = self._context.clock.monotonic(), self._context.tuning
        ways = {job_id: await self._progress(job_id) for job_id in self._positions.due(now)}
        moved = self._positions.moved(lambda job_id: ways.get(job_id, Progress()), now)
        outdated = [*moved, *await self._overdue()]
        if outdated:
            async with self._context.storage.read() as transaction:
                for job in await transaction.job_cards.unfinished_with_cards(outdated):
                    self.worker.add(job)
        count, since = len(self._notes) + len(self._removals), self._unnoted_since or now
        if count and (count >= MAX_NOTES_TOGETHER or now - since >= tuning.card_noted_after):
            await shielded(self._store_notes())
        if self._notes or self._removals:
            return min(UNPLACED_EVERY, tuning.card_noted_after)
        if self._positions or self._resuming:
            return UNPLACED_EVERY
        return self._ends.next_in(self._context.clock.now())

    async def _overdue(self) -> list[str]:
        """Return running jobs whose cards name a time that has passed, also one of an earlier life."""
        now = self._context.clock.now()
        if self._resuming is None:
            async with self._context.storage.read() as transaction:
                running = await transaction.jobs.in_states([JobState.RUNNING], MAX_REMEMBERED_CARDS)
            self._resuming = {job.id for job in running if job.card_message_id is not None}
        overdue = self._ends.passed(now)
        for job_id in list(self._resuming):
            way = await self._progress(job_id)
            if way.late:
                overdue.append(job_id)
            self._ends.shown(job_id, way)
            # Its lane may not have taken it over yet; some jobs have no time to tell.
            if way.late or way.ends_at is not None or now - self._since > RESUMED_WITHIN:
                self._resuming.discard(job_id)
        return overdue

    async def _store_notes(self) -> None:
        notes, self._notes = self._notes, {}
        if not (notes or self._removals):
            return
        self._unnoted_since = self._context.clock.monotonic()  # if it fails, it is tried again later
        try:
            async with self._context.storage.write() as transaction:
                if notes:
                    await transaction.job_cards.cards_show(notes)
                removed = await self._removals.store(transaction)
        except BaseException:
            self._notes = notes | self._notes
            raise
        self._removals.stored(removed)
        if not (self._notes or self._removals):
            self._unnoted_since = None

    async def _show(self, job: Job, tries: int) -> float | None:
        if job.card_message_id is None:
            return await self._missing.get(job, tries)
        if job.card_superseded_at is not None:
            return await self._remove(job)
        if self._is_shown(job):
            return None
        if _is_about_to_end(job) and tries < END_CHECKS:
            return self._context.tuning.card_again
        way = await self._way(job)
        if any(one.card_superseded_at is not None for one in way.whole_set):
            return None  # it is being removed
        pause = self._pause(job, way, tries)
        if pause is not None:
            return pause
        try:
            async with asyncio.timeout(self._context.tuning.delivery_patience):
                again = await self._delivery.show_card(job, way)
        except TimeoutError:
            _log.warning("Job %s: showing its card took too long", job.id, extra={"job": job.id})
            again = self._context.tuning.card_again
        if again is None:
            self._note_shown(job, way)
        return again

    def _note_shown(self, job: Job, way: Progress) -> None:
        # The card of a set tells neither positions nor times.
        if job.state is JobState.WAITING and not way.whole_set:
            self._positions.shown(job.id, way, self._context.clock.monotonic())
        else:
            self._positions.forget(job.id)
        if job.state is JobState.RUNNING and not way.whole_set:
            self._ends.shown(job.id, way)
        else:
            self._ends.forget(job.id)
        for one in way.whole_set or (job,):
            self._note(one)

    def _pause(self, job: Job, way: Progress, tries: int) -> float | None:
        """Return how long to leave the card as it is, if it will have more to say in a moment."""
        if _is_to_be_queued(job, way) and tries < PATIENT_CHECKS:
            return POSITION_KNOWN_IN if tries < POSITION_CHECKS else UNPLACED_EVERY
        if _is_about_to_run(job) and tries < SENT_CHECKS:
            return self._context.tuning.card_again
        if _is_to_be_posted(job, way) and tries < POSTED_CHECKS:
            return self._context.tuning.card_again
        if self._ends_in_a_moment(job, way) and tries < END_EXPECTED_CHECKS:
            return self._context.tuning.card_again
        return None

    def _ends_in_a_moment(self, job: Job, way: Progress) -> bool:
        """Return whether the job will probably end before an edit of its card could show that it runs."""
        told = max(job.card_version, self._versions.get((job.id, job.card_message_id or 0), 0)) >= job.version
        if job.state is not JobState.RUNNING or told or job.cancel_told is not None or way.whole_set:
            return False
        moment = timedelta(seconds=END_EXPECTED_WITHIN * self._context.tuning.card_again)
        return way.late or (way.ends_at is not None and way.ends_at - self._context.clock.now() <= moment)

    async def _remove(self, job: Job) -> float | None:
        again = await self._removals.remove(job)
        if again is None:
            self._note_removed(job)
        return again

    def _is_shown(self, job: Job) -> bool:
        """Return whether another job of the set has shown this one's newest version, too."""
        shown = self._versions.get((job.id, job.card_message_id or 0), 0)
        return job.set_id is not None and shown >= job.version

    async def _way(self, job: Job) -> Progress:
        """Return the job's way in its lane, with its whole set if it is of one."""
        way = await self._progress(job.id)
        if job.set_id is None:
            return way
        async with self._context.storage.read() as transaction:
            whole = await transaction.jobs.of_set(job.set_id)
        # One whose result is shown anew has a card of its own.
        together = tuple(one for one in whole if one.card_message_id in {None, job.card_message_id})
        return replace(way, whole_set=together)

    async def _give_up(self, job: Job) -> None:
        """Leave a card that can't be shown for an unknown reason as it is until its job changes."""
        _log.error("Job %s: its card can't be shown", job.id, extra={"job": job.id})
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
        self._store_soon()

    def _posted(self, job: Job, way: Progress) -> None:
        if job.state is JobState.WAITING and not way.whole_set:
            self._positions.shown(job.id, way, self._context.clock.monotonic())
            self._tending.set()

    def _note(self, job: Job) -> None:
        """Remember that the card shows this version; the database learns it soon, with others."""
        if job.card_message_id is not None:
            self._versions[job.id, job.card_message_id] = job.version
        self._notes[job.id] = job.version
        self._store_soon()

    def _store_soon(self) -> None:
        if self._unnoted_since is None:
            self._unnoted_since = self._context.clock.monotonic()
        self._tending.set()


def _is_to_be_queued(job: Job, way: Progress) -> bool:
    untold = job.state is JobState.WAITING and job.held is None and way.position is None
    return untold and not way.whole_set


def _is_about_to_run(job: Job) -> bool:
    return job.state in {JobState.UPLOADING, JobState.SUBMITTING} and job.cancel_told is None


def _is_about_to_end(job: Job) -> bool:
    return job.state is JobState.RUNNING and job.output_url is not None


def _is_to_be_posted(job: Job, way: Progress) -> bool:
    """Return whether the job's posting, which takes the card's place, is about to be made.

    That of a set takes its place once all have ended.
    """
    return all(one.terminal and one.announced_at is None for one in way.whole_set or (job,))


def _rank(job: Job) -> int:
    """Return 0 for cards that are to be posted, 1 for those of jobs that are over, and 2 for others."""
    if job.card_message_id is None and job.origin_message_id is not None:
        return 0
    return 1 if job.over else 2
