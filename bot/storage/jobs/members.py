"""The jobs of a server's members."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, text

from bot.domain import ACTIVE_STATES, Job, JobState
from bot.storage.jobs.rows import JobRows
from bot.storage.schema import GOING_OR_DONE, jobs

_NOT_ERASED = jobs.c.forgotten_at.is_(None) | jobs.c.scrubbed_at.is_(None)


class MemberJobs(JobRows):
    """Jobs by whose they are, within one transaction."""

    async def recent_of(self, guild_id: int, user_id: int, limit: int) -> list[Job]:
        """Return a member's jobs in a server, newest first, without those that they had erased."""
        return await self._all(
            select(jobs)
            .where(jobs.c.guild_id == guild_id, jobs.c.user_id == user_id, _NOT_ERASED)
            .order_by(jobs.c.number.desc())
            .limit(limit)
        )

    async def page(
        self,
        guild_id: int,
        user_id: int | None,
        offset: int,
        limit: int,
        *,
        states: Collection[JobState] | None = None,
        tool: str | None = None,
    ) -> list[Job]:
        """Return a page of jobs of a server, or of one member in it, newest first.

        A member's page is without those that they had erased. None of `states` or `tool`: all.
        """
        query = select(jobs).where(jobs.c.guild_id == guild_id)
        if states is not None:
            query = query.where(jobs.c.state.in_(list(states)))
        if tool is not None:
            query = query.where(jobs.c.tool == tool)
        if user_id is not None:
            return await self._all(
                query.where(jobs.c.user_id == user_id, _NOT_ERASED)
                .order_by(jobs.c.number.desc())
                .offset(offset)
                .limit(limit)
            )
        newest = (jobs.c.created_at.desc(), jobs.c.number.desc())
        return await self._all(query.order_by(*newest).offset(offset).limit(limit))

    async def going_or_done_of(self, once: Collection[str]) -> set[str]:
        """Return those of the `once` keys that a job has which neither failed nor was cancelled."""
        query = select(jobs.c.once).where(text(GOING_OR_DONE), jobs.c.once.in_(list(once)))
        return set((await self._session.execute(query)).scalars())

    async def going_of(self, guild_id: int, user_ids: Collection[int]) -> dict[int, int]:
        """Return the numbers of these members' unfinished jobs in a server, without unknown ones, if any."""
        query = (
            select(jobs.c.user_id, func.count().label("jobs"))
            .where(
                jobs.c.guild_id == guild_id,
                jobs.c.user_id.in_(list(user_ids)),
                jobs.c.state.in_(ACTIVE_STATES),
            )
            .group_by(jobs.c.user_id)
        )
        rows = (await self._session.execute(query)).mappings()
        return {row["user_id"]: row["jobs"] for row in rows}

    async def started_by(
        self, guild_id: int, user_ids: Collection[int], since: datetime, until: datetime
    ) -> dict[int, list[datetime]]:
        """Return when these members' jobs in (since, until] were accepted, oldest first."""
        query = (
            select(jobs.c.user_id, jobs.c.created_at)
            .where(
                jobs.c.guild_id == guild_id,
                jobs.c.user_id.in_(list(user_ids)),
                jobs.c.created_at > since,
                jobs.c.created_at <= until,
            )
            .order_by(jobs.c.created_at)
        )
        found: dict[int, list[datetime]] = {}
        for row in (await self._session.execute(query)).mappings():
            found.setdefault(row["user_id"], []).append(row["created_at"])
        return found
