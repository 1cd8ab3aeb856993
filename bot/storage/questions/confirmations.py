"""Questions to a person before a job starts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from bot.jobs.confirm import Confirmation, WhyAsk
from bot.jobs.models import JobRequest, SourcePhoto
from bot.storage.database.repository import Repository
from bot.storage.schema import confirmations, tappers
from bot.unreadable import json_object

CONFIRMATION_KEY = (confirmations.c.id,)
_PLAIN = (
    "tool",
    "inputs",
    "private",
    "photo_author",
    "tapped",
    "age_restricted",
    "post_channel_id",
    "in_thread",
)
_OF_QUESTION = ("id", "price", "learned", "why", "created_at", "expires_at")
_PHOTO = ("url", "filename", "content_type", "size", "message_id", "channel_id")


class Confirmations(Repository):
    """Questions to persons within one transaction, and who needs none before a tap."""

    async def add(self, asked: Confirmation) -> None:
        """Store a new question."""
        request = asked.request
        row = {
            "guild_id": request.guild_id,
            "channel_id": request.channel_id,
            "user_id": request.user_id,
            "request": _json_of(request, asked.others),
            "once": request.once,
            "origin_message_id": request.origin_message_id,
            **{name: getattr(asked, name) for name in _OF_QUESTION},
        }
        await self._session.execute(_ADD, row, named=True)

    async def ask_again(self, confirmation_id: str, price: int, why: WhyAsk, *, learned: bool) -> None:
        """Store that the question is asked again, at another price."""
        await self._update(confirmation_id, price=price, learned=learned, why=why)

    async def get(self, confirmation_id: str) -> Confirmation | None:
        return next(iter(await self._some(_GET, {"question": confirmation_id})), None)

    async def all(self) -> list[Confirmation]:
        """Return all questions, oldest first."""
        return await self._some(_ALL)

    async def open_of(self, ids: Collection[str], at: datetime) -> set[str]:
        """Return which of the questions can still be answered."""
        found = await self._session.execute(_OPEN_OF, {"questions": list(ids), "at": at})
        return set(found.scalars())

    async def asked_once(self, once: str) -> str | None:
        """Return the id of the question about a job with that `once` key, if there is one."""
        return (await self._session.execute(_ASKED_ONCE, {"once": once})).scalar()

    async def count_of(self, guild_id: int, user_id: int, at: datetime) -> int:
        """Return the number of open questions to a member in a server."""
        which = {"guild": guild_id, "user": user_id, "at": at}
        return (await self._session.execute(_COUNT_OF, which)).scalar_one()

    async def use(self, ids: Collection[str], at: datetime) -> None:
        """Store that the jobs of these questions were started."""
        values = {"questions": list(ids), "used_at": at}
        await self._session.execute(_UPDATE_SOME, values, named=True)

    async def shown(self, confirmation_id: str, message_id: int) -> None:
        """Store which message asks."""
        await self._update(confirmation_id, message_id=message_id)

    async def expire(self, ids: Collection[str], at: datetime) -> None:
        """End open questions."""
        await self._session.execute(_UPDATE_SOME, {"questions": list(ids), "expires_at": at})

    async def remove(self, ids: Collection[str]) -> None:
        """Delete questions."""
        await self._session.execute(_REMOVE, {"questions": list(ids)}, named=True)

    async def tapped_before(self, guild_id: int, members: Collection[int]) -> set[int]:
        """Return which of the members have started a job by a tap in the server."""
        theirs = {"guild": guild_id, "users": list(members)}
        return set((await self._session.execute(_TAPPED_BEFORE, theirs)).scalars())

    async def has_tapped(self, guild_id: int, user_id: int, at: datetime) -> None:
        """Store that the member has started a job by a tap in the server."""
        key = {"guild_id": guild_id, "user_id": user_id}
        await self._session.put_new(tappers, key, {"at": at})

    async def _update(self, confirmation_id: str, **values: Any) -> None:
        await self._session.execute(_UPDATE, {"question": confirmation_id, **values}, named=True)

    async def _some(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Confirmation]:
        return await self._session.rows(query, confirmation_of, CONFIRMATION_KEY, values)


def confirmation_of(row: RowMapping) -> Confirmation:
    """Return the question of a row."""
    stored: Mapping[str, Any] = json_object(row["request"])
    request = JobRequest(
        guild_id=row["guild_id"],
        channel_id=row["channel_id"],
        user_id=row["user_id"],
        source=_photo_of(stored.get("source")),
        origin_message_id=row["origin_message_id"],
        once=row["once"],
        **{name: stored[name] for name in _PLAIN},
    )
    return Confirmation(
        request=request,
        others=tuple(
            replace(request, once=one["once"], source=_photo_of(one["source"]))
            for one in stored.get("others", ())
        ),
        message_id=row["message_id"],
        used_at=row["used_at"],
        **{name: row[name] for name in _OF_QUESTION},
    )


def _json_of(request: JobRequest, others: Sequence[JobRequest]) -> dict[str, Any]:
    made: dict[str, Any] = {name: getattr(request, name) for name in _PLAIN}
    made["inputs"] = dict(request.inputs)
    made["source"] = _json_of_photo(request.source)
    if others:
        # Those of a set differ in their photos alone.
        made["others"] = [{"once": one.once, "source": _json_of_photo(one.source)} for one in others]
    return made


def _json_of_photo(photo: SourcePhoto | None) -> dict[str, Any] | None:
    return None if photo is None else {name: getattr(photo, name) for name in _PHOTO}


def _photo_of(stored: Mapping[str, Any] | None) -> SourcePhoto | None:
    return None if stored is None else SourcePhoto(**stored)


# Statements, made once (see `Session.execute`).
_IS_QUESTION = confirmations.c.id == bindparam("question")
_IS_ONE = confirmations.c.id.in_(bindparam("questions", expanding=True))
_IS_OPEN = confirmations.c.used_at.is_(None) & (confirmations.c.expires_at > bindparam("at"))
_ADD = insert(confirmations)
_ALL = select(confirmations).order_by(confirmations.c.created_at, confirmations.c.id)
_GET = _ALL.where(_IS_QUESTION)
_OPEN_OF = select(confirmations.c.id).where(_IS_ONE, _IS_OPEN)
_ASKED_ONCE = select(confirmations.c.id).where(confirmations.c.once == bindparam("once")).limit(1)
_COUNT_OF = select(func.count()).where(
    confirmations.c.guild_id == bindparam("guild"), confirmations.c.user_id == bindparam("user"), _IS_OPEN
)
_UPDATE = update(confirmations).where(_IS_QUESTION)
_UPDATE_SOME = update(confirmations).where(_IS_ONE)
_REMOVE = delete(confirmations).where(_IS_ONE)
_TAPPED_BEFORE = select(tappers.c.user_id).where(
    tappers.c.guild_id == bindparam("guild"), tappers.c.user_id.in_(bindparam("users", expanding=True))
)
