"""Starred results: which are shown in the channel for the best, with their makers' consent."""

from collections.abc import Collection
from datetime import timedelta

from bot.aio.bounded import BoundedDict
from bot.clock import Clock
from bot.jobs.best_results import BestResult
from bot.jobs.models import Job
from bot.services.service import Service
from bot.storage import Storage

MAX_REMEMBERED_STARRED = 20_000  # messages
CAUGHT_UP = timedelta(days=1)  # how old results are that are looked at after a start
UNANSWERED = timedelta(days=30)  # a result that waits for its maker's answer is forgotten then


class BestService(Service):
    """Starred results of all servers. Their messages are kept in memory, so that others cost no query."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._starred = BoundedDict[int, None](MAX_REMEMBERED_STARRED)

    async def load(self) -> None:
        """Read which messages are starred."""
        async with self._storage.write() as transaction:
            await transaction.best.drop_unanswered(self._clock.now() - UNANSWERED)
            known = await transaction.best.messages(MAX_REMEMBERED_STARRED)
        for message_id in reversed(known):
            self._starred[message_id] = None

    async def to_catch_up(
        self, most: int, most_channels: int
    ) -> tuple[list[BestResult], list[tuple[int, int]]]:
        """Return the results that are shown, the latest first, and the servers and channels with results of
        the last day, where the best are shown."""
        async with self._storage.read() as transaction:
            since = self._clock.now() - CAUGHT_UP
            return await transaction.best.latest(most), await transaction.best.channels(since, most_channels)

    def is_starred(self, message_id: int) -> bool:
        """Return whether the message may be a result that has the stars, without a query."""
        return message_id in self._starred

    async def result_of(self, guild_id: int, message_id: int) -> Job | None:
        """Return the job whose result the message shows, if it may be shown elsewhere."""
        async with self._storage.read() as transaction:
            return await transaction.best.result_of(guild_id, message_id)

    async def want(self, job: Job, channel_id: int, message_id: int) -> None:
        """Have the result shown, if its maker agrees. They are asked once."""
        best = BestResult(
            message_id, job.guild_id, channel_id, job.id, job.user_id, wanted=True, since=self._clock.now()
        )
        async with self._storage.write() as transaction:
            if await transaction.best.consent(job.user_id) is False:
                return
            await transaction.best.want(best)
        self._starred[message_id] = None

    async def unwant(self, guild_id: int, message_ids: Collection[int]) -> None:
        """Have these results taken back, those that are shown."""
        async with self._storage.write() as transaction:
            await transaction.best.unwant(guild_id, message_ids, self._clock.now())
        for message_id in message_ids:
            self._starred.pop(message_id, None)

    async def consent(self, user_id: int) -> bool | None:
        """Return whether the member lets their results be shown, or None if they have not said."""
        async with self._storage.read() as transaction:
            return await transaction.best.consent(user_id)

    async def answer(self, user_id: int, *, agreed: bool) -> None:
        """Store whether the member's results may be shown, in every server."""
        async with self._changing() as transaction:
            await transaction.best.answer(user_id, self._clock.now(), agreed=agreed)
