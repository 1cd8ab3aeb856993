"""Tries to decode a job's files, counted before each, so that a crash shows which file may have caused it."""

from sqlalchemy import bindparam, select, update

from bot.storage.database.repository import Repository
from bot.storage.schema import jobs


class Decodes(Repository):
    """Tries within one transaction."""

    async def tries(self, job_id: str) -> int:
        """Return the tries since a decoder last answered of one of the job's files."""
        row = await self._one_row(_GET, {"of_job": job_id})
        return 0 if row is None else row["decode_tries"] or 0

    async def set_tries(self, job_id: str, tries: int) -> None:
        """Set the tries, if there is such a job."""
        await self._session.execute(_SET, {"of_job": job_id, "tries": tries})


# Statements, made once (see `Session.execute`).
_OF_JOB = jobs.c.id == bindparam("of_job")
_GET = select(jobs.c.decode_tries).where(_OF_JOB)
_SET = update(jobs).where(_OF_JOB).values(decode_tries=bindparam("tries"))
