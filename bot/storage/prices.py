"""The last charges of tools, by Studii key, and the jobs that a changed price affects."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal, select, update

from bot.domain import UNSENT_STATES, Job, JobState
from bot.storage.database.session import Session
from bot.storage.jobs import JOB_KEY, changed_job, job_of
from bot.storage.schema import guilds, jobs, prices, studii_keys

ANY_KEY = ""  # as a lane: the last charge with any key

# A statement, made once (see `Session.execute`).
_LAST = select(prices.c.lane, prices.c.charge).where(
    prices.c.lane.in_(bindparam("lanes", expanding=True)),
    prices.c.tool == bindparam("of_tool"),
    prices.c.variant == bindparam("of_variant"),
)


class Prices:
    """Learned prices, in credits, within one transaction. A key is named by its lane."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def learn(self, lane: str, tool: str, variant: str, charge: int, at: datetime) -> int | None:
        """Record a charge. Return the key's charge before it, or None if there was none."""
        before = await self._last(lane, tool, variant)
        for name in (lane, ANY_KEY):
            if before.get(name) != charge:
                key = {"lane": name, "tool": tool, "variant": variant}
                await self._session.put(prices, key, {"charge": charge, "at": at})
        return before.get(lane)

    async def last(self, lane: str, tool: str, variant: str) -> tuple[int | None, int | None]:
        """Return the last charge with that key, and the last one with any key."""
        found = await self._last(lane, tool, variant)
        return found.get(lane), found.get(ANY_KEY)

    async def learned(self, lane: str, tool: str, variant: str) -> tuple[int | None, datetime | None]:
        """Return the last charge with that key, and when it was first charged."""
        query = select(prices.c.charge, prices.c.at).where(
            prices.c.lane == lane, prices.c.tool == tool, prices.c.variant == variant
        )
        row = (await self._session.execute(query)).one_or_none()
        return (None, None) if row is None else (row.charge, row.at)

    async def all(self, lane: str = ANY_KEY) -> dict[tuple[str, str], int]:
        """Return the last charges with that key, by tool and variant."""
        rows = (await self._session.execute(select(prices).where(prices.c.lane == lane))).mappings()
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
        query = _servers_with(lane).order_by(studii_keys.c.guild_id)
        return list((await self._session.execute(query)).scalars())

    async def unsent_with(self, lane: str, tool: str) -> list[Job]:
        """Return the tool's unsent jobs that would use that key, oldest first."""
        return await self._jobs(
            UNSENT_STATES,
            jobs.c.tool == tool,
            jobs.c.guild_id.in_(_servers_with(lane)),
        )

    async def unsent_of(self, guild_id: int) -> list[Job]:
        """Return the server's unsent jobs, oldest first."""
        return await self._jobs(UNSENT_STATES, jobs.c.guild_id == guild_id)

    async def asking_with(self, lane: str, tool: str, since: datetime) -> list[Job]:
        """Return the tool's jobs that are being sent with that key, or that Studii has taken since that
        moment without saying what it charges."""
        silent = jobs.c.charged.is_(None) & jobs.c.output_url.is_(None) & (jobs.c.submitted_at > since)
        asking = (jobs.c.state == JobState.SUBMITTING) | silent
        states = (JobState.SUBMITTING, JobState.RUNNING)
        return await self._jobs(states, jobs.c.tool == tool, asking, _sent_with(lane))

    async def sent_with(self, lane: str, tool: str) -> list[Job]:
        """Return the tool's jobs that were sent with that key and whose outcome is unknown, or not there
        yet."""
        states, unfinished = (JobState.UNKNOWN, JobState.RUNNING), jobs.c.output_url.is_(None)
        return await self._jobs(states, jobs.c.tool == tool, unfinished, _sent_with(lane))

    async def mark(self, job_ids: Collection[str], *, learned: bool, visible: bool) -> None:
        """Set whether the jobs' reservations come from past charges. `visible` updates their cards."""
        version = jobs.c.version + (1 if visible else 0)
        these = update(jobs).where(jobs.c.id.in_(list(job_ids)))
        mark = these.values(price_learned=learned, version=version).returning(jobs)
        for row in (await self._session.execute(mark, named=True)).mappings():
            changed_job(self._session, row)

    async def _jobs(self, states: Collection[JobState], *which: ColumnElement[bool]) -> list[Job]:
        """Return the jobs, locked until the transaction ends."""
        query = select(jobs).where(jobs.c.state.in_(states), *which).order_by(jobs.c.number).with_for_update()
        return await self._session.rows(query, job_of, JOB_KEY)

    async def _last(self, lane: str, tool: str, variant: str) -> dict[str, int]:
        asked = {"lanes": [lane, ANY_KEY], "of_tool": tool, "of_variant": variant}
        return {row.lane: row.charge for row in await self._session.execute(_LAST, asked)}


def _servers_with(lane: str) -> Select[tuple[int]]:
    current = (guilds.c.guild_id == studii_keys.c.guild_id) & (guilds.c.key_id == studii_keys.c.id)
    return select(studii_keys.c.guild_id).join(guilds, current).where(studii_keys.c.lane == lane)


def _sent_with(lane: str) -> ColumnElement[bool]:
    return jobs.c.key_id.in_(select(studii_keys.c.id).where(studii_keys.c.lane == lane))
