"""The cards of jobs: which message shows which version."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, bindparam, case, func, select, text, update

from bot.domain import ACTIVE_STATES, Job, JobState
from bot.storage.jobs.rows import LAST_WORDS, LIMIT, JobRows, changed_job
from bot.storage.schema import CARD_NEVER_SEEN, NO_CARD_YET, SUPERSEDED_CARD, jobs


@dataclass(frozen=True, slots=True)
class CardShown:
    """A job's card is that message, and shows that version of the job."""

    job_id: str
    message_id: int
    version: int


class JobCards(JobRows):
    """Jobs by what their cards lack, within one transaction."""

    async def cards_show(self, versions: Mapping[str, int]) -> None:
        """Record the versions that jobs' cards show, by job, unless newer ones are recorded."""
        await self._lock_servers_of(versions)
        rows = [{"job": job_id, "shown": version} for job_id, version in versions.items()]
        # Only who shows the cards has to know.
        await self._session.execute(_CARD_SHOWS, rows, named=True)

    async def cards_shown(self, shown: Sequence[CardShown]) -> None:
        """Store which messages are the cards of these jobs, and the versions that they show.

        A message that was found and edited meanwhile keeps its newer version.
        """
        rows = [{"job": one.job_id, "message": one.message_id, "shown": one.version} for one in shown]
        if len(rows) == 1:
            await self._one(_CARD_SHOWN, rows[0])
            return
        await self._lock_servers_of([one.job_id for one in shown])
        await self._session.execute(_CARDS_SHOWN, rows, named=True)
        self._session.changes.jobs |= await self.some([one.job_id for one in shown])

    async def stale_cards(self, limit: int) -> list[Job]:
        """Return jobs whose card shows an older version: ended ones first, then by time of change."""
        return await self._all(self._session.ours(_STALE_CARDS, jobs.c.guild_id), {"limit": limit})

    async def superseded_cards(self, limit: int) -> list[Job]:
        """Return jobs whose card is to be removed, the oldest posting first."""
        return await self._all(_SUPERSEDED_CARDS, {"limit": limit})

    async def cards_removed(self, job_ids: Collection[str]) -> None:
        """Record that these jobs, whose card a posting has superseded, have no card any more."""
        await self._lock_servers_of(job_ids)
        # Only who shows the cards has to know.
        await self._session.execute(_CARDS_REMOVED, {"job_ids": list(job_ids)}, named=True)

    async def supersede_set_card(self, set_id: str, at: datetime) -> None:
        """Record that postings have taken the place of a set's card, which is removed for one of its jobs."""
        of_set, has_card = jobs.c.set_id == set_id, jobs.c.card_message_id.is_not(None)
        # The only one that still has the card; the others are without one at once.
        keeper = select(func.min(jobs.c.number)).where(of_set, has_card).scalar_subquery()
        dropped = {"card_message_id": None, "card_version": jobs.c.version}
        for statement in (
            update(jobs).where(of_set, has_card, jobs.c.number > keeper).values(dropped),
            update(jobs).where(of_set).values(card_superseded_at=at).returning(jobs),
        ):
            changed = await self._session.execute(statement, named=True)
        for row in changed.mappings():
            changed_job(self._session, row)

    async def wanted_cards(self, limit: int) -> list[Job]:
        """Return unfinished jobs whose card the bot has not posted yet, oldest first."""
        return await self._all(self._session.ours(_WANTED_CARDS, jobs.c.guild_id), {"limit": limit})

    async def lost_cards(self, after: datetime, before: datetime, limit: int) -> list[Job]:
        """Return jobs accepted in between whose card may exist without a stored message id, oldest first.

        Private jobs are left out: ephemeral messages can't be found in a channel.
        """
        ours = self._session.ours(_LOST_CARDS, jobs.c.guild_id)
        return await self._all(ours, {"after": after, "before": before, "limit": limit})

    async def card_found(self, job_id: str, message_id: int | None) -> None:
        """Store the message id of a lost card, or (None) that it has none. Keeps an id stored meanwhile."""
        version = jobs.c.version if message_id is None else 0
        unseen = (jobs.c.id == job_id) & text(CARD_NEVER_SEEN)
        await self._session.execute(
            update(jobs).where(unseen).values(card_message_id=message_id, card_version=version)
        )

    async def unfinished_with_cards(self, job_ids: Collection[str]) -> list[Job]:
        """Return those of the jobs that wait or run and have a card, oldest first."""
        if not job_ids:
            return []
        return await self._all(_UNFINISHED_WITH_CARDS, {"job_ids": list(job_ids)})


# Statements, made once (see `Session.execute`).
_MESSAGE, _SHOWN = bindparam("message", type_=BigInteger), bindparam("shown", type_=Integer)
_OF_JOB = update(jobs).where(jobs.c.id == bindparam("job"))
_CARD_SHOWS = _OF_JOB.where(jobs.c.card_version < _SHOWN).values(card_version=_SHOWN)
_NEWER = (jobs.c.card_message_id == _MESSAGE) & (jobs.c.card_version > _SHOWN)
_CARDS_SHOWN = _OF_JOB.values(
    card_message_id=_MESSAGE, card_version=case((_NEWER, jobs.c.card_version), else_=_SHOWN)
)
_CARD_SHOWN = _CARDS_SHOWN.returning(jobs)
_SOME = jobs.c.id.in_(bindparam("job_ids", expanding=True))
_CARDS_REMOVED = (
    update(jobs)
    .where(_SOME, text(SUPERSEDED_CARD))
    .values(card_message_id=None, card_superseded_at=None, card_version=jobs.c.version)
)
_STALE_CARDS = (
    select(jobs)
    .where(jobs.c.card_message_id.is_not(None), jobs.c.card_version < jobs.c.version)
    .order_by(case((jobs.c.state.in_(LAST_WORDS), 0), else_=1), jobs.c.changed_at, jobs.c.number)
    .limit(LIMIT)
)
_SUPERSEDED_CARDS = (
    select(jobs).where(text(SUPERSEDED_CARD)).order_by(jobs.c.card_superseded_at, jobs.c.number).limit(LIMIT)
)
_WANTED_CARDS = (
    select(jobs)
    .where(text(NO_CARD_YET), jobs.c.state.in_(ACTIVE_STATES))
    .order_by(jobs.c.number)
    .limit(LIMIT)
)
_LOST_CARDS = (
    select(jobs)
    .where(text(CARD_NEVER_SEEN), ~jobs.c.private)
    .where(jobs.c.created_at > bindparam("after"), jobs.c.created_at < bindparam("before"))
    .order_by(jobs.c.created_at)
    .limit(LIMIT)
)
_UNFINISHED_WITH_CARDS = (
    select(jobs)
    .where(_SOME, jobs.c.state.in_((JobState.WAITING, JobState.RUNNING)), jobs.c.card_message_id.is_not(None))
    .order_by(jobs.c.number)
)
