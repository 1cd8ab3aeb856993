"""The outbox of notices. Each kind and key of a server is in it once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, bindparam, case, delete, func, literal, select, update
from sqlalchemy.engine import RowMapping

from bot.domain import Notice, NoticeKind
from bot.domain.notices import CHANNEL, QUOTING
from bot.storage.database.repository import Repository
from bot.storage.database.unreadable import json_object
from bot.storage.schema import notices

NOTICE_KEY = (notices.c.id,)
KEY_LENGTH = 64


class Notices(Repository):
    """Notices within one transaction."""

    async def add(
        self,
        guild_id: int,
        kind: NoticeKind,
        key: str,
        *,
        at: datetime,
        job_id: str | None = None,
        details: Mapping[str, str | int | None] | None = None,
    ) -> bool:
        """Add a notice. Return False if there is one with that kind and key (at most 64 characters)."""
        if len(key) > KEY_LENGTH:
            raise ValueError("a notice's key is at most 64 characters long")
        insert = self._session.insert(notices).values(
            guild_id=guild_id, kind=kind, key=key, details=dict(details or {}), job_id=job_id, created_at=at
        )
        once = insert.on_conflict_do_nothing(index_elements=["guild_id", "kind", "key"])
        added = await self._session.execute(once.returning(notices.c.id), named=True)
        if added.first() is None:
            return False
        self._session.changes.notices.add(guild_id)
        return True

    async def known(self, guild_id: int, kind: NoticeKind, *keys: str) -> bool:
        """Return whether there is a notice with one of these keys, posted or not."""
        which = {"guild": guild_id, "of_kind": kind, "keys": list(keys)}
        return (await self._session.execute(_KNOWN, which)).first() is not None

    async def get(self, guild_id: int, kind: NoticeKind, key: str) -> Notice | None:
        """Return the notice of that kind and key, posted or not."""
        which = {"guild": guild_id, "of_kind": kind, "with_key": key}
        return next(iter(await self._session.rows(_GET, notice_of, NOTICE_KEY, which)), None)

    async def pending(self, limit: int, guild_id: int | None = None) -> list[Notice]:
        """Return notices that were not posted yet, oldest first; with `guild_id`, those of that server."""
        query = _PENDING if guild_id is None else _PENDING_IN_GUILD
        return await self._session.rows(query, notice_of, NOTICE_KEY, {"guild": guild_id, "limit": limit})

    async def servers_waiting(self, limit: int) -> list[int]:
        """Return servers with notices that were not posted yet, those with the oldest first."""
        ours = self._session.ours(_SERVERS_WAITING, notices.c.guild_id)
        return list((await self._session.execute(ours, {"limit": limit})).scalars())

    async def close(
        self, notice_id: int, at: datetime, message_id: int | None = None, channel_id: int | None = None
    ) -> None:
        """Mark the notice as posted (as that message) or given up (None). What it quotes is erased.

        With `channel_id`, its details are where the message is, and nothing else.

        The row stays: SQLite gives the number of the last row, once deleted, to the next one, and Discord
        would take that for this notice (see `Notice.nonce`).
        """
        values: dict[str, Any] = {"notice": notice_id, "posted_at": at, "message_id": message_id}
        if channel_id is None:
            await self._session.execute(_CLOSE, values, named=True)
        else:
            values["details"] = {CHANNEL: channel_id}
            await self._session.execute(_CLOSE_WITH_DETAILS, values, named=True)

    async def forget_member(self, user_id: int, at: datetime, guild_id: int | None = None) -> None:
        """Erase what notices quote of the member that were not posted yet, in one server or (None) all."""
        theirs = notices.c.kind.in_(list(QUOTING)) & notices.c.key.startswith(f"{user_id}:")
        if guild_id is not None:
            theirs &= notices.c.guild_id == guild_id
        erased = update(notices).where(theirs & notices.c.posted_at.is_(None))
        await self._session.execute(erased.values(details={}, posted_at=at), named=True)

    async def forget(self, guild_id: int, kind: NoticeKind) -> None:
        """Delete the server's notices of that kind, posted or not, so that they can be added again."""
        which = {"guild": guild_id, "of_kind": kind}
        await self._session.execute(_FORGET, which, named=True)  # nobody has to act on that


def notice_of(row: RowMapping) -> Notice:
    """Return the notice of a row."""
    values: dict[str, Any] = {**row}
    values["details"] = json_object(values["details"])
    return Notice(**values)


# Statements, made once (see `Session.execute`).
_IN_GUILD = notices.c.guild_id == bindparam("guild")
_OF_KIND = _IN_GUILD & (notices.c.kind == bindparam("of_kind"))
_KNOWN = select(notices.c.id).where(_OF_KIND, notices.c.key.in_(bindparam("keys", expanding=True)))
_GET = select(notices).where(_OF_KIND, notices.c.key == bindparam("with_key"))
_FORGET = delete(notices).where(_OF_KIND)
_LIMIT = bindparam("limit", type_=Integer)
_PENDING = select(notices).where(notices.c.posted_at.is_(None)).order_by(notices.c.id).limit(_LIMIT)
_PENDING_IN_GUILD = _PENDING.where(_IN_GUILD)
# An expression rather than the column, so that SQLite reads the few open notices by their index, and not all
# notices in the order of servers.
_SERVER = notices.c.guild_id + 0
_SERVERS_WAITING = (
    select(_SERVER)
    .where(notices.c.posted_at.is_(None))
    .group_by(_SERVER)
    .order_by(func.min(notices.c.id))
    .limit(_LIMIT)
)
_CLOSE_WITH_DETAILS = update(notices).where(notices.c.id == bindparam("notice"))
_CLOSE = _CLOSE_WITH_DETAILS.values(
    details=case((notices.c.kind.in_(list(QUOTING)), literal({}, JSON)), else_=notices.c.details)
)
