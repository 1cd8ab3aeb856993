"""Note which version of its job each card shows. The database learns it a little later, many at a time."""

from bot.aio.bounded import BoundedDict
from bot.engine.context import EngineContext
from bot.engine.workers.cards.removals import CardRemovals
from bot.jobs import cards
from bot.jobs.models import Job

MAX_NOTES_TOGETHER = 100
MAX_SHOWN_VERSIONS = 2000


class ShownVersions:
    """Remembers what cards show, and stores it together with the removals of cards.

    After a kill the next process finds out: it shows such a card once more, which changes nothing.
    """

    def __init__(self, context: EngineContext, removals: CardRemovals) -> None:
        self._context = context
        self._removals = removals
        self._versions = BoundedDict[tuple[str, int], int](MAX_SHOWN_VERSIONS)
        self._notes: dict[str, int] = {}  # of these, what the database does not know yet
        self._since: float | None = None  # when the oldest of these was added

    @property
    def unstored(self) -> bool:
        """Return whether there is something that the database does not know."""
        return bool(self._notes or self._removals)

    def remembered(self, job: Job) -> int:
        """Return the version of the job that this process has shown on its card, 0 if none."""
        return self._versions.get((job.id, job.card_message_id or 0), 0)

    def told(self, job: Job) -> bool:
        """Return whether the card shows the job as it is now, by the database or this process."""
        return max(job.card_version, self.remembered(job)) >= job.version

    def note(self, job: Job) -> None:
        """Remember that the card shows this version."""
        if job.card_message_id is not None:
            self._versions[job.id, job.card_message_id] = job.version
        self._notes[job.id] = job.version
        self.store_soon()

    def store_soon(self) -> None:
        """Begin the time after which what is not stored is due."""
        if self._since is None:
            self._since = self._context.clock.monotonic()

    def due(self) -> bool:
        """Return whether there is enough to store, or something has waited for long enough."""
        count, now = len(self._notes) + len(self._removals), self._context.clock.monotonic()
        waited = now - (self._since or now)
        return count > 0 and (count >= MAX_NOTES_TOGETHER or waited >= self._context.tuning.card_noted_after)

    async def store(self) -> None:
        """Store what the database does not know. If it fails, it is kept for another time."""
        notes, self._notes = self._notes, {}
        if not (notes or self._removals):
            return
        self._since = self._context.clock.monotonic()  # if it fails, it is tried again later
        try:
            async with self._context.storage.write() as transaction:
                if notes:
                    await transaction.run(cards.note_versions, notes)
                removed = await self._removals.store(transaction)
        except BaseException:
            self._notes = notes | self._notes
            raise
        self._removals.stored(removed)
        if not self.unstored:
            self._since = None
