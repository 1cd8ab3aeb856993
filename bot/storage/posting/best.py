"""Starred results, and whether their makers let them be shown."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.engine import RowMapping

from bot.domain import Job, JobState
from bot.domain.posting.best import BestResult
from bot.storage.database.session import Session
from bot.storage.jobs import JOB_KEY as JOB_KEY
from bot.storage.jobs import job_of
from bot.storage.schema import OPEN_BEST, best_consents, best_results, jobs, posting_rules

_OF_CONSENT = frozenset({"agreed", "asked"})
_PARTS = (best_results, best_consents.c.agreed, best_consents.c.user_id.label("asked"))


class BestResults:
    """Starred results within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def result_of(self, guild_id: int, message_id: int) -> Job | None:
        """Return the job whose result that message shows to everyone, the first one of a set."""
        shown = (jobs.c.result_message_id == message_id) & (jobs.c.guild_id == guild_id)
        shown &= (jobs.c.state == JobState.SUCCEEDED) & ~jobs.c.private & jobs.c.forgotten_at.is_(None)
        query = select(jobs).where(shown, jobs.c.scrubbed_at.is_(None)).order_by(jobs.c.number).limit(1)
        found = await self._session.rows(query, job_of, JOB_KEY)
        return found[0] if found else None

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
        return next(iter(await self._some(best_results.c.message_id == message_id, 1)), None)

    async def open(self, limit: int) -> list[BestResult]:
        """Return results that are to be shown, asked about or taken back, the oldest first."""
        due = ~best_results.c.wanted | best_consents.c.agreed | best_consents.c.user_id.is_(None)
        return await self._some(text(f"({OPEN_BEST})") & due, limit)

    async def messages(self, limit: int) -> list[int]:
        """Return the messages of starred results, the newest first."""
        query = select(best_results.c.message_id).order_by(best_results.c.since.desc()).limit(limit)
        ours = self._session.ours(query, best_results.c.guild_id)
        return list((await self._session.execute(ours)).scalars())

    async def latest(self, limit: int) -> list[BestResult]:
        """Return wanted results, the newest first."""
        return await self._some(best_results.c.wanted, limit, newest=True)

    async def channels(self, since: datetime, limit: int) -> list[tuple[int, int]]:
        """Return the servers and channels with results since then, in servers that show the best ones."""
        channel = func.coalesce(jobs.c.result_channel_id, jobs.c.channel_id).label("place")
        query = (
            select(jobs.c.guild_id, channel)
            .join(posting_rules, posting_rules.c.guild_id == jobs.c.guild_id)
            .where(posting_rules.c.best_channel_id.is_not(None), jobs.c.created_at > since)
            .where(jobs.c.result_message_id.is_not(None), jobs.c.state == JobState.SUCCEEDED)
            .distinct()
            .limit(limit)
        )
        ours = self._session.ours(query, jobs.c.guild_id)
        found = (await self._session.execute(ours)).mappings()
        return [(row["guild_id"], row["place"]) for row in found]

    async def begun(self, message_id: int, at: datetime) -> None:
        """Note that the result may have been shown from now on."""
        mine = best_results.c.message_id == message_id
        begun = {"begun_at": func.coalesce(best_results.c.begun_at, at)}
        await self._session.execute(update(best_results).where(mine).values(begun))

    async def shown(self, message_id: int, channel_id: int, posted: int) -> None:
        """Store the message that shows the result. It is taken back at once if it is not wanted any more."""
        mine = best_results.c.message_id == message_id
        values = {"posted_channel_id": channel_id, "posted_message_id": posted}
        await self._session.execute(update(best_results).where(mine).values(values))
        self._session.changes.best = True

    async def gone(self, message_id: int) -> None:
        """Store that nothing shows the result any more. One that is wanted again is shown anew."""
        mine = best_results.c.message_id == message_id
        await self._session.execute(delete(best_results).where(mine, ~best_results.c.wanted))
        anew = {"posted_message_id": None, "begun_at": None, "number": best_results.c.number + 1}
        await self._session.execute(update(best_results).where(mine).values(anew))
        self._session.changes.best = True

    async def drop(self, message_id: int) -> None:
        """Forget a result that can't be shown."""
        mine = best_results.c.message_id == message_id
        await self._session.execute(delete(best_results).where(mine))

    async def drop_unanswered(self, before: datetime) -> None:
        """Forget results that wait for their maker's answer since before that time."""
        silent = select(best_consents.c.user_id).where(best_consents.c.agreed.is_(None))
        old = best_results.c.posted_message_id.is_(None) & (best_results.c.since < before)
        old &= best_results.c.user_id.in_(silent)
        await self._session.execute(delete(best_results).where(old))

    async def consent(self, user_id: int) -> bool | None:
        """Return whether the member lets their results be shown, or None if they have not said."""
        query = select(best_consents.c.agreed).where(best_consents.c.user_id == user_id)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def asked(self, user_id: int, at: datetime) -> None:
        """Store that the member was asked."""
        row = self._session.insert(best_consents).values(user_id=user_id, at=at)
        await self._session.execute(row.on_conflict_do_nothing(index_elements=["user_id"]))

    async def answer(self, user_id: int, at: datetime, *, agreed: bool) -> None:
        """Store the member's answer. If it is no, what is shown of them is taken back."""
        await self._session.put(best_consents, {"user_id": user_id}, {"agreed": agreed, "at": at})
        if not agreed:
            theirs = best_results.c.user_id == user_id
            await self._session.execute(update(best_results).where(theirs).values(wanted=False, since=at))
        self._session.changes.best = True

    async def _some(
        self, which: ColumnElement[bool], limit: int, *, newest: bool = False
    ) -> list[BestResult]:
        joined = best_results.outerjoin(best_consents, best_consents.c.user_id == best_results.c.user_id)
        order = best_results.c.since.desc() if newest else best_results.c.since
        query = select(*_PARTS).select_from(joined).where(which).order_by(order).limit(limit)
        ours = self._session.ours(query, best_results.c.guild_id)
        return await self._session.rows(ours, _best_of, (best_results.c.message_id,))


def _best_of(row: RowMapping) -> BestResult:
    values: dict[str, Any] = {**row, "asked": row["asked"] is not None}
    return BestResult(**values)
