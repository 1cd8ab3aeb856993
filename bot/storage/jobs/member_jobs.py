"""The jobs of a server's members."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select, text

from bot.domain import Job, JobState
from bot.storage.jobs.rows import LIMIT, JobRows
from bot.storage.schema import GOING_OR_DONE, jobs

_NOT_ERASED = jobs.c.forgotten_at.is_(None) | jobs.c.scrubbed_at.is_(None)


class MemberJobs(JobRows):
    """Jobs by whose they are, within one transaction."""

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
        query = _page(of_member=user_id is not None, in_states=states is not None, of_tool=tool is not None)
        which = {"guild": guild_id, "user": user_id, "states": list(states or ()), "tool": tool}
        return await self._all(query, {**which, "offset": offset, "limit": limit})

    async def asked_once(self, guild_id: int, user_id: int, once: str) -> Job | None:
        """Return a member's job in a server by its `once` key, the newest if there are several."""
        return await self._one(_ASKED_ONCE, {"guild": guild_id, "user": user_id, "once": once})

    async def going_or_done_of(self, once: Collection[str]) -> set[str]:
        """Return those of the `once` keys that a job has which neither failed nor was cancelled."""
        return set((await self._session.execute(_GOING_OR_DONE_OF, {"keys": list(once)})).scalars())


# Statements, made once (see `Session.execute`).
_IN_GUILD = jobs.c.guild_id == bindparam("guild")
_OF_USER = jobs.c.user_id == bindparam("user")
_ASKED_ONCE = (
    select(jobs)
    .where(_IN_GUILD, _OF_USER, jobs.c.once == bindparam("once"))
    .order_by(jobs.c.number.desc())
    .limit(1)
)
_GOING_OR_DONE_OF = select(jobs.c.once).where(
    text(GOING_OR_DONE), jobs.c.once.in_(bindparam("keys", expanding=True))
)


@cache
def _page(*, of_member: bool, in_states: bool, of_tool: bool) -> Select[Any]:
    """Return the query of `MemberJobs.page`."""
    query = select(jobs).where(_IN_GUILD).offset(bindparam("offset", type_=Integer)).limit(LIMIT)
    if in_states:
        query = query.where(jobs.c.state.in_(bindparam("states", expanding=True)))
    if of_tool:
        query = query.where(jobs.c.tool == bindparam("tool"))
    if of_member:
        return query.where(_OF_USER, _NOT_ERASED).order_by(jobs.c.number.desc())
    return query.order_by(jobs.c.created_at.desc(), jobs.c.number.desc())
