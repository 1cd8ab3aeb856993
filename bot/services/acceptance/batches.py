"""Decide and store requests, those of the same moment together: one transaction serves them all."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.aio.batching import Batcher
from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog
from bot.clock import Clock
from bot.domain import Job, JobRequest
from bot.errors import Busy, Collided, Refused, StudiiBotError
from bot.lifecycle.budget_alerts import add_alert
from bot.lifecycle.transitions import accept
from bot.services.acceptance.asking import keep_question
from bot.services.acceptance.decision import Acceptance
from bot.services.acceptance.errors import ConfirmationNeeded
from bot.services.acceptance.read_state import acceptance_of
from bot.services.moderation.refusals import note_refusal
from bot.services.moderation.words import WordsRefused
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage, Transaction

_log = logging.getLogger(__name__)

# Servers of several processes may share a key, whose price one of them has just learned.
COLLISIONS = 5  # tries
ACCEPTED_AT_ONCE = 100  # in one transaction
REMEMBERED_ANSWERS = 5000  # servers
Requests = Sequence[JobRequest]  # that are accepted together, or none of them


class AcceptanceBatches:
    """Accepts requests in order of arrival, each or each set of them for itself."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock, *, max_source_bytes: int) -> None:
        self._storage = storage
        self._catalog = catalog
        self._clock = clock
        self._max_source_bytes = max_source_bytes
        self._accepting = Batcher("accepting jobs", self._accept, max_group=ACCEPTED_AT_ONCE)
        self._told_alone = BoundedDict[int, bool](REMEMBERED_ANSWERS)

    async def accept(self, requests: Requests) -> list[Job]:
        """Accept all these requests or none of them, together with other requests that wait now."""
        return await self._accepting.ask(requests)

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
        self, take: Callable[[], Sequence[Requests]], tries: int = 1
    ) -> list[list[Job] | Exception]:
        requests: Sequence[Requests] = ()
        answers: list[list[Job] | Exception] | None = None
        try:
            async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
                requests = take()
                answers = await self._accept_within(transaction, requests)
        except Exception as error:
            if isinstance(error, Collided) and answers is None and tries < COLLISIONS:
                return await self._accept(lambda: requests, tries + 1)
            # Once all are answered, only the commit can have failed: nobody knows whether it was made.
            if isinstance(error, Busy) or answers is not None or len(requests) < 2:
                raise
            # One of them has met something unexpected, which must not be the others' misfortune.
            _log.exception(
                "%d requests could not be decided together, so each is decided alone", len(requests)
            )
            return [await self._accept_alone(request) for request in requests]
        for (request, *_), answer in zip(requests, answers, strict=True):
            self._told_alone[request.guild_id] = isinstance(answer, Refused | ConfirmationNeeded)
        return answers

    async def _accept_alone(self, requests: Requests) -> list[Job] | Exception:
        try:
            return (await self._accept(lambda: [requests]))[0]
        except Exception as error:  # noqa: BLE001 - raised for whom it concerns
            return error

    async def _accept_within(
        self, transaction: Transaction, groups: Sequence[Requests]
    ) -> list[list[Job] | Exception]:
        requests = [request for group in groups for request in group]
        # First of all, so that what is read below cannot change before the reservations.
        await transaction.ledger.lock(*(request.guild_id for request in requests))
        now = self._clock.now()
        acceptance = await acceptance_of(
            transaction, self._catalog, requests, now, max_source_bytes=self._max_source_bytes
        )
        answers: list[list[Job] | Exception] = []
        for group in groups:
            answer = _decision(acceptance, group)
            # What follows from it is stored at once, as it may decide about the next ones.
            if isinstance(answer, WordsRefused):
                answers.append(await _noted(transaction, acceptance, answer, now))
            else:
                answers.append(await keep_question(transaction, group[0], answer, now))
        stored = {job.id: job for job in await accept(transaction, acceptance.jobs, now)}
        for alert in acceptance.alerts.values():
            await add_alert(transaction, alert, now)
        return [
            [stored[job.id] for job in answer] if isinstance(answer, list) else answer for answer in answers
        ]


async def _noted(
    transaction: Transaction, acceptance: Acceptance, refused: WordsRefused, at: datetime
) -> WordsRefused:
    """Note the refusal. Return it, with the pause if it is followed by one."""
    refusal = refused.refusal
    pause = await note_refusal(transaction, refusal, at)
    if pause is None:
        return refused
    acceptance.block(refusal.guild_id, refusal.user_id, pause)
    return WordsRefused(refusal, pause.until)


def _decision(acceptance: Acceptance, requests: Requests) -> list[Job] | Exception:
    try:
        return acceptance.decide_all(requests)
    except StudiiBotError as error:  # anything else may leave part of a set among what is stored
        return error
