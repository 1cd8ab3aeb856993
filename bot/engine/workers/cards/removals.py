"""Removes cards in whose place postings are."""

from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.jobs import cards
from bot.jobs.models import Job
from bot.storage import Transaction


class CardRemovals:
    """Removes cards, and remembers which are gone until the database knows it.

    A kill in between has a card removed once more, which changes nothing.
    """

    def __init__(self, context: EngineContext, delivery: Delivery) -> None:
        self._context = context
        self._delivery = delivery
        self._gone: set[str] = set()  # jobs

    def __len__(self) -> int:
        """Return the number of removals that the database doesn't know."""
        return len(self._gone)

    def wants(self, job: Job) -> bool:
        """Return whether the job, whose card a posting has superseded, still has that card."""
        return job.card_message_id is not None and job.id not in self._gone

    async def remove(self, job: Job) -> float | None:
        """Remove the job's card. Return in how many seconds to try again, or None once it is gone."""
        superseded = job.card_superseded_at or job.changed_at
        age = (self._context.clock.now() - superseded).total_seconds()
        again: float | None = None
        if age < self._context.tuning.card_removal_bound:
            removing, what = self._delivery.remove_card(job), f"Job {job.id}: removing its card"
            late = self._context.tuning.card_again
            again = await self._context.delivered(what, removing, late, job_id=job.id)
        if again is None:
            self.gone(job)
        return again

    def gone(self, job: Job) -> None:
        """Remember that the card is gone, or stays for good."""
        self._gone.add(job.id)

    async def store(self, transaction: Transaction) -> frozenset[str]:
        """Tell the database of the removals. Return them, for `stored` after the commit."""
        gone = frozenset(self._gone)
        if gone:
            await transaction.run(cards.removed, gone)
        return gone

    def stored(self, gone: frozenset[str]) -> None:
        """Forget removals that the database knows now."""
        self._gone -= gone
