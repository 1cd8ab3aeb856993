"""Erasing: what people wrote, who they were, a server's everything."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, exists, func, select, update

from bot.domain import FORGOTTEN_MEMBER, TERMINAL_STATES, Job, JobState
from bot.domain.access import UNKNOWN_MEMBER
from bot.storage.database.session import Session
from bot.storage.jobs import KEY, job_of
from bot.storage.schema import credits_told, guilds, jobs, ledger, metadata, studii_keys

_GOING = (JobState.SUBMITTING, JobState.RUNNING)
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


class Privacy:
    """Erasing within one transaction; amounts of credits stay until their server goes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def old_jobs(self, before: datetime, limit: int) -> list[Job]:
        """Jobs that ended before that moment and still hold what was written for them."""
        ended = jobs.c.state.in_((*TERMINAL_STATES, JobState.UNKNOWN))
        return await self._jobs(ended & (jobs.c.changed_at < before), limit)

    async def forgotten_jobs(self, limit: int) -> list[Job]:
        """Jobs of members who asked to be forgotten, that have ended and been told of since."""
        told = jobs.c.state.in_(TERMINAL_STATES) & jobs.c.announced_at.is_not(None)
        return await self._jobs(jobs.c.forgotten_at.is_not(None) & told, limit)

    async def scrub(self, job_ids: Collection[str], at: datetime) -> None:
        """Take out of these jobs what was written, linked and made."""
        mine = jobs.c.id.in_(list(job_ids))
        own = jobs.c.photo_author.is_(None) | (jobs.c.photo_author == jobs.c.user_id)
        # That it was somebody else's is not forgotten with their name: it does not become the requester's.
        erased = {**_ERASED, "photo_author": case((own, None), else_=UNKNOWN_MEMBER)}
        await self._session.execute(update(jobs).where(mine).values(scrubbed_at=at, **erased))

    async def forget(self, user_id: int, at: datetime) -> None:
        """Mark all jobs of the member: they are scrubbed when they have ended."""
        await self._session.execute(delete(credits_told).where(credits_told.c.user_id == user_id))
        await self._session.execute(update(jobs).where(jobs.c.user_id == user_id).values(forgotten_at=at))

    async def unfinished_of(self, user_id: int) -> int:
        """How many jobs of the member still hold what was written for them."""
        left = (jobs.c.user_id == user_id) & jobs.c.scrubbed_at.is_(None)
        return (await self._session.execute(select(func.count()).where(left))).scalar_one()

    async def guilds_with_forgotten(self) -> list[int]:
        named = jobs.c.forgotten_at.is_not(None) & (jobs.c.user_id != FORGOTTEN_MEMBER)
        return list((await self._session.execute(select(jobs.c.guild_id).where(named).distinct())).scalars())

    async def unname(self, guild_id: int, before: datetime, period: str) -> None:
        """Forgotten members' scrubbed jobs from before that moment, when `period` began, are nobody's any
        more, nor are their grants for other periods."""
        mine = (jobs.c.guild_id == guild_id) & jobs.c.forgotten_at.is_not(None)
        mine &= (
            jobs.c.scrubbed_at.is_not(None)
            & (jobs.c.user_id != FORGOTTEN_MEMBER)
            & (jobs.c.created_at < before)
        )
        who = select(jobs.c.user_id).where(mine)
        asked = (
            select(jobs.c.user_id, func.max(jobs.c.forgotten_at).label("at"))
            .where(mine)
            .group_by(jobs.c.user_id)
        )
        forgotten = (await self._session.execute(asked)).mappings().all()
        grants = (ledger.c.guild_id == guild_id) & ledger.c.job_id.is_(None) & (ledger.c.period != period)
        lines = ledger.c.job_id.in_(select(jobs.c.id).where(mine)) | (grants & ledger.c.user_id.in_(who))
        await self._session.execute(update(ledger).where(lines).values(user_id=FORGOTTEN_MEMBER))
        await self._session.execute(update(jobs).where(mine).values(user_id=FORGOTTEN_MEMBER))
        for one in forgotten:
            await self.unname_grants(one["user_id"], one["at"])

    async def unname_grants(self, user_id: int, before: datetime) -> None:
        """What the member was granted until then is nobody's, in servers where no job has their name: they
        have spent nothing there that has to stay known."""
        named = exists().where(jobs.c.guild_id == ledger.c.guild_id, jobs.c.user_id == user_id)
        theirs = (ledger.c.user_id == user_id) & ledger.c.job_id.is_(None) & (ledger.c.at <= before)
        await self._session.execute(update(ledger).where(theirs & ~named).values(user_id=FORGOTTEN_MEMBER))

    async def erase_keys(self, guild_id: int, at: datetime) -> None:
        """No Studii key of that server can be read any more, whatever still runs with it."""
        mine = studii_keys.c.guild_id == guild_id
        await self._session.execute(update(studii_keys).where(mine).values(ciphertext=b"", retired_at=at))

    async def erase_retired_keys(self, before: datetime) -> int:
        """Keys that no job runs with any more, and those retired before that moment anyway. How many."""
        running = exists().where(jobs.c.key_id == studii_keys.c.id, jobs.c.state.in_(_GOING))
        over = studii_keys.c.retired_at.is_not(None) & (~running | (studii_keys.c.retired_at < before))
        over &= studii_keys.c.ciphertext != b""
        erase = update(studii_keys).where(over).values(ciphertext=b"").returning(studii_keys.c.id)
        return len((await self._session.execute(erase)).all())

    async def removed_guilds(self, before: datetime) -> list[int]:
        """Servers that removed the bot before that moment."""
        gone = guilds.c.left_at < before
        return list((await self._session.execute(select(guilds.c.guild_id).where(gone))).scalars())

    async def erase_guild(self, guild_id: int) -> None:
        """Every row of the server, in every table."""
        for table in reversed(metadata.sorted_tables):
            if "guild_id" in table.c:
                await self._session.execute(delete(table).where(table.c.guild_id == guild_id))

    async def _jobs(self, which: ColumnElement[bool], limit: int) -> list[Job]:
        # What was written is not read, so that it can be erased also where it can't be read.
        columns = [column for column in jobs.c if column.name != "inputs"]
        query = select(*columns).where(which, jobs.c.scrubbed_at.is_(None)).order_by(jobs.c.number)
        return await self._session.rows(query.limit(limit), lambda row: job_of(row, inputs={}), KEY)
