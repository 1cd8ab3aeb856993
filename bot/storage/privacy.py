"""Erasing: prompts and links of old jobs, members' names, and all data of a server."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, delete, exists, func, select, update

from bot.domain import FORGOTTEN_MEMBER, SENT_STATES, TERMINAL_STATES, UNKNOWN_MEMBER, Job, JobState
from bot.storage.database.repository import Repository
from bot.storage.jobs import JOB_KEY, job_of, lock_servers_of
from bot.storage.schema import (
    best_consents,
    best_results,
    confirmations,
    jobs,
    member_languages,
    metadata,
    refusals_told,
    studii_keys,
    tappers,
)

_ERASED = {
    "once": None,  # names the member
    "tapped": None,
    "allowance_role": None,
    "inputs": dict[str, str](),
    "source_url": None,
    "source_name": None,
    "source_type": None,
    "source_size": None,
    "source_message_id": None,
    "source_channel_id": None,
    "source_file": None,
    "object_key": None,
    "status_url": None,
    "output_url": None,
    "output_file": None,
    "failure_text": None,
}


class Privacy(Repository):
    """Erases within one transaction. Amounts of credits stay until the server is erased."""

    async def old_jobs(self, before: datetime, limit: int) -> list[Job]:
        """Return jobs that ended before that time and are not scrubbed yet."""
        return await self._jobs(_OLD_JOBS, {"before": before, "limit": limit})

    async def forgotten_jobs(self, limit: int) -> list[Job]:
        """Return ended and announced jobs of members who asked to be forgotten."""
        return await self._jobs(_FORGOTTEN_JOBS, {"limit": limit})

    async def scrub(self, job_ids: Collection[str], at: datetime) -> None:
        """Erase the prompts, links and files' names of these jobs."""
        mine = jobs.c.id.in_(list(job_ids))
        own = jobs.c.photo_author.is_(None) | (jobs.c.photo_author == jobs.c.user_id)
        # The author's id is erased, but not that the photo was another member's.
        erased = {**_ERASED, "photo_author": case((own, None), else_=UNKNOWN_MEMBER)}
        await self._session.execute(update(jobs).where(mine).values(scrubbed_at=at, **erased))

    async def forget(self, user_id: int, at: datetime, guild_id: int | None = None) -> None:
        """Mark the member's jobs, in one server or in all, which are scrubbed once they have ended."""
        await self._session.remove(member_languages, {"user_id": user_id})
        here = {} if guild_id is None else {"guild_id": guild_id}
        for table in (confirmations, tappers, refusals_told):
            await self._session.remove(table, {"user_id": user_id, **here})
        starred = best_results.c.user_id == user_id
        if guild_id is not None:
            starred &= best_results.c.guild_id == guild_id
        else:
            # A refusal stays, as it protects the member.
            agreed = (best_consents.c.user_id == user_id) & best_consents.c.agreed.is_not(False)
            await self._session.execute(delete(best_consents).where(agreed))
        await self._session.execute(update(best_results).where(starred).values(wanted=False, since=at))
        self._session.changes.best = True
        theirs = _jobs_of(user_id, guild_id)
        await lock_servers_of(self._session, theirs)
        await self._session.execute(update(jobs).where(theirs).values(forgotten_at=at))

    async def not_scrubbed_of(self, user_id: int, guild_id: int | None = None) -> int:
        """Return the number of the member's jobs that are not scrubbed yet, in one server or in all."""
        left = _jobs_of(user_id, guild_id) & jobs.c.scrubbed_at.is_(None)
        return (await self._session.execute(select(func.count()).where(left))).scalar_one()

    async def guilds_with_forgotten(self) -> list[int]:
        return list((await self._session.execute(_WITH_FORGOTTEN)).scalars())

    async def erase_retired_keys(self, before: datetime) -> int:
        """Erase retired keys that no job runs with, and all that were retired before `before`.

        Return the number of erased keys.
        """
        return len((await self._session.execute(_ERASE_RETIRED_KEYS, {"before": before})).all())

    async def erase_guild(self, guild_id: int) -> None:
        """Delete all rows of the server, in every table."""
        for table in reversed(metadata.sorted_tables):
            if "guild_id" in table.c:
                await self._session.remove(table, {"guild_id": guild_id})

    async def _jobs(self, query: Select[Any], values: Mapping[str, Any]) -> list[Job]:
        return await self._session.rows(query, lambda row: job_of(row, inputs={}), JOB_KEY, values)


def _jobs_of(user_id: int, guild_id: int | None) -> ColumnElement[bool]:
    mine = jobs.c.user_id == user_id
    return mine if guild_id is None else mine & (jobs.c.guild_id == guild_id)


# Statements, made once (see `Session.execute`).
# The inputs are not read, so that unreadable ones are erased as well.
_NOT_SCRUBBED: Select[Any] = (
    select(*(column for column in jobs.c if column.name != "inputs"))
    .where(jobs.c.scrubbed_at.is_(None))
    .order_by(jobs.c.number)
    .limit(bindparam("limit", type_=Integer))
)
_OLD_JOBS = _NOT_SCRUBBED.where(
    jobs.c.state.in_((*TERMINAL_STATES, JobState.UNKNOWN)), jobs.c.changed_at < bindparam("before")
)
_FORGOTTEN_JOBS = _NOT_SCRUBBED.where(
    jobs.c.forgotten_at.is_not(None), jobs.c.state.in_(TERMINAL_STATES), jobs.c.announced_at.is_not(None)
)
_WITH_FORGOTTEN = (
    select(jobs.c.guild_id)
    .where(jobs.c.forgotten_at.is_not(None), jobs.c.user_id != FORGOTTEN_MEMBER)
    .distinct()
)
_RUNNING = exists().where(jobs.c.key_id == studii_keys.c.id, jobs.c.state.in_(SENT_STATES))
_ERASE_RETIRED_KEYS = (
    update(studii_keys)
    .where(studii_keys.c.retired_at.is_not(None), studii_keys.c.ciphertext != b"")
    .where(~_RUNNING | (studii_keys.c.retired_at < bindparam("before")))
    .values(ciphertext=b"")
    .returning(studii_keys.c.id)
)
