"""Erase data on request, and at the end of its retention: with the files, and what the engine keeps."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.credits import ledger
from bot.jobs import queries, transitions
from bot.jobs.models import UNSHOWN_STATES, JobState
from bot.servers import privacy, settings
from bot.services.languages import LanguageService
from bot.services.service import Service
from bot.storage import Storage

_log = logging.getLogger(__name__)

KEPT_AFTER_REMOVAL = timedelta(days=30)
KEPT_LANGUAGES = timedelta(days=365)  # of members who don't use the bot any more
# Studii has the photo then, so it is kept for being shown beside the result alone.
_PHOTO_WAS_SENT = frozenset({JobState.RUNNING, *UNSHOWN_STATES, JobState.SUCCEEDED, JobState.UNKNOWN})
SWEEP_EVERY = 24 * 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Erased:
    """The numbers of a member's jobs that were erased, and that will be when they have ended."""

    now: int
    later: int


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

    async def forget_member(self, user_id: int, guild_id: int | None = None) -> Erased:
        """Erase the member's prompts, links and results, those of running jobs at their end.

        A result that waits for a moderator's decision is not posted. `guild_id`: those in that server alone,
        else in every server. Amounts stay without a name.
        """
        await self._languages.forget(user_id)
        async with self._storage.write() as transaction:
            now = self._clock.now()
            await transaction.run(privacy.forget_member, user_id, now, guild_id)
            for job in await transaction.run(queries.in_states, (JobState.REVIEWING,)):
                if job.user_id == user_id and guild_id in {None, job.guild_id}:
                    await transaction.run(transitions.withhold_result, job.id, None, now, told=True)
        erased = await self._scrub()
        async with self._storage.write() as transaction:
            later = await transaction.run(privacy.not_scrubbed_of, user_id, guild_id)
            await transaction.run(privacy.unname, self._clock.now())
            await transaction.run(ledger.unname_grants, user_id, self._clock.now(), guild_id)
        return Erased(erased, later)

    async def hide_photo(self, job_id: str) -> None:
        """Keep the job's result from showing its photo, which was deleted in Discord."""
        async with self._storage.write() as transaction:
            job = await transaction.run(queries.get, job_id)
            if job is None or job.state not in _PHOTO_WAS_SENT or job.source_file is None:
                return
            await transaction.run(transitions.change, job_id, source_file=None)
        await self._discard(job.source_file)

    async def sweep(self) -> float:
        """Erase data whose retention has ended. Return the seconds until the next sweep."""
        db, now = self._storage.db, self._clock.now()
        for guild_id in await db.read(settings.removed_before, now - KEPT_AFTER_REMOVAL):
            await db.write(privacy.erase_server, guild_id)
            _log.info("All data of server %d was erased, a month after it removed the bot.", guild_id)
        await db.write(settings.forget_languages, now - KEPT_LANGUAGES)
        erased = await self._scrub(now - self._keep) + await self._scrub()
        await db.write(privacy.unname, now)
        if erased:
            _log.info("The prompts and links of %d jobs were erased.", erased)
        return SWEEP_EVERY

    async def _scrub(self, before: datetime | None = None) -> int:
        erased = 0
        while found := await self._storage.db.write(privacy.scrub, self._clock.now(), before=before):
            erased += len(found)
            await self._discard(*(name for one in found for name in one.files))
        return erased
