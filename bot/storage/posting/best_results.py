"""Starred results, and whether their makers let them be shown."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, delete, func, select, text, update
from sqlalchemy.engine import RowMapping

from bot.jobs.best_results import BestResult
from bot.jobs.models import Job, JobState
from bot.storage.database.repository import Repository
from bot.storage.schema import OPEN_BEST, best_consents, best_results, jobs, posting_rules

_OF_CONSENT = frozenset({"agreed", "asked"})
_PARTS = (best_results, best_consents.c.agreed, best_consents.c.user_id.label("asked"))


class BestResults(Repository):
    """Starred results within one transaction."""

    async def result_of(self, guild_id: int, message_id: int) -> Job | None:
        """Return the job whose result that message shows to everyone, the first one of a set."""
        which = {"guild": guild_id, "message": message_id}
        return await self._session.run(lambda session: session.scalar(_RESULT_OF, which))

    async def want(self, best: BestResult) -> None:
        """Store that a result has the stars, unless that is known."""
        values = {name: value for name, value in asdict(best).items() if name not in _OF_CONSENT}
        new = self._session.insert(best_results).values(values)
        # Starred again before it was taken back.
        again = new.on_conflict_do_update(index_elements=["message_id"], set_={"wanted": True})
        await self._session.execute(again)
        self._session.changes.best = True

    async def unwant(self, guild_id: int, message_ids: Collection[int], at: datetime) -> None:
        """Store that these results are to be taken back."""
        theirs = best_results.c.message_id.in_(list(message_ids)) & (best_results.c.guild_id == guild_id)
        await self._session.execute(update(best_results).where(theirs).values(wanted=False, since=at))
        self._session.changes.best = True

    async def get(self, message_id: int) -> BestResult | None:
        return next(iter(await self._some(_GET, {"message": message_id})), None)

    async def open(self, limit: int) -> list[BestResult]:
        """Return results that are to be shown, asked about or taken back, the oldest first."""
        return await self._some(_OPEN, {"limit": limit})

    async def messages(self, limit: int) -> list[int]:
        """Return the messages of starred results, the newest first."""
        ours = self._session.ours(_MESSAGES, best_results.c.guild_id)
        return list((await self._session.execute(ours, {"limit": limit})).scalars())

    async def latest(self, limit: int) -> list[BestResult]:
        """Return wanted results, the newest first."""
        return await self._some(_LATEST, {"limit": limit})

    async def channels(self, since: datetime, limit: int) -> list[tuple[int, int]]:
        """Return the servers and channels with results since then, in servers that show the best ones."""
        ours = self._session.ours(_CHANNELS, jobs.c.guild_id)
        found = (await self._session.execute(ours, {"since": since, "limit": limit})).mappings()
        return [(row["guild_id"], row["place"]) for row in found]

    async def begun(self, message_id: int, at: datetime) -> None:
        """Note that the result may have been shown from now on."""
        await self._update(message_id, begun_at=func.coalesce(best_results.c.begun_at, at))

    async def shown(self, message_id: int, channel_id: int, posted: int) -> None:
        """Store the message that shows the result. It is taken back at once if it is not wanted any more."""
        await self._update(message_id, posted_channel_id=channel_id, posted_message_id=posted)
        self._session.changes.best = True

    async def gone(self, message_id: int) -> None:
        """Store that nothing shows the result any more. One that is wanted again is shown again."""
        await self._session.remove(best_results, {"message_id": message_id, "wanted": False})
        number = best_results.c.number + 1
        await self._update(message_id, posted_message_id=None, begun_at=None, number=number)
        self._session.changes.best = True

    async def drop(self, message_id: int) -> None:
        """Forget a result that can't be shown."""
        await self._session.remove(best_results, {"message_id": message_id})

    async def drop_unanswered(self, before: datetime) -> None:
        """Forget results that wait for their maker's answer since before that time."""
        await self._session.execute(_DROP_UNANSWERED, {"before": before})

    async def consent(self, user_id: int) -> bool | None:
        """Return whether the member lets their results be shown, or None if they have not said."""
        return (await self._session.execute(_CONSENT, {"user": user_id})).scalar_one_or_none()

    async def asked(self, user_id: int, at: datetime) -> None:
        """Store that the member was asked."""
        await self._session.put_new(best_consents, {"user_id": user_id}, {"at": at})

    async def answer(self, user_id: int, at: datetime, *, agreed: bool) -> None:
        """Store the member's answer. If it is no, what is shown of them is taken back."""
        await self._session.put(best_consents, {"user_id": user_id}, {"agreed": agreed, "at": at})
        if not agreed:
            theirs = best_results.c.user_id == user_id
            await self._session.execute(update(best_results).where(theirs).values(wanted=False, since=at))
        self._session.changes.best = True

    async def _update(self, message_id: int, **values: Any) -> None:
        mine = best_results.c.message_id == message_id
        await self._session.execute(update(best_results).where(mine).values(values))

    async def _some(self, query: Select[Any], values: Mapping[str, Any]) -> list[BestResult]:
        ours = self._session.ours(query, best_results.c.guild_id)
        return await self._session.rows(ours, _best_of, (best_results.c.message_id,), values)


def _best_of(row: RowMapping) -> BestResult:
    values: dict[str, Any] = {**row, "asked": row["asked"] is not None}
    return BestResult(**values)


# Statements, made once (see `Session.execute`).
_LIMIT = bindparam("limit", type_=Integer)
_RESULT_OF = (
    select(Job)
    .where(jobs.c.result_message_id == bindparam("message"), jobs.c.guild_id == bindparam("guild"))
    .where(jobs.c.state == JobState.SUCCEEDED, ~jobs.c.private)
    .where(jobs.c.forgotten_at.is_(None), jobs.c.scrubbed_at.is_(None))
    .order_by(jobs.c.number)
    .limit(1)
)
_BEST = select(*_PARTS).select_from(
    best_results.outerjoin(best_consents, best_consents.c.user_id == best_results.c.user_id)
)
_GET = _BEST.where(best_results.c.message_id == bindparam("message"))
_OPEN = (
    _BEST.where(text(f"({OPEN_BEST})"))
    .where(~best_results.c.wanted | best_consents.c.agreed | best_consents.c.user_id.is_(None))
    .order_by(best_results.c.since)
    .limit(_LIMIT)
)
_LATEST = _BEST.where(best_results.c.wanted).order_by(best_results.c.since.desc()).limit(_LIMIT)
_MESSAGES = select(best_results.c.message_id).order_by(best_results.c.since.desc()).limit(_LIMIT)
_CHANNELS = (
    select(jobs.c.guild_id, func.coalesce(jobs.c.result_channel_id, jobs.c.channel_id).label("place"))
    .join(posting_rules, posting_rules.c.guild_id == jobs.c.guild_id)
    .where(posting_rules.c.best_channel_id.is_not(None), jobs.c.created_at > bindparam("since"))
    .where(jobs.c.result_message_id.is_not(None), jobs.c.state == JobState.SUCCEEDED)
    .distinct()
    .limit(_LIMIT)
)
_SILENT = select(best_consents.c.user_id).where(best_consents.c.agreed.is_(None))
_DROP_UNANSWERED = delete(best_results).where(
    best_results.c.posted_message_id.is_(None),
    best_results.c.since < bindparam("before"),
    best_results.c.user_id.in_(_SILENT),
)
_CONSENT = select(best_consents.c.agreed).where(best_consents.c.user_id == bindparam("user"))
