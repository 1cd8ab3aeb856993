"""Attempts to decode files, recorded before each attempt, so that a crash shows which file caused it."""

from typing import Any

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.engine import RowMapping

from bot.domain import DecodeRecord, FileRole
from bot.storage.database.repository import Repository
from bot.storage.jobs.rows import NEEDS_FILES
from bot.storage.schema import decodes, jobs


class Decodes(Repository):
    """Decode records within one transaction."""

    async def get(self, job_id: str, role: FileRole) -> DecodeRecord:
        """Return the record of the job's file, an empty one if there is none."""
        row = await self._one_row(_GET, {"of_job": job_id, "file": role})
        return DecodeRecord() if row is None else _record(row)

    async def put_new(self, job_id: str, role: FileRole, record: DecodeRecord) -> bool:
        """Insert the record unless the file has one. Return whether it was inserted."""
        key = {"job_id": job_id, "role": role}
        return await self._session.put_new(decodes, key, _values(record))

    async def put(self, job_id: str, role: FileRole, record: DecodeRecord) -> None:
        """Insert or replace the record."""
        await self._session.put(decodes, {"job_id": job_id, "role": role}, _values(record))

    async def forget(self, job_id: str, role: FileRole) -> None:
        """Delete the record of the file."""
        await self._session.execute(_FORGET, {"of_job": job_id, "file": role})

    async def forget_attempt(self, job_id: str, role: FileRole) -> None:
        """Delete the record of an attempt that has begun, if none before it counts."""
        await self._session.execute_later(_FORGET_ATTEMPT, {"of_job": job_id, "file": role})

    async def in_progress(self) -> list[tuple[str, FileRole, DecodeRecord, int]]:
        """Return the attempts that began and did not end: job id, role, record and server."""
        rows = (await self._session.execute(_IN_PROGRESS)).mappings()
        return [(row["job_id"], row["role"], _record(row), row["guild_id"]) for row in rows]

    async def tidy(self) -> None:
        """Delete the records of files that are no longer kept."""
        await self._session.execute(_TIDY)


_OF_FILE = (decodes.c.job_id == bindparam("of_job")) & (decodes.c.role == bindparam("file"))
# Statements, made once (see `Session.execute`).
_GET = select(decodes).where(_OF_FILE)
_IN_PROGRESS = (
    select(decodes, jobs.c.guild_id).join(jobs, jobs.c.id == decodes.c.job_id).where(decodes.c.underway)
)
_TIDY = delete(decodes).where(
    ~decodes.c.underway, ~exists().where(jobs.c.id == decodes.c.job_id, NEEDS_FILES)
)
_FORGET = delete(decodes).where(_OF_FILE)
_FORGET_ATTEMPT = _FORGET.where(decodes.c.underway, decodes.c.counted == 0)


def _values(record: DecodeRecord) -> dict[str, Any]:
    return {
        "counted": record.counted,
        "suspect": record.suspect,
        "underway": record.in_progress,
        "alone": record.alone,
    }


def _record(row: RowMapping) -> DecodeRecord:
    return DecodeRecord(row["counted"], row["suspect"], row["underway"], row["alone"])
