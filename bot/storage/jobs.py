"""The table of jobs. Each change of state is one conditional UPDATE."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, TypedDict, Unpack

from sqlalchemy import (
    Column,
    ColumnElement,
    ScalarSelect,
    Select,
    Subquery,
    Update,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import RowMapping

from bot.domain import (
    ACTIVE_STATES,
    NEXT_STATES,
    SENT_STATES,
    TERMINAL_STATES,
    FailureCode,
    FileRole,
    Job,
    JobState,
    SourcePhoto,
    StudiiKey,
)
from bot.reasons import Reason
from bot.storage.database.session import Session
from bot.storage.database.unreadable import json_object
from bot.storage.schema import (
    CARD_NEVER_SEEN,
    GOING_OR_DONE,
    NO_CARD_YET,
    decodes,
    guilds,
    holds,
    jobs,
    log_channels,
    prices,
    studii_keys,
)

KEY = (jobs.c.number,)
_FIELDS = tuple(field.name for field in fields(Job) if field.name != "source")
_SOURCE = {
    "source_url": "url",
    "source_name": "filename",
    "source_type": "content_type",
    "source_size": "size",
    "source_message_id": "message_id",
    "source_channel_id": "channel_id",
}
_NEED_REQUESTS = (JobState.WAITING, JobState.UPLOADING, *SENT_STATES)
_LAST_WORDS = (*TERMINAL_STATES, JobState.UNKNOWN)
_KEY_COLUMNS = tuple(column.label(f"of_key_{column.name}") for column in studii_keys.c)
_OTHERS = jobs.alias("others")  # made once: each alias makes the table's columns anew


class JobChanges(TypedDict, total=False):
    """The fields of a job that may change. Its state and credits are changed by methods of their own."""

    source: SourcePhoto | None
    charged: int | None
    not_before: datetime | None
    held: Reason | None
    attempts: int
    source_file: str | None
    key_id: int | None
    object_key: str | None
    studii_id: str | None
    status_url: str | None
    studii_status: str | None
    submitted_at: datetime | None
    output_url: str | None
    output_kind: str | None
    output_file: str | None
    finished_at: datetime | None
    failure: FailureCode | None
    failure_text: Reason | None
    card_message_id: int | None
    card_version: int
    posting: int
    result_message_id: int | None
    announced_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardShown:
    """A job's card is that message, and shows that version of the job."""

    job_id: str
    message_id: int
    version: int


class Started(NamedTuple):
    """A job that Studii has, whether its server's key is held, and the last charge for its price."""

    job: Job
    server_held: bool
    last_charge: int | None


class Jobs:
    """Jobs within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, job: Job) -> None:
        """Insert a new job without a reservation, which `Ledger.reserve` makes."""
        await self.add_all([job])

    async def add_all(self, new: Sequence[Job]) -> None:
        """Insert new jobs, in this order, without their reservations."""
        if new:
            # Their reservations tell of them.
            await self._session.execute(insert(jobs), [_row_of(job) for job in new], named=True)

    async def get(self, job_id: str) -> Job | None:
        return await self._one(select(jobs).where(jobs.c.id == job_id))

    async def with_key(self, job_id: str) -> tuple[Job | None, StudiiKey | None]:
        """Return the job, and the key that its server's new jobs use."""
        query = (
            select(jobs, *_KEY_COLUMNS)
            .join(guilds, guilds.c.guild_id == jobs.c.guild_id, isouter=True)
            .join(studii_keys, studii_keys.c.id == guilds.c.key_id, isouter=True)
            .where(jobs.c.id == job_id)
        )
        found = await self._session.rows(query, lambda row: (job_of(row), _key_of(row)), KEY)
        return found[0] if found else (None, None)

    async def make_ready(self, job_id: str, source_file: str | None, at: datetime) -> Job | None:
        """Move a received job to waiting, with the hold of its server's key if there is one.

        Return None if it was in another state.
        """

        def of_hold(column: Column[Any]) -> ScalarSelect[Any]:
            return select(column).where(holds.c.guild_id == jobs.c.guild_id).correlate(jobs).scalar_subquery()

        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.RECEIVED)
            .values(
                state=JobState.WAITING,
                changed_at=at,
                version=jobs.c.version + 1,
                announced_at=None,
                source_file=source_file,
                held=of_hold(holds.c.reason),
                not_before=of_hold(holds.c.until),
                key_id=func.coalesce(of_hold(holds.c.key_id), jobs.c.key_id),
            )
            .returning(jobs)
        )

    async def announce(
        self, job: Job, at: datetime, *, visible: bool, **changes: Unpack[JobChanges]
    ) -> bool | None:
        """Record that the job's outcome was posted. Return whether its server's log channel shows results.

        Changes nothing and returns None if its state or posting has changed since.
        """
        which = (jobs.c.id == job.id) & (jobs.c.state == job.state) & (jobs.c.posting == job.posting)
        values = {"announced_at": at, "version": jobs.c.version + int(visible)} | _columns(changes)
        theirs = (log_channels.c.guild_id == jobs.c.guild_id) & log_channels.c.channel_id.is_not(None)
        shown = exists().where(theirs, log_channels.c.results).correlate(jobs)
        announce = update(jobs).where(which).values(values).returning(jobs, shown.label("shown"))
        row = (await self._session.execute(announce, named=True)).mappings().one_or_none()
        if row is None:
            return None
        changed_job(self._session, row)
        return bool(row["shown"])

    async def some(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Return the jobs that exist, by id."""
        return {job.id: job for job in await self._all(select(jobs).where(jobs.c.id.in_(list(job_ids))))}

    async def advance(
        self,
        job_id: str,
        expected: JobState | Collection[JobState],
        to: JobState,
        *,
        at: datetime,
        **changes: Unpack[JobChanges],
    ) -> Job | None:
        """Move the job from one of the `expected` states to `to`. Return None if it was in another state.

        Increments the version and clears `announced_at`. Raises `ValueError` if `NEXT_STATES` does not
        have the change.
        """
        states = [expected] if isinstance(expected, JobState) else list(expected)
        for state in states:
            if to not in NEXT_STATES[state]:
                raise ValueError(f"a job can't change from {state} to {to}")
        values = {"announced_at": None} | _columns(changes)
        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(states))
            .values(state=to, changed_at=at, version=jobs.c.version + 1, **values)
            .returning(jobs)
        )

    async def start_running(
        self, job_id: str, expected: JobState, lane: str, at: datetime, **changes: Unpack[JobChanges]
    ) -> Started | None:
        """Move the job to running, as `advance` does, and tell what matters to its credits and its server."""
        if JobState.RUNNING not in NEXT_STATES[expected]:
            raise ValueError(f"a job does not go from {expected} to running")
        held = exists().where(holds.c.guild_id == jobs.c.guild_id).correlate(jobs)
        start = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == expected)
            .values(
                {"announced_at": None, "state": JobState.RUNNING, "changed_at": at}
                | {"version": jobs.c.version + 1}
                | _columns(changes)
            )
            .returning(jobs, held.label("server_held"), _price(prices.c.charge, lane).label("last_charge"))
        )
        row = (await self._session.execute(start, named=True)).mappings().one_or_none()
        if row is None:
            return None
        return Started(changed_job(self._session, row), bool(row["server_held"]), row["last_charge"])

    async def finish_running(
        self, job_id: str, lane: str, **changes: Unpack[JobChanges]
    ) -> tuple[Job, int | None, datetime | None] | None:
        """Change a running job, as `update` does.

        Return it with the last charge for its price with the key of `lane`, and when that was first charged.
        """
        finish = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.RUNNING)
            .values({"version": jobs.c.version + 1} | _columns(changes))
            .returning(
                jobs,
                _price(prices.c.charge, lane).label("last_charge"),
                _price(prices.c.at, lane).label("charged_at"),
            )
        )
        row = (await self._session.execute(finish, named=True)).mappings().one_or_none()
        if row is None:
            return None
        return changed_job(self._session, row), row["last_charge"], row["charged_at"]

    async def update(
        self,
        job_id: str,
        expected: JobState | None = None,
        *,
        visible: bool = False,
        **changes: Unpack[JobChanges],
    ) -> Job | None:
        """Change fields but not the state. `visible` increments the version, so that the card is updated.

        Changes nothing and returns None if the job is in another state than `expected`.
        """
        values = _columns(changes)
        if visible:
            values["version"] = jobs.c.version + 1
        if not values:
            return await self.get(job_id)
        which = (
            (jobs.c.id == job_id) if expected is None else (jobs.c.id == job_id) & (jobs.c.state == expected)
        )
        return await self._one(update(jobs).where(which).values(values).returning(jobs))

    async def in_states(self, states: Collection[JobState], limit: int | None = None) -> list[Job]:
        """Return jobs in these states, oldest first."""
        query = select(jobs).where(jobs.c.state.in_(list(states))).order_by(jobs.c.number)
        return await self._all(query.limit(limit))

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
        return await self._session.rows(query, lambda row: (job_of(row), row["current_key_id"]), KEY)

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
        turns = _in_turn(which)
        fetched = jobs.c.held.is_(None) | (turns.c.turn == 1)
        return await self._all(_by_turn(turns).where(fetched).limit(limit))

    async def to_download(self, limit: int) -> list[Job]:
        """Return running jobs whose output has an address, in turn as in `to_take_in`."""
        which = (jobs.c.state == JobState.RUNNING) & jobs.c.output_url.is_not(None)
        return await self._all(_by_turn(_in_turn(which)).limit(limit))

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
        return await self._all(query)

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
        """Return results that were given up for posting and are still kept, in the order in which they
        ended."""
        kept = (jobs.c.state == JobState.SUCCEEDED) & jobs.c.output_file.is_not(None)
        which = kept & jobs.c.announced_at.is_not(None)
        return await self._all(select(jobs).where(which).order_by(jobs.c.finished_at, jobs.c.number))

    async def unsent_where_held(self) -> list[str]:
        """Return the jobs with photos, fetched or being fetched, of servers whose key is not served."""
        query = (
            select(jobs.c.id)
            .join(holds, holds.c.guild_id == jobs.c.guild_id)
            .where(jobs.c.state.in_((JobState.RECEIVED, JobState.WAITING)), jobs.c.source_url.is_not(None))
        )
        return [row["id"] for row in (await self._session.execute(query)).mappings()]

    async def undelivered(self, before: datetime) -> list[Job]:
        """Return jobs announced before that time whose output file is still there."""
        return await self._all(
            select(jobs).where(jobs.c.output_file.is_not(None), jobs.c.announced_at < before)
        )

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

    async def cards_show(self, versions: Mapping[str, int]) -> None:
        """Record the versions that jobs' cards show, by job, unless newer ones are recorded."""
        older = (jobs.c.id == bindparam("job")) & (jobs.c.card_version < bindparam("shown"))
        shown = update(jobs).where(older).values(card_version=bindparam("shown"))
        rows = [{"job": job_id, "shown": version} for job_id, version in versions.items()]
        # Only who shows the cards has to know.
        await self._session.execute(shown, rows, named=True)

    async def cards_shown(self, shown: Sequence[CardShown]) -> None:
        """Store which messages are the cards of these jobs, and the versions that they show."""
        if len(shown) == 1:
            (one,) = shown
            await self.update(one.job_id, card_message_id=one.message_id, card_version=one.version)
            return
        query = update(jobs).where(jobs.c.id == bindparam("job_id"))
        query = query.values(card_message_id=bindparam("message_id"), card_version=bindparam("shown_version"))
        rows = [
            {"job_id": one.job_id, "message_id": one.message_id, "shown_version": one.version}
            for one in shown
        ]
        await self._session.execute(query, rows, named=True)
        self._session.changes.jobs |= await self.some([one.job_id for one in shown])

    async def unannounced(self, limit: int) -> list[Job]:
        """Return ended and unknown jobs that are not announced yet, the oldest change first."""
        return await self._all(
            select(jobs)
            .where(jobs.c.announced_at.is_(None), jobs.c.state.in_(_LAST_WORDS))
            .order_by(jobs.c.changed_at, jobs.c.number)
            .limit(limit)
        )

    async def stale_cards(self, limit: int) -> list[Job]:
        """Return jobs whose card shows an older version: ended ones first, then by time of change."""
        goes_on = case((jobs.c.state.in_(_LAST_WORDS), 0), else_=1)
        return await self._all(
            select(jobs)
            .where(jobs.c.card_message_id.is_not(None), jobs.c.card_version < jobs.c.version)
            .order_by(goes_on, jobs.c.changed_at, jobs.c.number)
            .limit(limit)
        )

    async def wanted_cards(self, limit: int) -> list[Job]:
        """Return unfinished jobs whose card the bot has not posted yet, oldest first."""
        return await self._all(
            select(jobs)
            .where(text(NO_CARD_YET), jobs.c.state.in_(ACTIVE_STATES))
            .order_by(jobs.c.number)
            .limit(limit)
        )

    async def lost_cards(self, after: datetime, before: datetime, limit: int) -> list[Job]:
        """Return jobs accepted in between whose card may exist without a stored message id, oldest first.

        Private jobs are left out: ephemeral messages can't be found in a channel.
        """
        accepted = (jobs.c.created_at > after) & (jobs.c.created_at < before)
        return await self._all(
            select(jobs)
            .where(text(CARD_NEVER_SEEN), accepted, ~jobs.c.private)
            .order_by(jobs.c.created_at)
            .limit(limit)
        )

    async def card_found(self, job_id: str, message_id: int | None) -> None:
        """Store the message id of a lost card, or (None) that it has none. Keeps an id stored meanwhile."""
        version = jobs.c.version if message_id is None else 0
        unseen = (jobs.c.id == job_id) & text(CARD_NEVER_SEEN)
        await self._session.execute(
            update(jobs).where(unseen).values(card_message_id=message_id, card_version=version)
        )

    async def going_or_done_of(self, once: Collection[str]) -> set[str]:
        """Return those of the `once` keys that a job has which neither failed nor was cancelled."""
        query = select(jobs.c.once).where(text(GOING_OR_DONE), jobs.c.once.in_(list(once)))
        return set((await self._session.execute(query)).scalars())

    async def recent_of(self, guild_id: int, user_id: int, limit: int) -> list[Job]:
        """Return a member's jobs in a server, newest first."""
        return await self._all(
            select(jobs)
            .where(jobs.c.guild_id == guild_id, jobs.c.user_id == user_id)
            .order_by(jobs.c.number.desc())
            .limit(limit)
        )

    async def waiting_with_cards(self, job_ids: Collection[str]) -> list[Job]:
        """Return those of the jobs that wait and have a card, oldest first."""
        if not job_ids:
            return []
        waits = (jobs.c.state == JobState.WAITING) & jobs.c.card_message_id.is_not(None)
        return await self._all(select(jobs).where(jobs.c.id.in_(job_ids), waits).order_by(jobs.c.number))

    async def page(self, guild_id: int, user_id: int | None, offset: int, limit: int) -> list[Job]:
        """Return a page of jobs of a server, or of one member in it, newest first."""
        query = select(jobs).where(jobs.c.guild_id == guild_id)
        if user_id is not None:
            return await self._all(
                query.where(jobs.c.user_id == user_id)
                .order_by(jobs.c.number.desc())
                .offset(offset)
                .limit(limit)
            )
        newest = (jobs.c.created_at.desc(), jobs.c.number.desc())
        return await self._all(query.order_by(*newest).offset(offset).limit(limit))

    async def repost(self, job_id: str, channel_id: int, at: datetime) -> Job | None:
        """Have a job's result posted again, in that channel. Return None if its output is not kept."""
        elsewhere = jobs.c.channel_id != channel_id
        kept = jobs.c.announced_at.is_not(None) & jobs.c.output_file.is_not(None)
        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.SUCCEEDED, kept)
            .values(
                posting=jobs.c.posting + 1,
                announced_at=None,
                changed_at=at,
                channel_id=channel_id,
                card_message_id=case((elsewhere, None), else_=jobs.c.card_message_id),
            )
            .returning(jobs)
        )

    async def going_of(self, guild_id: int, user_ids: Collection[int]) -> dict[int, int]:
        """Return the numbers of these members' unfinished jobs in a server, without unknown ones, if any."""
        query = (
            select(jobs.c.user_id, func.count().label("jobs"))
            .where(
                jobs.c.guild_id == guild_id,
                jobs.c.user_id.in_(list(user_ids)),
                jobs.c.state.in_(ACTIVE_STATES),
            )
            .group_by(jobs.c.user_id)
        )
        rows = (await self._session.execute(query)).mappings()
        return {row["user_id"]: row["jobs"] for row in rows}

    async def started_by(
        self, guild_id: int, user_ids: Collection[int], since: datetime, until: datetime
    ) -> dict[int, list[datetime]]:
        """Return when these members' jobs in (since, until] were accepted, oldest first."""
        query = (
            select(jobs.c.user_id, jobs.c.created_at)
            .where(
                jobs.c.guild_id == guild_id,
                jobs.c.user_id.in_(list(user_ids)),
                jobs.c.created_at > since,
                jobs.c.created_at <= until,
            )
            .order_by(jobs.c.created_at)
        )
        found: dict[int, list[datetime]] = {}
        for row in (await self._session.execute(query)).mappings():
            found.setdefault(row["user_id"], []).append(row["created_at"])
        return found

    async def _one(self, statement: Select[Any] | Update) -> Job | None:
        if isinstance(statement, Update):
            changed = await self._session.execute(statement, named=True)
            row = changed.mappings().one_or_none()
            return None if row is None else changed_job(self._session, row)
        found = await self._all(statement)
        return found[0] if found else None

    async def _all(self, query: Select[Any]) -> list[Job]:
        return await self._session.rows(query, job_of, KEY)


def _in_turn(which: ColumnElement[bool]) -> Subquery:
    """Return job numbers with their turn within their server, from 1. Members of a server alternate."""
    own = func.row_number().over(partition_by=(jobs.c.guild_id, jobs.c.user_id), order_by=jobs.c.number)
    by_member = select(jobs.c.number, jobs.c.guild_id, own.label("own")).where(which).subquery("by_member")
    order = (by_member.c.own, by_member.c.number)
    turn = func.row_number().over(partition_by=by_member.c.guild_id, order_by=order)
    return select(by_member.c.number, turn.label("turn")).subquery("turns")


def _by_turn(turns: Subquery) -> Select[Any]:
    return select(jobs).join(turns, turns.c.number == jobs.c.number).order_by(turns.c.turn, jobs.c.number)


def _price(column: Column[Any], lane: str) -> ScalarSelect[Any]:
    """Return what is known of the job's price with the key of that lane."""
    same = (prices.c.lane == lane) & (prices.c.tool == jobs.c.tool) & (prices.c.variant == jobs.c.variant)
    return select(column).where(same).correlate(jobs).scalar_subquery()


def _key_of(row: RowMapping) -> StudiiKey | None:
    if row["of_key_id"] is None:
        return None
    return StudiiKey(**{column.name: row[f"of_key_{column.name}"] for column in studii_keys.c})


def changed_job(session: Session, row: RowMapping) -> Job:
    """Return the job of a row that a statement has changed, and name it."""
    job = session.changes.jobs[row["id"]] = job_of(row)
    return job


def job_of(row: RowMapping, inputs: Mapping[str, str] | None = None) -> Job:
    """Return the job of a row, with `inputs` in place of the row's if they are given."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS if name != "inputs"}
    values["inputs"] = json_object(row["inputs"]) if inputs is None else inputs
    if row["source_url"] is not None:
        values["source"] = SourcePhoto(**{name: row[column] for column, name in _SOURCE.items()})
    else:
        values["source"] = None
    return Job(**values)


def _row_of(job: Job) -> dict[str, Any]:
    row = {name: getattr(job, name) for name in _FIELDS} | _source_columns(job.source)
    return row | {"inputs": dict(job.inputs), "reserved": 0, "settled": 0}


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = changes.keys() - JobChanges.__annotations__.keys()
    if unknown:
        raise ValueError(f"these fields of a job can't be changed: {', '.join(sorted(unknown))}")
    columns = dict(changes)
    if "source" in columns:
        columns |= _source_columns(columns.pop("source"))
    return columns


def _source_columns(source: SourcePhoto | None) -> dict[str, Any]:
    return {column: getattr(source, name, None) for column, name in _SOURCE.items()}
