"""Servers whose key Studii does not serve at the moment: refused, or out of credits."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from bot.domain import JobState
from bot.reasons import Reason
from bot.storage.database.repository import Repository
from bot.storage.schema import holds, jobs


@dataclass(frozen=True, slots=True)
class Hold:
    """The reason why a server's jobs wait, and when one of them tries again.

    `since` is None if the key is held since before that was stored.
    """

    guild_id: int
    key_id: int
    reason: Reason
    until: datetime
    since: datetime | None = None


class Holds(Repository):
    """Holds within one transaction."""

    async def set(
        self, guild_id: int, key_id: int, reason: Reason, until: datetime, *, since: datetime | None = None
    ) -> None:
        """Store the hold; replace an earlier one."""
        values = {"key_id": key_id, "reason": reason, "until": until, "since": since}
        await self._session.put(holds, {"guild_id": guild_id}, values)

    async def get(self, guild_id: int) -> Hold | None:
        """Return the server's hold, or None if its key works."""
        row = await self._one_row(_GET, {"guild": guild_id})
        return None if row is None else Hold(**row)

    async def end_wait(self, guild_id: int, at: datetime) -> None:
        """Let one job try again from `at` on."""
        await self._session.execute(update(holds).where(holds.c.guild_id == guild_id).values(until=at))

    async def poll_from(self, guild_id: int, at: datetime, key_id: int | None = None) -> None:
        """Let the server's running jobs whose polls Studii refused be polled from `at` on.

        They get the key `key_id`, or keep theirs if it is None.
        """
        refused = (jobs.c.guild_id == guild_id) & (jobs.c.state == JobState.RUNNING)
        refused &= jobs.c.not_before.is_not(None)
        key = {} if key_id is None else {"key_id": key_id}
        await self._session.execute(update(jobs).where(refused).values(not_before=at, **key))

    async def clear(self, guild_id: int) -> bool:
        """Remove the hold. Return whether there was one."""
        gone = (await self._session.execute(_CLEAR, {"guild": guild_id}, named=True)).first() is not None
        if gone:
            self._session.changes.others = True
        return gone


# Statements, made once (see `Session.execute`).
_IN_GUILD = holds.c.guild_id == bindparam("guild")
_GET = select(holds).where(_IN_GUILD)
_CLEAR = delete(holds).where(_IN_GUILD).returning(holds.c.guild_id)
