"""Taking a job: everything is checked, reserved and written down before anyone is answered."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.budget_watch import watch_budget
from bot.catalog import Catalog, Tool
from bot.clock import Clock
from bot.errors import Refused
from bot.model import Job, JobRequest, JobState, SourcePhoto
from bot.services.access import ensure_may
from bot.services.budgets import budget_state, ensure_room
from bot.services.prices import price_of
from bot.services.words import size_words
from bot.storage import Storage

NO_KEY = "This server has no Studii key yet. An admin can set it with /studii key."
PATIENCE = 2.0  # seconds; Discord wants its answer within 3


class JobService:
    """Accepts jobs. `wake` tells the engine that there is something to do; it does the rest."""

    def __init__(
        self,
        storage: Storage,
        catalog: Catalog,
        clock: Clock,
        wake: Callable[[], None],
        *,
        max_source_bytes: int,
    ) -> None:
        self._storage = storage
        self._catalog = catalog
        self._clock = clock
        self._wake = wake
        self._max_source_bytes = max_source_bytes

    async def accept(self, request: JobRequest) -> Job:
        """Write the job down with its credits reserved, in one step.

        Raises `Refused` with the reason and who can change it, `Busy` when the database made the
        person wait too long. Nothing is written then.
        """
        tool = self._catalog.get(request.tool)
        self._ensure_size(request.source)
        async with self._storage.write(patience=PATIENCE) as transaction:
            # First of all, so that what is read below cannot change before the reservation.
            await transaction.ledger.lock(request.guild_id)
            now = self._clock.now()
            state = await budget_state(transaction, request.guild_id, now)
            if state.settings.key_id is None:
                raise Refused(NO_KEY)
            await ensure_may(transaction, request, tool)
            price = await price_of(transaction, tool, request.inputs)
            job = _new_job(request, tool, price.amount, now, self._max_source_bytes)
            refusal = None
            try:
                ensure_room(state, price)
            except Refused as error:
                refusal = error
                await watch_budget(transaction, request.guild_id, now, refused=price.amount)
            else:
                await transaction.jobs.add(job)
                job = await transaction.ledger.reserve(job, now)
                await watch_budget(transaction, request.guild_id, now)
        if refusal is not None:
            raise refusal
        self._wake()
        return job

    async def card_shown(self, job_id: str, message_id: int, version: int) -> None:
        """The job's card is that message and shows that version (the job may have moved on since)."""
        async with self._storage.write() as transaction:
            await transaction.jobs.update(job_id, card_message_id=message_id, card_version=version)
        self._wake()

    async def get(self, job_id: str) -> Job | None:
        """The job as it stands now."""
        async with self._storage.read() as transaction:
            return await transaction.jobs.get(job_id)

    def _ensure_size(self, source: SourcePhoto | None) -> None:
        if source is None or source.size <= self._max_source_bytes:
            return
        bound = size_words(self._max_source_bytes)
        raise Refused(
            f"That photo has {size_words(source.size)}; this bot takes photos of up to {bound}. "
            "Send a smaller one, or ask whoever hosts the bot to raise MAX_SOURCE_MB.",
        )


def _new_job(request: JobRequest, tool: Tool, price: int, now: datetime, max_source_bytes: int) -> Job:
    source = request.source
    if source is not None and not source.size:
        # Discord does not say how large it is: it may be as large as any that is taken.
        source = replace(source, size=max_source_bytes)
    return Job(
        id=secrets.token_hex(8),
        guild_id=request.guild_id,
        channel_id=request.channel_id,
        user_id=request.user_id,
        tool=tool.slug,
        inputs=dict(request.inputs),
        variant=tool.variant(request.inputs),
        source=source,
        private=request.private,
        state=JobState.RECEIVED,
        version=1,
        created_at=now,
        changed_at=now,
        estimate=price,
        reserved=0,
        settled=0,
    )
