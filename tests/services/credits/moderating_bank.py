"""What moderators do to a server's books, through the services and a real database."""

from types import SimpleNamespace
from typing import Any

from bot.catalog import Catalog
from bot.domain.guilds import Plan
from bot.engine.workers import housekeeping
from bot.features import approvals, moderation
from bot.features.moderation import Approver
from bot.jobs import queries, transitions
from bot.jobs.models import Job, JobState, MemberContext
from bot.servers import keys, settings
from bot.servers.key_entry import forget
from bot.services import Services
from bot.storage import Storage
from tests.services.credits.accountant import ROLES
from tests.support.clock import FakeClock

GUILD, CHANNEL = 1, 9
LANE = "lane"
MODERATOR = Approver(99, frozenset(), manages=False, moderates=True)
# Jobs that wait for moderators, or whose result they don't let be seen.
WAITING_FOR_MODERATORS = (JobState.PENDING, JobState.REVIEWING, JobState.WITHHELD)


class ModeratingBank:
    """The part of the bank in which moderators decide."""

    storage: Storage
    catalog: Catalog
    clock: FakeClock

    def open_for_moderators(self, services: Services) -> None:
        self.keys = services.keys

    async def set_key(self) -> None:
        """The server has a key, that of the usual lane."""
        async with self.storage.write() as transaction:
            key = await transaction.run(keys.current, GUILD)
            now = self.clock.now()
            key = key or await transaction.run(keys.add, GUILD, LANE, "abcd", Plan.PRO, b"", now)
            await transaction.run(settings.set_key, GUILD, key.id, now)

    async def revoke_key(self) -> None:
        """An admin forgets the key, and sets it again."""
        key = await self.storage.db.read(keys.current, GUILD)
        assert key is not None
        assert await self.storage.db.write(forget, GUILD, key.id, self.clock.now()) is not None
        await self.set_key()

    async def set_approval(self, *, requests: bool, results: bool) -> None:
        await self.storage.db.write(approvals.change, GUILD, channel_id=None)
        if requests or results:
            given = approvals.change, GUILD
            await self.storage.db.write(*given, channel_id=CHANNEL, everyone=requests, results=results)

    async def take_in(self, job_id: str) -> None:
        """The engine has its photo, or needs none."""
        async with self.storage.write() as transaction:
            job = await transaction.run(queries.get, job_id)
            assert job is not None
            if job.state is JobState.RECEIVED:
                await transaction.run(transitions.make_ready, job.id, None, self.clock.now())

    async def approve(self, job_id: str, user_id: int, *, left: bool, by: Approver = MODERATOR) -> list[Job]:
        """`left`: its requester has left the server."""
        context = None if left else MemberContext(roles=frozenset(ROLES[user_id]))
        asked = GUILD, job_id, by, context, self.clock.now()
        return await self.storage.db.write(moderation.approve, self.catalog, *asked)

    async def decline(self, job_id: str) -> list[Job]:
        request = GUILD, job_id, MODERATOR, "no", self.clock.now()
        return await self.storage.db.write(moderation.decline, *request)

    async def approve_result(self, job_id: str, *, left: bool) -> Job:
        result = GUILD, job_id, MODERATOR, self.clock.now()
        return await self.storage.db.write(moderation.approve_result, *result, left=left)

    async def decline_result(self, job_id: str) -> Job:
        result = GUILD, job_id, MODERATOR, "no", self.clock.now()
        return await self.storage.db.write(moderation.decline_result, *result)

    async def release_result(self, job_id: str) -> Job:
        result = GUILD, job_id, MODERATOR, self.clock.now()
        return await self.storage.db.write(moderation.release_result, *result)

    async def end_undecided(self) -> None:
        """What the engine does now and then."""
        context: Any = SimpleNamespace(storage=self.storage, clock=self.clock)
        await housekeeping._end_unapproved(context)  # pyright: ignore[reportPrivateUsage]
