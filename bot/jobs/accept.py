"""Accept the jobs that people ask for: requests that wait are decided and stored together.

One read of what counts, a pure decision for each in order of arrival, and two bulk inserts. Every command
does this.
"""

import logging
import math
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.clock import Clock
from bot.config import MEGABYTE
from bot.credits import budgets, ledger, limits, prices
from bot.db import COMMAND_WRITE_TIMEOUT, Database
from bot.errors import CreditsShort, Refused, StudiiBotError
from bot.features import styles, words
from bot.jobs import confirm, decide, queries, results
from bot.jobs.models import Hold, Job, JobRequest, jobs as jobs_table
from bot.languages import Message, lazy
from bot.servers import access, settings
from bot.servers.keys import StudiiKey

_log = logging.getLogger(__name__)

_COLUMNS = tuple(column.key for column in jobs_table.c if column.key != "number")

Answer = list[Job] | StudiiBotError
Complete = Callable[[JobRequest, settings.GuildSettings, Mapping[str, str]], JobRequest]
"""Returns the request with what follows from the server's rules and from the inputs that its member prefers.

It may raise `Refused`.
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Requests that one person makes together.

    `apart`: where not all of them can be accepted together, each is decided alone. `context`: what is refused
    is worded in the person's language.
    """

    requests: Sequence[JobRequest]
    complete: Complete | None = None
    apart: bool = False
    context: Context = field(default_factory=copy_context)


class Acceptor:
    """Accepts jobs, and says which could be accepted."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock, *, max_source_bytes: int) -> None:
        self._db, self._catalog, self._clock = db, catalog, clock
        self._max_source_bytes = max_source_bytes

    async def accept_all(self, requests: Sequence[JobRequest], complete: Complete | None = None) -> list[Job]:
        """Store the jobs of one person in one server with their credits reserved: all of them or none.

        Several jobs become a set. Raises `Refused` with the reason and who can change it,
        `CreditsShortForAll` if only some could be accepted, and `DatabaseFailed` if the database can't be
        used. Nothing is written then. Raises `ConfirmationNeeded` with the question to the person if they
        have to be asked first.
        """
        (answer,) = await self._accept(requests, complete)
        if isinstance(answer, StudiiBotError):
            raise answer
        return answer

    async def accept_apart(self, requests: Sequence[JobRequest]) -> list[Answer]:
        """Store them as `accept_all` does; where there is no room for all, or some exist already, each alone.

        Either is done before later requests are decided. Return the jobs, or why there are none, of all, or
        of each in their order. A question among them is stored when it is asked (`confirm.store`), as Discord
        takes few messages. Raises `DatabaseFailed`, and `Refused` for photos that are too large.
        """
        return await self._accept(requests, apart=True)

    def would_accept(self, session: Session, requests: Sequence[JobRequest]) -> list[budgets.Estimate]:
        """Return the prices of those of a person's jobs that could be accepted now, in this order."""
        accepted, _ = self._read(session, [_Asked(_as_set(requests))]).as_many_as_possible(_as_set(requests))
        return [decide.price_of(job) for job in accepted]

    def ensure_possible(self, session: Session, request: JobRequest) -> bool:
        """Return whether the job may also be private. Raises `Refused` as `Decisions.ensure_possible`."""
        return self._read(session, [_Asked([request])]).ensure_possible(request)

    async def _accept(
        self, requests: Sequence[JobRequest], complete: Complete | None = None, *, apart: bool = False
    ) -> list[Answer]:
        for request in requests:
            self._catalog.get(request.tool)
            if request.source is not None and request.source.size > self._max_source_bytes:
                raise Refused(
                    lazy(
                        "That photo is {size}. The limit is {limit}. Send a smaller one, or ask the bot's "
                        "operator to raise MAX_SOURCE_MB.",
                        size=size_words(request.source.size),
                        limit=size_words(self._max_source_bytes),
                    )
                )
        asked = _Asked(_as_set(requests), complete, apart)
        answers = await self._db.write_together(self._decide, asked, COMMAND_WRITE_TIMEOUT)
        for job in (job for answer in answers if isinstance(answer, list) for job in answer):
            _log.info("Job %s is accepted: %s in server %d", job.id, job.tool, job.guild_id)
        return answers

    def _decide(self, session: Session, asked: Sequence[_Asked]) -> list[list[Answer]]:
        """Decide requests in order of arrival, and store what follows."""
        # First of all, so that what is read below cannot change before the reservations.
        ledger.lock(session, *(request.guild_id for one in asked for request in one.requests))
        decisions = self._read(session, asked)
        answers = [one.context.run(_answers, session, decisions, one) for one in asked]
        store(session, decisions.jobs, decisions.at)
        for (guild_id, *_), alert in decisions.alerts.items():
            budgets.add_alert(session, guild_id, alert, decisions.at)
        return answers

    def _read(self, session: Session, asked: Sequence[_Asked]) -> decide.Decisions:
        """Read what decides about the requests: once for all of them."""
        requests, at = [request for one in asked for request in one.requests], self._clock.now()
        members: dict[int, set[int]] = {}
        for request in requests:
            members.setdefault(request.guild_id, set()).add(request.user_id)
        servers = _servers(session, members, at)
        everyone = {one for some in members.values() for one in some}
        if any(request.tapped is not None for request in requests):
            for tapper in session.scalars(
                select(confirm.Tapper).where(
                    confirm.Tapper.guild_id.in_(members), confirm.Tapper.user_id.in_(everyone)
                )
            ):
                servers[tapper.guild_id].tapped_before.add(tapper.user_id)
        authors = {one.photo_author for one in requests if one.photo_author not in {None, one.user_id}}
        once = {one.once for one in requests if one.once is not None}
        questions = {one.confirmation for one in requests if one.confirmation is not None}
        open_ = select(confirm.Confirmation.id).where(
            confirm.Confirmation.id.in_(questions), confirm.is_open(at)
        )
        return decide.Decisions(
            self._catalog,
            at,
            self._max_source_bytes,
            servers,
            refusing=access.refusing_photos(session, [one for one in authors if one]) if authors else (),
            done=queries.going_or_done_of(session, once) if once else set(),
            open_questions=set(session.scalars(open_)) if questions else set(),
            preferred=styles.preferred(session, self._catalog, members, everyone)
            if any(one.complete is not None for one in asked)
            else {},
        )


def size_words(size: int) -> Message:
    """Return a size in megabytes, rounded up so that a file that is too large never seems to fit."""
    return lazy("{size} MB", size=math.ceil(size * 10 / MEGABYTE) / 10)


def store(session: Session, jobs: Sequence[Job], at: datetime) -> None:
    """Insert new jobs, in this order, with what they reserve.

    The caller holds the ledger's lock of their servers, and has checked the limits.
    """
    if jobs:
        session.execute(insert(jobs_table), [{one: getattr(job, one) for one in _COLUMNS} for job in jobs])
        ledger.reserve(session, jobs, at)
        session.info["wakes"].update({("job", job.id): job for job in jobs})
        for job in jobs:
            results.follow_hourglass(session, job, at)


def _as_set(requests: Sequence[JobRequest]) -> Sequence[JobRequest]:
    if len(requests) < 2:
        return requests
    set_id = secrets.token_hex(8)
    return [replace(request, set_id=set_id) for request in requests]


def _servers(
    session: Session, members: Mapping[int, Collection[int]], at: datetime
) -> dict[int, decide.ServerState]:
    """Read the servers' settings, and what they and these members may spend where they take jobs."""
    ids = list(members)
    keys = (
        select(settings.GuildSettings, StudiiKey, Hold)
        .where(settings.GuildSettings.guild_id.in_(ids))
        .outerjoin(StudiiKey, StudiiKey.id == settings.GuildSettings.key_id)
        .outerjoin(Hold, Hold.guild_id == settings.GuildSettings.guild_id)
    )
    there: dict[int, tuple[settings.GuildSettings, StudiiKey | None, Hold | None]] = {
        row[0].guild_id: (row[0], row[1], row[2]) for row in session.execute(keys)
    }
    found = {one: there.get(one, (settings.GuildSettings(one), None, None)) for one in ids}
    rules = access.of_servers(session, [its for its, _, _ in found.values()], at)
    filters = words.of_servers(session, ids)
    servers = {one: decide.ServerState(*found[one], rules[one], filters[one]) for one in ids}
    lanes = {
        one: server.key.lane
        for one, server in servers.items()
        if server.key is not None and not server.settings.paused
    }
    if not lanes:
        return servers
    charges, limited = (
        prices.charges_of(session, set(lanes.values())),
        limits.of_servers(session, [servers[one].settings for one in lanes]),
    )
    used = limits.use_of_members(
        session, [(servers[one].settings, limited[one], sorted(members[one])) for one in lanes], at
    )
    for one, lane in lanes.items():
        servers[one].limits, servers[one].prices = limited[one], charges[lane]
        servers[one].budget, servers[one].members = used[one]
    return servers


def _answers(session: Session, decisions: decide.Decisions, asked: _Asked) -> list[Answer]:
    """Decide these requests before any that came after them."""
    answer = _answer(session, decisions, asked.requests, asked.complete)
    if not asked.apart:
        return [_asked(session, answer, decisions.at)]
    if len(asked.requests) < 2 or not isinstance(answer, confirm.Repeated | CreditsShort):
        return [answer]
    return [_answer(session, decisions, [replace(request, set_id=None)]) for request in asked.requests]


def _answer(
    session: Session,
    decisions: decide.Decisions,
    requests: Sequence[JobRequest],
    complete: Complete | None = None,
) -> Answer:
    """Decide the requests, and store at once what follows from it: it may decide about the next ones."""
    try:
        if complete is not None:
            server, preferred = decisions.servers[requests[0].guild_id], decisions.preferred
            requests = [
                complete(
                    request,
                    server.settings,
                    preferred.get((request.guild_id, request.user_id, request.tool), {}),
                )
                for request in requests
            ]
        jobs = decisions.decide_all(requests)
    except words.WordsRefused as refused:
        pause = words.note_refusal(session, refused, decisions.at)
        if pause is None:
            return refused
        decisions.block(pause)
        return words.WordsRefused(refused.rule, refused.request, refused.tool, pause.until)
    except StudiiBotError as error:  # anything else may leave part of a set among what is stored
        return error
    confirm.take_answer(session, requests[0], decisions.at)
    return jobs


def _asked(session: Session, answer: Answer, at: datetime) -> Answer:
    """Return the answer, with its question stored if it is one, or why there can't be one."""
    if not isinstance(answer, confirm.ConfirmationNeeded):
        return answer
    try:
        answer.question = confirm.store(session, answer, at)
    except Refused as refused:
        return refused
    return answer
