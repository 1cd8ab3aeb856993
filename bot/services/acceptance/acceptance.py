"""Accept jobs: everything is checked, reserved and written down before anyone is answered."""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits.prices import Estimate
from bot.errors import Refused, StudiiBotError
from bot.features.wording import size_words
from bot.jobs.confirm import Confirmation
from bot.jobs.models import Job, JobRequest, SourcePhoto
from bot.languages import lazy
from bot.servers import settings as server_settings
from bot.services.acceptance.asking import store_question
from bot.services.acceptance.batches import AcceptanceBatches
from bot.services.acceptance.checks import ensure_open
from bot.services.acceptance.errors import ConfirmationNeeded
from bot.services.service import ToolService
from bot.storage import Storage

_log = logging.getLogger(__name__)


class AcceptanceService(ToolService):
    """Accepts jobs, and says which could be accepted."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock, *, max_source_bytes: int) -> None:
        super().__init__(storage, catalog, clock)
        self._max_source_bytes = max_source_bytes
        self._batches = AcceptanceBatches(storage, catalog, clock, max_source_bytes=max_source_bytes)

    async def accept_all(self, requests: Sequence[JobRequest]) -> list[Job]:
        """Store the jobs of one person in one server with their credits reserved: all of them or none.

        Several jobs become a set. Requests of several people at once are decided in order of arrival, in one
        transaction. Raises `Refused` with the reason and who can change it, `CreditsShortForAll` if only some
        could be accepted, and `DatabaseFailed` if the database can't be used. Nothing is written then. Raises
        `ConfirmationNeeded` with the question to the person if they have to be asked first.
        """
        jobs = await self._batches.accept(self._checked(requests))
        _log_accepted(jobs)
        return jobs

    async def accept_apart(self, requests: Sequence[JobRequest]) -> list[list[Job] | StudiiBotError]:
        """Store them as `accept_all` does; where there is no room for all, or some exist already, each alone.

        Either is done before later requests are decided. Return the jobs, or why there are none, of all, or
        of each in their order. A question among them is stored when it is asked (`ask`), as Discord takes few
        messages. Raises `DatabaseFailed`, and `Refused` for photos that are too large.
        """
        answers = await self._batches.accept_apart(self._checked(requests))
        for answer in answers:
            if isinstance(answer, list):
                _log_accepted(answer)
        return answers

    async def ask(self, needed: ConfirmationNeeded) -> Confirmation:
        """Store the question of a request that was accepted apart, and return it: its time begins now.

        It can be called again after an outage. Raises `BeingAsked` if there is another question about the
        same, `Refused` if the person has too many to answer already, and `DatabaseFailed`.
        """
        async with self._storage.write() as transaction:
            return await store_question(transaction, needed, self._clock.now())

    async def would_accept(self, requests: Sequence[JobRequest]) -> list[Estimate]:
        """Return the prices of those of a person's jobs that could be accepted now, in this order."""
        acceptance = await self._batches.state(requests)
        accepted, _ = acceptance.as_many_as_possible(_as_set(requests))
        return [Estimate(job.estimate, learned=bool(job.price_learned)) for job in accepted]

    def told_alone(self, guild_id: int) -> bool:
        """Return whether the last answer in the server was for the person alone: a refusal or a question."""
        return self._batches.told_alone(guild_id)

    async def why_closed(self, guild_id: int) -> str | None:
        """Say why the server takes no jobs at all now. None if it takes them."""
        async with self._storage.read() as transaction:
            settings = await transaction.run(server_settings.of, guild_id)
        try:
            ensure_open(settings)
        except Refused as reason:
            return str(reason)
        return None

    async def ensure_possible(self, request: JobRequest) -> bool:
        """Return whether the job may also be private.

        Raises `Refused` if no job of the tool could be accepted now, with any inputs. To be asked before
        a person fills in a form for nothing; `accept_all` decides.
        """
        acceptance = await self._batches.state([request])
        acceptance.ensure_possible(request)
        return acceptance.may_be_private(request)

    def _checked(self, requests: Sequence[JobRequest]) -> Sequence[JobRequest]:
        """Return the requests as a set if there are several. Raises `Refused`."""
        for request in requests:
            self._catalog.get(request.tool)
            self._ensure_size(request.source)
        return _as_set(requests)

    def _ensure_size(self, source: SourcePhoto | None) -> None:
        if source is None or source.size <= self._max_source_bytes:
            return
        raise Refused(
            lazy(
                "That photo is {size}. The limit is {limit}. Send a smaller one, or ask the bot's operator "
                "to raise MAX_SOURCE_MB.",
                size=size_words(source.size),
                limit=size_words(self._max_source_bytes),
            )
        )


def _log_accepted(jobs: Sequence[Job]) -> None:
    for job in jobs:
        where = job.guild_id
        _log.info("Job %s is accepted: %s in server %d", job.id, job.tool, where)


def _as_set(requests: Sequence[JobRequest]) -> Sequence[JobRequest]:
    if len(requests) < 2:
        return requests
    set_id = secrets.token_hex(8)
    return [replace(request, set_id=set_id) for request in requests]
