"""Erase data on request, and at the end of its retention."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.credits import ledger, requests
from bot.credits.budgets import budget_period
from bot.domain import UNSHOWN_STATES, Job, JobState
from bot.features import styles
from bot.lifecycle.transitions import withhold_result
from bot.servers import notices, settings as server_settings
from bot.services.languages import LanguageService
from bot.services.service import Service
from bot.storage import Storage, Transaction

_log = logging.getLogger(__name__)

KEPT_AFTER_REMOVAL = timedelta(days=30)
KEPT_LANGUAGES = timedelta(days=365)  # of members who don't use the bot any more
# Studii has the photo then, so it is kept for being shown beside the result alone.
_PHOTO_WAS_SENT = frozenset({JobState.RUNNING, *UNSHOWN_STATES, JobState.SUCCEEDED, JobState.UNKNOWN})
BATCH = 500  # jobs in one transaction, so that others don't wait long for the database
SWEEP_EVERY = 24 * 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Erased:
    """The numbers of a member's jobs that were erased, and that will be when they have ended."""

    now: int
    later: int


@dataclass(frozen=True, slots=True)
class Erasable:
    """The numbers of a member's jobs of which something can be erased: in one server, and in all."""

    here: int
    everywhere: int


class PrivacyService(Service):
    """Erases data. `discard` removes files from the spool by name."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        discard: Callable[..., Awaitable[None]],
        languages: LanguageService,
        *,
        keep_days: int,
    ) -> None:
        super().__init__(storage, clock)
        self._discard = discard
        self._languages = languages
        self._keep = timedelta(days=keep_days)

    async def erasable(self, user_id: int, guild_id: int) -> Erasable:
        """Return of how many of the member's jobs something can be erased."""
        async with self._storage.read() as transaction:
            return Erasable(
                await transaction.privacy.not_scrubbed_of(user_id, guild_id),
                await transaction.privacy.not_scrubbed_of(user_id),
            )

    async def forget_member(self, user_id: int, guild_id: int | None = None) -> Erased:
        """Erase the member's prompts, links and results, those of running jobs at their end.

        A result that waits for a moderator's decision is not posted. `guild_id`: those in that server alone,
        else in every server.

        Amounts stay without a name. Those of a budget's current period lose the name at its end, or the
        member could use an allowance twice.
        """
        await self._languages.forget(user_id)
        async with self._storage.write() as transaction:
            await transaction.privacy.forget(user_id, self._clock.now(), guild_id)
            await transaction.run(notices.forget_member, user_id, self._clock.now(), guild_id)
            await transaction.run(requests.forget_member, user_id, guild_id)
            for job in await transaction.jobs.in_states((JobState.REVIEWING,)):
                if job.user_id == user_id and guild_id in {None, job.guild_id}:
                    await withhold_result(transaction, job, None, self._clock.now(), told=True)
            await transaction.run(styles.forget_member, user_id, guild_id)
        erased = await self._scrub(lambda transaction: transaction.privacy.forgotten_jobs(BATCH))
        async with self._storage.write() as transaction:
            later = await transaction.privacy.not_scrubbed_of(user_id, guild_id)
            await self._unname(transaction)
            await transaction.run(ledger.unname_grants, user_id, self._clock.now(), guild_id)
        return Erased(erased, later)

    async def hide_photo(self, job_id: str) -> None:
        """Keep the job's result from showing its photo, which was deleted in Discord."""
        async with self._storage.write() as transaction:
            job = await transaction.jobs.get(job_id)
            if job is None or job.state not in _PHOTO_WAS_SENT or job.source_file is None:
                return
            await transaction.jobs.update(job_id, source_file=None)
        await self._discard(job.source_file)

    async def sweep(self) -> float:
        """Erase data whose retention has ended. Return the seconds until the next sweep."""
        now = self._clock.now()
        async with self._storage.read() as transaction:
            gone = await transaction.run(server_settings.removed_before, now - KEPT_AFTER_REMOVAL)
        for guild_id in gone:
            async with self._storage.write() as transaction:
                await transaction.privacy.erase_guild(guild_id)
            _log.info("All data of server %d was erased, a month after it removed the bot.", guild_id)
        await self._languages.sweep(now - KEPT_LANGUAGES)
        erased = await self._scrub(lambda transaction: transaction.privacy.old_jobs(now - self._keep, BATCH))
        erased += await self._scrub(lambda transaction: transaction.privacy.forgotten_jobs(BATCH))
        async with self._storage.write() as transaction:
            await self._unname(transaction)
        if erased:
            _log.info("The prompts and links of %d jobs were erased.", erased)
        return SWEEP_EVERY

    async def _scrub(self, find: Callable[[Transaction], Awaitable[list[Job]]]) -> int:
        erased = 0
        while True:
            async with self._storage.write() as transaction:
                jobs = await find(transaction)
                await transaction.privacy.scrub([job.id for job in jobs], self._clock.now())
            if not jobs:
                return erased
            erased += len(jobs)
            await self._discard(*(name for job in jobs for name in (job.source_file, job.output_file)))

    async def _unname(self, transaction: Transaction) -> None:
        for guild_id in await transaction.privacy.guilds_with_forgotten():
            settings = await transaction.run(server_settings.of, guild_id)
            period, name = budget_period(settings, self._clock.now())
            if period.start is not None:
                await transaction.run(ledger.unname, guild_id, period.start, name)
