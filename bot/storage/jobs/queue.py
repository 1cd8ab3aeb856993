"""What waits for the engine: photos, requests, outputs, messages."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    case,
    exists,
    func,
    select,
    update,
)

from bot.domain import SENT_STATES, TERMINAL_STATES, FileRole, Job, JobState
from bot.reasons import Reason
from bot.storage.jobs.rows import JOB_KEY, LAST_WORDS, JobRows, job_of
from bot.storage.schema import decodes, guilds, holds, jobs

_NEED_REQUESTS = (JobState.WAITING, JobState.UPLOADING, *SENT_STATES)
# Of jobs that have ended (`Job.posted_with_set`).
_POSTED_WITH_SET = (
    jobs.c.set_id.is_not(None)
    & (jobs.c.posting == 0)
    & jobs.c.state.not_in((JobState.UNKNOWN, JobState.WITHHELD))
)
_OTHERS = jobs.alias("others")  # made once: each alias makes the table's columns anew


class JobQueue(JobRows):
    """Jobs by what is to be done with them next, within one transaction."""

    async def on_lanes(self) -> list[tuple[Job, int | None]]:
        """Return jobs that still need requests to Studii, with their servers' current key ids, oldest first.

        Waiting jobs of servers that seem to have removed the bot are left out.
        """
        query = (
            select(jobs, guilds.c.key_id.label("current_key_id"))
            .join(guilds, guilds.c.guild_id == jobs.c.guild_id, isouter=True)
            .where(jobs.c.state.in_(_NEED_REQUESTS), jobs.c.output_url.is_(None))
            .where((jobs.c.state != JobState.WAITING) | guilds.c.missing_since.is_(None))
            .order_by(jobs.c.number)
        )
        ours = self._session.ours(query, jobs.c.guild_id)
        return await self._session.rows(ours, lambda row: (job_of(row), row["current_key_id"]), JOB_KEY)

    async def to_take_in(
        self, limit: int, at: datetime, full: Collection[int] = (), *, again: bool = False
    ) -> list[Job]:
        """Return accepted jobs whose photo is to be fetched: one of each server, then a second of each.

        A server's come in the same order by member, the oldest first. With `again`, only those whose photo
        has ended a decoder before; else they are left out. Photos of the servers in `full` are left out.
        While a server's key is not served, its photos stay in their messages; one is fetched when it is time
        to try again and no other job can be tried.
        """
        another = exists().where(_OTHERS.c.guild_id == jobs.c.guild_id, _OTHERS.c.state == JobState.WAITING)
        due = jobs.c.held.is_(None) | ((jobs.c.not_before <= at) & ~another)
        has_room = jobs.c.guild_id.not_in(list(full)) | jobs.c.source_url.is_(None)
        died = exists().where(
            decodes.c.job_id == jobs.c.id, decodes.c.role == FileRole.SOURCE, decodes.c.counted > 0
        )
        which = (jobs.c.state == JobState.RECEIVED) & due & has_room & (died if again else ~died)
        turns = self._in_turn(which)
        fetched = jobs.c.held.is_(None) | (turns.c.turn == 1)
        return await self._all(_by_turn(turns).where(fetched).limit(limit))

    async def to_download(self, limit: int) -> list[Job]:
        """Return running jobs whose output has an address, in turn as in `to_take_in`."""
        which = (jobs.c.state == JobState.RUNNING) & jobs.c.output_url.is_not(None)
        return await self._all(_by_turn(self._in_turn(which)).limit(limit))

    async def held_with_photos(self) -> list[Job]:
        """Return jobs that wait for a held key and whose photo can be fetched again from its message.

        Oldest first.
        """
        query = (
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
        return await self._all(self._session.ours(query, jobs.c.guild_id))

    async def unsent_where_held(self) -> list[str]:
        """Return the jobs with photos, fetched or being fetched, of servers whose key is not served."""
        query = (
            select(jobs.c.id)
            .join(holds, holds.c.guild_id == jobs.c.guild_id)
            .where(jobs.c.state.in_((JobState.RECEIVED, JobState.WAITING)), jobs.c.source_url.is_not(None))
        )
        ours = self._session.ours(query, jobs.c.guild_id)
        return [row["id"] for row in (await self._session.execute(ours)).mappings()]

    async def hold(self, guild_id: int, key_id: int, reason: Reason, until: datetime) -> None:
        """Let a server's waiting jobs wait until then, because of that key, and say why.

        A photo that can be had from its message later is not fetched meanwhile either.
        """
        same_key = jobs.c.key_id == key_id
        unfetched = (jobs.c.state == JobState.RECEIVED) & jobs.c.source_message_id.is_not(None)
        await self._session.execute(
            update(jobs)
            .where(jobs.c.guild_id == guild_id, (jobs.c.state == JobState.WAITING) | unfetched)
            .values(
                held=reason,
                not_before=until,
                key_id=key_id,
                object_key=case((same_key, jobs.c.object_key)),  # an upload is its key's alone
                version=jobs.c.version + 1,
            )
        )

    async def release_held(self, guild_id: int) -> None:
        """Release a server's waiting jobs from what held them."""
        held = (jobs.c.guild_id == guild_id) & jobs.c.state.in_((JobState.RECEIVED, JobState.WAITING))
        held &= jobs.c.held.is_not(None)
        await self._session.execute(
            update(jobs).where(held).values(held=None, not_before=None, version=jobs.c.version + 1)
        )

    async def with_files(self) -> dict[str, int]:
        """Return the jobs whose files are still needed, with their servers: unfinished or not posted yet."""
        needs_files = (
            jobs.c.source_file.is_not(None)
            | jobs.c.output_file.is_not(None)
            | jobs.c.state.in_((JobState.RECEIVED, JobState.RUNNING))
        )
        query = select(jobs.c.id, jobs.c.guild_id).where(needs_files)
        return {row["id"]: row["guild_id"] for row in (await self._session.execute(query)).mappings()}

    async def kept_results(self) -> list[Job]:
        """Return results that were given up for posting, or withheld, and are still kept, in the order in
        which they ended."""
        ended = jobs.c.state.in_((JobState.SUCCEEDED, JobState.WITHHELD))
        return await self._kept(ended & jobs.c.announced_at.is_not(None))

    async def results_to_decide_on(self) -> list[Job]:
        """Return results that wait for a moderator and can be fetched again, in the order of their end."""
        return await self._kept((jobs.c.state == JobState.REVIEWING) & jobs.c.output_url.is_not(None))

    async def _kept(self, which: ColumnElement[bool]) -> list[Job]:
        query = select(jobs).where(which, jobs.c.output_file.is_not(None))
        ordered = query.order_by(jobs.c.finished_at, jobs.c.number)
        return await self._all(self._session.ours(ordered, jobs.c.guild_id))

    async def undelivered(self, before: datetime) -> list[Job]:
        """Return jobs announced before that time whose output file is still there."""
        return await self._all(
            select(jobs).where(jobs.c.output_file.is_not(None), jobs.c.announced_at < before)
        )

    async def unannounced(self, limit: int) -> list[Job]:
        """Return ended and unknown jobs that are not announced yet, the oldest change first; none that is
        posted with its set."""
        unsaid = (
            select(jobs)
            .where(jobs.c.announced_at.is_(None), jobs.c.state.in_(LAST_WORDS), ~_POSTED_WITH_SET)
            .order_by(jobs.c.changed_at, jobs.c.number)
            .limit(limit)
        )
        return await self._all(self._session.ours(unsaid, jobs.c.guild_id))

    async def unannounced_sets(self, limit: int) -> list[Job]:
        """Return of each set with ended jobs that no message tells of the first of them, oldest first."""
        unsaid = jobs.c.announced_at.is_(None) & jobs.c.state.in_(TERMINAL_STATES) & _POSTED_WITH_SET
        firsts = select(func.min(jobs.c.number)).where(unsaid).group_by(jobs.c.set_id)
        query = select(jobs).where(jobs.c.number.in_(firsts)).order_by(jobs.c.number).limit(limit)
        return await self._all(self._session.ours(query, jobs.c.guild_id))

    def _in_turn(self, which: ColumnElement[bool]) -> Subquery:
        """Return job numbers with their turn within their server, from 1. Members of a server alternate."""
        own = func.row_number().over(partition_by=(jobs.c.guild_id, jobs.c.user_id), order_by=jobs.c.number)
        numbered = select(jobs.c.number, jobs.c.guild_id, own.label("own")).where(which)
        by_member = self._session.ours(numbered, jobs.c.guild_id).subquery("by_member")
        order = (by_member.c.own, by_member.c.number)
        turn = func.row_number().over(partition_by=by_member.c.guild_id, order_by=order)
        return select(by_member.c.number, turn.label("turn")).subquery("turns")


def _by_turn(turns: Subquery) -> Select[Any]:
    return select(jobs).join(turns, turns.c.number == jobs.c.number).order_by(turns.c.turn, jobs.c.number)
