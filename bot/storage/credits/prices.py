"""The last charges of tools, by Studii key, and the jobs that a changed price affects."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, func, literal, select, update

from bot.domain import UNSENT_STATES, Job, JobState
from bot.storage.database.repository import Repository
from bot.storage.jobs import JOB_KEY, changed_job, job_of
from bot.storage.schema import guilds, jobs, prices, studii_keys

ANY_KEY = ""  # as a lane: the last charge with any key


class Prices(Repository):
    """Learned prices, in credits, within one transaction. A key is named by its lane."""

    async def learn(self, lane: str, tool: str, variant: str, charge: int, at: datetime) -> int | None:
        """Record a charge. Return the key's charge before it, or None if there was none."""
        asked = {"lanes": [lane, ANY_KEY], "of_tool": tool, "of_variant": variant}
        before = {row.lane: row.charge for row in await self._session.execute(_BOTH, asked)}
        for name in (lane, ANY_KEY):
            if before.get(name) != charge:
                key = {"lane": name, "tool": tool, "variant": variant}
                await self._session.put(prices, key, {"charge": charge, "at": at})
        return before.get(lane)

    async def last(self, lane: str, tool: str, variant: str) -> tuple[int | None, datetime | None]:
        """Return the last charge with that key, and when it was first charged."""
        which = {"with_lane": lane, "of_tool": tool, "of_variant": variant}
        row = (await self._session.execute(_LAST, which)).one_or_none()
        return (None, None) if row is None else (row.charge, row.at)

    async def all(self, lane: str = ANY_KEY) -> dict[tuple[str, str], int]:
        """Return the last charges with that key, by tool and variant."""
        rows = (await self._session.execute(_ALL, {"with_lane": lane})).mappings()
        return {(row["tool"], row["variant"]): row["charge"] for row in rows}

    async def dearest(self, lane: str, tool: str, mode: str | None = None) -> int | None:
        """Return the highest last charge of the tool's variants with that key.

        `mode` limits them to one mode, such as `mode=video`.
        """
        query = select(func.max(prices.c.charge)).where(prices.c.lane == lane, prices.c.tool == tool)
        if mode is not None:
            padded = literal(" ", Text).concat(prices.c.variant).concat(" ")
            query = query.where(padded.contains(f" {mode} ", autoescape=True))
        return (await self._session.execute(query)).scalar_one()

    async def guilds_with(self, lane: str) -> list[int]:
        """Return the servers whose current key has that lane, in order."""
        return list((await self._session.execute(_GUILDS_WITH, {"with_lane": lane})).scalars())

    async def unsent_with(self, lane: str, tool: str) -> list[Job]:
        """Return the tool's unsent jobs that would use that key, oldest first."""
        return await self._jobs(_UNSENT_WITH, {"with_lane": lane, "of_tool": tool})

    async def unsent_of(self, guild_id: int) -> list[Job]:
        """Return the server's unsent jobs, oldest first."""
        return await self._jobs(_UNSENT_OF, {"guild": guild_id})

    async def asking_with(self, lane: str, tool: str, since: datetime) -> list[Job]:
        """Return the tool's jobs that are being sent with that key, or that Studii has taken since that
        moment without saying what it charges."""
        return await self._jobs(_ASKING_WITH, {"with_lane": lane, "of_tool": tool, "since": since})

    async def sent_with(self, lane: str, tool: str) -> list[Job]:
        """Return the tool's jobs that were sent with that key and whose outcome is unknown, or not there
        yet."""
        return await self._jobs(_SENT_WITH, {"with_lane": lane, "of_tool": tool})

    async def mark(self, job_ids: Collection[str], *, learned: bool, visible: bool) -> None:
        """Set whether the jobs' reservations come from past charges. `visible` updates their cards."""
        values = {"job_ids": list(job_ids), "price_learned": learned, "more": int(visible)}
        for row in (await self._session.execute(_MARK, values, named=True)).mappings():
            changed_job(self._session, row)

    async def _jobs(self, query: Select[Any], values: Mapping[str, Any]) -> list[Job]:
        return await self._session.rows(query, job_of, JOB_KEY, values)


def _locked(states: Collection[JobState], *which: ColumnElement[bool]) -> Select[Any]:
    """Return the query of jobs, which are locked until the transaction ends."""
    return select(jobs).where(jobs.c.state.in_(states), *which).order_by(jobs.c.number).with_for_update()


# Statements, made once (see `Session.execute`).
_WITH_LANE = prices.c.lane == bindparam("with_lane")
_OF_VARIANT = (prices.c.tool == bindparam("of_tool")) & (prices.c.variant == bindparam("of_variant"))
_BOTH = select(prices.c.lane, prices.c.charge).where(
    prices.c.lane.in_(bindparam("lanes", expanding=True)), _OF_VARIANT
)
_LAST = select(prices.c.charge, prices.c.at).where(_WITH_LANE, _OF_VARIANT)
_ALL = select(prices).where(_WITH_LANE)

_KEY_OF_LANE = studii_keys.c.lane == bindparam("with_lane")
_IS_CURRENT = (guilds.c.guild_id == studii_keys.c.guild_id) & (guilds.c.key_id == studii_keys.c.id)
_SERVERS_WITH = select(studii_keys.c.guild_id).join(guilds, _IS_CURRENT).where(_KEY_OF_LANE)
_GUILDS_WITH = _SERVERS_WITH.order_by(studii_keys.c.guild_id)

_OF_TOOL = jobs.c.tool == bindparam("of_tool")
_WITH_KEY = jobs.c.key_id.in_(select(studii_keys.c.id).where(_KEY_OF_LANE))
_UNSENT_WITH = _locked(UNSENT_STATES, _OF_TOOL, jobs.c.guild_id.in_(_SERVERS_WITH))
_UNSENT_OF = _locked(UNSENT_STATES, jobs.c.guild_id == bindparam("guild"))
_SILENT = jobs.c.charged.is_(None) & jobs.c.output_url.is_(None) & (jobs.c.submitted_at > bindparam("since"))
_ASKING_WITH = _locked(
    (JobState.SUBMITTING, JobState.RUNNING),
    _OF_TOOL,
    (jobs.c.state == JobState.SUBMITTING) | _SILENT,
    _WITH_KEY,
)
_SENT_WITH = _locked((JobState.UNKNOWN, JobState.RUNNING), _OF_TOOL, jobs.c.output_url.is_(None), _WITH_KEY)
_MARK = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("job_ids", expanding=True)))
    .values(version=jobs.c.version + bindparam("more", type_=Integer))
    .returning(jobs)
)
