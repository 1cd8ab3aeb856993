"""Decide and store requests, those of the same moment together: one transaction serves them all."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.aio.batching import AGAIN, Again, Batcher
from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog
from bot.clock import Clock, SystemClock
from bot.credits import ledger
from bot.credits.budgets import add_alert
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.errors import Busy, Collided, CreditsShort, Refused, StudiiBotError
from bot.features.words import WordsRefused, note_refusal
from bot.jobs import accept
from bot.jobs.models import Job, JobRequest
from bot.services.acceptance.asking import store_question, take_answer
from bot.services.acceptance.decision import Acceptance
from bot.services.acceptance.errors import ConfirmationNeeded, Repeated
from bot.services.acceptance.read_state import acceptance_of
from bot.storage import Storage, Transaction

_log = logging.getLogger(__name__)

# Servers of several processes may share a key, whose price one of them has just learned.
COLLISIONS = 5  # tries
ACCEPTED_AT_ONCE = 100  # in one transaction
REMEMBERED_ANSWERS = 5000  # servers
ANSWERED_TOGETHER = 0.05  # seconds; requests whose deadlines are within them are given up together
Requests = Sequence[JobRequest]  # that are accepted together, or none of them
Answer = list[Job] | StudiiBotError
# To requests that arrived together: one, or one to each of them that was decided alone.
Answers = list[Answer]


@dataclass(frozen=True, slots=True)
class WaitingRequests:
    """Requests that arrived together, and when the wait for their decision ends.

    `apart`: where not all of them can be accepted together, each is decided alone.
    """

    requests: Requests
    deadline: float
    apart: bool = False


class AcceptanceBatches:
    """Accepts requests in order of arrival, each or each set of them for itself."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock, *, max_source_bytes: int) -> None:
        self._storage = storage
        self._catalog = catalog
        self._clock = clock
        self._max_source_bytes = max_source_bytes
        self._patience = SystemClock()  # real time, as that of `Storage.write`
        self._accepting = Batcher("accepting jobs", self._accept, max_group=ACCEPTED_AT_ONCE)
        self._told_alone = BoundedDict[int, bool](REMEMBERED_ANSWERS)

    async def accept(self, requests: Requests) -> list[Job]:
        """Accept all these requests or none of them, together with other requests that wait now.

        Raises the refusal, and `Busy` if nothing could be decided within `COMMAND_WRITE_TIMEOUT` seconds.
        """
        (answer,) = await self._ask(requests, apart=False)
        if isinstance(answer, StudiiBotError):
            raise answer
        return answer

    async def accept_apart(self, requests: Requests) -> Answers:
        """Accept all these requests; where there is no room for all, or some exist already, each alone.

        Return the answer to all, or to each, in their order: a question among them is stored when it is asked
        (`ask`). Raises `Busy` as `accept` does.
        """
        return await self._ask(requests, apart=True)

    async def _ask(self, requests: Requests, *, apart: bool) -> Answers:
        deadline = self._patience.monotonic() + COMMAND_WRITE_TIMEOUT
        return await self._accepting.ask(WaitingRequests(requests, deadline, apart))

    def told_alone(self, guild_id: int) -> bool:
        """Return whether the last answer in the server was for the person alone: a refusal or a question."""
        return self._told_alone.get(guild_id, False)

    async def state(self, requests: Requests) -> Acceptance:
        """Read the state in which these requests would be decided now. Nothing is stored."""
        async with self._storage.read() as transaction:
            return await acceptance_of(
                transaction,
                self._catalog,
                requests,
                self._clock.now(),
                max_source_bytes=self._max_source_bytes,
            )

    async def _accept(
        self, take: Callable[[], Sequence[WaitingRequests]]
    ) -> Sequence[Answers | Exception | Again]:
        first = self._accepting.first
        return [] if first is None else await self._decide(take, first.deadline)

    async def _decide(
        self, take: Callable[[], Sequence[WaitingRequests]], deadline: float, tries: int = 1
    ) -> Sequence[Answers | Exception | Again]:
        taken: Sequence[WaitingRequests] = ()
        answers: list[Answers] | None = None
        try:
            async with self._storage.write(patience=deadline - self._patience.monotonic()) as transaction:
                taken = take()
                answers = await self._accept_within(transaction, taken)
        except Exception as error:
            if isinstance(error, Collided) and answers is None and tries < COLLISIONS:
                return await self._decide(lambda: taken, deadline, tries + 1)
            if type(error) is Busy and answers is None:
                return self._late(taken or take(), error)
            # Once all are answered, only the commit can have failed: nobody knows whether it was made.
            if isinstance(error, Busy) or answers is not None or len(taken) < 2:
                raise
            # One of them has met something unexpected, which must not be the others' misfortune.
            _log.exception("%d requests could not be decided together, so each is decided alone", len(taken))
            return [await self._decide_alone(one) for one in taken]
        for waited, answer in zip(taken, answers, strict=True):
            told_alone = isinstance(answer[-1], Refused | ConfirmationNeeded)
            self._told_alone[waited.requests[0].guild_id] = told_alone
        return answers

    def _late(self, taken: Sequence[WaitingRequests], busy: Busy) -> Sequence[Exception | Again]:
        """Give up the requests whose deadline has come, and let the later ones wait again.

        Raises `busy` for the whole group if no deadline has come.
        """
        now = self._patience.monotonic() + ANSWERED_TOGETHER
        if all(now < one.deadline for one in taken):
            raise busy
        return [AGAIN if now < one.deadline else busy for one in taken]

    async def _decide_alone(self, waiting: WaitingRequests) -> Answers | Exception | Again:
        try:
            return (await self._decide(lambda: [waiting], waiting.deadline))[0]
        except Exception as error:  # noqa: BLE001 - raised for whom it concerns
            return error

    async def _accept_within(
        self, transaction: Transaction, groups: Sequence[WaitingRequests]
    ) -> list[Answers]:
        requests = [request for group in groups for request in group.requests]
        # First of all, so that what is read below cannot change before the reservations.
        await transaction.run(ledger.lock, *(request.guild_id for request in requests))
        now = self._clock.now()
        acceptance = await acceptance_of(
            transaction, self._catalog, requests, now, max_source_bytes=self._max_source_bytes
        )
        answers = [await _answers(transaction, acceptance, group, now) for group in groups]
        await transaction.run(accept.store, acceptance.jobs, now)
        for alert in acceptance.alerts:
            await transaction.run(add_alert, alert, now)
        return answers


async def _answers(
    transaction: Transaction, acceptance: Acceptance, group: WaitingRequests, at: datetime
) -> Answers:
    """Decide these requests before any that came after them."""
    answer = await _answer(transaction, acceptance, group.requests, at)
    if not group.apart:
        return [await _asked(transaction, answer, at)]
    if len(group.requests) < 2 or not isinstance(answer, Repeated | CreditsShort):
        return [answer]
    alone = (replace(request, set_id=None) for request in group.requests)
    return [await _answer(transaction, acceptance, [request], at) for request in alone]


async def _answer(
    transaction: Transaction, acceptance: Acceptance, requests: Requests, at: datetime
) -> Answer:
    """Decide the requests, and store at once what follows from it: it may decide about the next ones."""
    try:
        jobs = acceptance.decide_all(requests)
    except WordsRefused as refused:
        return await _noted(transaction, acceptance, refused, at)
    except StudiiBotError as error:  # anything else may leave part of a set among what is stored
        return error
    await take_answer(transaction, requests[0], at)
    return jobs


async def _asked(transaction: Transaction, answer: Answer, at: datetime) -> Answer:
    """Return the answer, with its question stored if it is one, or why there can't be one."""
    if not isinstance(answer, ConfirmationNeeded):
        return answer
    try:
        answer.question = await store_question(transaction, answer, at)
    except Refused as refused:
        return refused
    return answer


async def _noted(
    transaction: Transaction, acceptance: Acceptance, refused: WordsRefused, at: datetime
) -> WordsRefused:
    """Note the refusal. Return it, with the pause if it is followed by one."""
    pause = await transaction.run(note_refusal, refused, at)
    if pause is None:
        return refused
    acceptance.block(pause)
    return WordsRefused(refused.rule, refused.request, refused.tool, pause.until)
