"""Find what waits for the engine: photos, requests, outputs, messages."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, select, update

from bot.domain import SENT_STATES, TERMINAL_STATES, Job, JobState
from bot.reasons import Reason
from bot.storage.jobs.rows import JOB_KEY, LAST_WORDS, LIMIT, NEEDS_FILES, JobRows, job_of
from bot.storage.schema import guilds, holds, jobs

_NEED_REQUESTS = (JobState.WAITING, JobState.UPLOADING, *SENT_STATES)
# Of jobs that have ended (`Job.posted_with_set`).
_POSTED_WITH_SET = (
    jobs.c.set_id.is_not(None)
    & (jobs.c.posting == 0)
    & jobs.c.state.not_in((JobState.UNKNOWN, JobState.WITHHELD))
)
_OTHERS = jobs.alias("others")  # made once: each alias makes the table's columns again


class JobQueue(JobRows):
    """Jobs by what is to be done with them next, within one transaction."""

    async def on_lanes(self) -> list[tuple[Job, int | None]]:
        """Return jobs that still need requests to Studii, with their servers' current key ids, oldest first.

        Waiting jobs of servers that seem to have removed the bot are left out.
        """
        ours = self._session.ours(_ON_LANES, jobs.c.guild_id)
        return await self._session.rows(ours, lambda row: (job_of(row), row["current_key_id"]), JOB_KEY)

    async def to_take_in(self, limit: int, at: datetime, full: Collection[int] = ()) -> list[Job]:
        """Return accepted jobs whose photo is to be fetched: one of each server, then a second of each.

        A server's come in the same order by member, the oldest first. Photos of the servers in `full` are
        left out. While a server's key is not served, its photos stay in their messages; one is fetched when
        it is time to try again and no other job can be tried.
        """
        ours = self._session.ours(_TO_TAKE_IN, jobs.c.guild_id)
        query = _by_turn(ours, one_if_held=True)
        return await self._all(query, {"limit": limit, "at": at, "full": list(full)})

    async def to_download(self, limit: int) -> list[Job]:
        """Return running jobs whose output has an address, in turn as in `to_take_in`."""
        ours = self._session.ours(_TO_DOWNLOAD, jobs.c.guild_id)
        return await self._all(_by_turn(ours), {"limit": limit})

    async def held_with_photos(self) -> list[Job]:
        """Return jobs that wait for a held key and whose photo can be fetched again from its message.

        Oldest first.
        """
        return await self._all(self._session.ours(_HELD_WITH_PHOTOS, jobs.c.guild_id))

    async def unsent_where_held(self) -> list[str]:
        """Return the jobs with photos, fetched or being fetched, of servers whose key is not served."""
        ours = self._session.ours(_UNSENT_WHERE_HELD, jobs.c.guild_id)
        return [row["id"] for row in (await self._session.execute(ours)).mappings()]

    async def hold(self, guild_id: int, key_id: int, reason: Reason, until: datetime) -> None:
        """Let a server's waiting jobs wait until then, because of that key, and say why.

        A photo that can be had from its message later is not fetched meanwhile either.
        """
        key = {"key_id": key_id, "with_key": key_id}
        await self._session.execute(_HOLD, {"guild": guild_id, **key, "held": reason, "not_before": until})

    async def release_held(self, guild_id: int) -> None:
        """Release a server's waiting jobs from what held them."""
        await self._session.execute(_RELEASE_HELD, {"guild": guild_id})

    async def with_files(self) -> dict[str, int]:
        """Return the jobs whose files are still needed, with their servers: unfinished or not posted yet."""
        return {row["id"]: row["guild_id"] for row in (await self._session.execute(_WITH_FILES)).mappings()}

    async def kept_results(self) -> list[Job]:
        """Return results that were given up for posting, or withheld, and are still kept, in the order in
        which they ended."""
        return await self._all(self._session.ours(_KEPT_RESULTS, jobs.c.guild_id))

    async def results_to_decide_on(self) -> list[Job]:
        """Return results that wait for a moderator and can be fetched again, in the order of their end."""
        return await self._all(self._session.ours(_TO_DECIDE_ON, jobs.c.guild_id))

    async def undelivered(self, before: datetime) -> list[Job]:
        """Return jobs announced before that time whose output file is still there."""
        return await self._all(_UNDELIVERED, {"before": before})

    async def unannounced(self, limit: int) -> list[Job]:
        """Return ended and unknown jobs that are not announced yet, the oldest change first; none that is
        posted with its set."""
        return await self._all(self._session.ours(_UNANNOUNCED, jobs.c.guild_id), {"limit": limit})

    async def unannounced_sets(self, limit: int) -> list[Job]:
        """Return of each set with ended jobs that no message tells of the first of them, oldest first."""
        return await self._all(self._session.ours(_UNANNOUNCED_SETS, jobs.c.guild_id), {"limit": limit})


@lru_cache(maxsize=64)
def _by_turn(numbered: Select[*tuple[Any, ...]], *, one_if_held: bool = False) -> Select[Any]:
    """Return the query of some jobs of those that `_numbered` has, by their turn within their server, from 1.

    Members of a server alternate. With `one_if_held`, a server whose key is held has the first turn alone.
    """
    by_member = numbered.subquery("by_member")
    order = (by_member.c.own, by_member.c.number)
    turn = func.row_number().over(partition_by=by_member.c.guild_id, order_by=order)
    turns = select(by_member.c.number, turn.label("turn")).subquery("turns")
    query = select(jobs).join(turns, turns.c.number == jobs.c.number).order_by(turns.c.turn, jobs.c.number)
    if one_if_held:
        query = query.where(jobs.c.held.is_(None) | (turns.c.turn == 1))
    return query.limit(LIMIT)


def _numbered(*which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the query of these jobs' numbers, each with its number among its member's own in the server."""
    own = func.row_number().over(partition_by=(jobs.c.guild_id, jobs.c.user_id), order_by=jobs.c.number)
    return select(jobs.c.number, jobs.c.guild_id, own.label("own")).where(*which)


def _kept(*which: ColumnElement[bool]) -> Select[Any]:
    query = select(jobs).where(*which, jobs.c.output_file.is_not(None))
    return query.order_by(jobs.c.finished_at, jobs.c.number)


# Statements, made once (see `Session.execute`).
_IN_GUILD = jobs.c.guild_id == bindparam("guild")
_UNSENT = jobs.c.state.in_((JobState.RECEIVED, JobState.WAITING))
_ON_LANES = (
    select(jobs, guilds.c.key_id.label("current_key_id"))
    .join(guilds, guilds.c.guild_id == jobs.c.guild_id, isouter=True)
    .where(jobs.c.state.in_(_NEED_REQUESTS), jobs.c.output_url.is_(None))
    .where((jobs.c.state != JobState.WAITING) | guilds.c.missing_since.is_(None))
    .order_by(jobs.c.number)
)
_ANOTHER = exists().where(_OTHERS.c.guild_id == jobs.c.guild_id, _OTHERS.c.state == JobState.WAITING)
_TO_TAKE_IN = _numbered(
    jobs.c.state == JobState.RECEIVED,
    jobs.c.held.is_(None) | ((jobs.c.not_before <= bindparam("at")) & ~_ANOTHER),
    jobs.c.guild_id.not_in(bindparam("full", expanding=True)) | jobs.c.source_url.is_(None),
)
_TO_DOWNLOAD = _numbered(jobs.c.state == JobState.RUNNING, jobs.c.output_url.is_not(None))
_HELD_WITH_PHOTOS = (
    select(jobs)
    .join(holds, holds.c.guild_id == jobs.c.guild_id)
    .where(
        jobs.c.state == JobState.WAITING,
        jobs.c.held.is_not(None),
        jobs.c.source_file.is_not(None),
        jobs.c.source_message_id.is_not(None),
    )
    .order_by(jobs.c.number)
)
_UNSENT_WHERE_HELD = (
    select(jobs.c.id)
    .join(holds, holds.c.guild_id == jobs.c.guild_id)
    .where(_UNSENT, jobs.c.source_url.is_not(None))
)
_UNFETCHED = (jobs.c.state == JobState.RECEIVED) & jobs.c.source_message_id.is_not(None)
_HOLD = (
    update(jobs)
    .where(_IN_GUILD, (jobs.c.state == JobState.WAITING) | _UNFETCHED)
    .values(
        # An upload is its key's alone.
        object_key=case((jobs.c.key_id == bindparam("with_key"), jobs.c.object_key)),
        version=jobs.c.version + 1,
    )
)
_RELEASE_HELD = (
    update(jobs)
    .where(_IN_GUILD, _UNSENT, jobs.c.held.is_not(None))
    .values(held=None, not_before=None, version=jobs.c.version + 1)
)
_WITH_FILES = select(jobs.c.id, jobs.c.guild_id).where(NEEDS_FILES)
_KEPT_RESULTS = _kept(
    jobs.c.state.in_((JobState.SUCCEEDED, JobState.WITHHELD)), jobs.c.announced_at.is_not(None)
)
_TO_DECIDE_ON = _kept(jobs.c.state == JobState.REVIEWING, jobs.c.output_url.is_not(None))
_UNDELIVERED = select(jobs).where(jobs.c.output_file.is_not(None), jobs.c.announced_at < bindparam("before"))
_UNANNOUNCED = (
    select(jobs)
    .where(jobs.c.announced_at.is_(None), jobs.c.state.in_(LAST_WORDS), ~_POSTED_WITH_SET)
    .order_by(jobs.c.changed_at, jobs.c.number)
    .limit(LIMIT)
)
_FIRSTS = (
    select(func.min(jobs.c.number))
    .where(jobs.c.announced_at.is_(None), jobs.c.state.in_(TERMINAL_STATES), _POSTED_WITH_SET)
    .group_by(jobs.c.set_id)
)
_UNANNOUNCED_SETS = select(jobs).where(jobs.c.number.in_(_FIRSTS)).order_by(jobs.c.number).limit(LIMIT)
