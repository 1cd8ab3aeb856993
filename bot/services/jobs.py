"""Taking a job: everything is checked, reserved and written down before anyone is answered."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.catalog import Catalog, Tool
from bot.clock import Clock
from bot.domain import (
    UNSENT_STATES,
    GuildSettings,
    Job,
    JobRequest,
    JobState,
    SourcePhoto,
    StudiiKey,
)
from bot.domain.access import MemberContext
from bot.domain.prices import Estimate
from bot.errors import CreditsShort, Refused
from bot.lifecycle import key_holds
from bot.lifecycle.budget_alerts import tell_of_budget
from bot.lifecycle.prices import expected_cost
from bot.lifecycle.transitions import accept, cancel
from bot.reasons import Reason
from bot.services.access import ensure_may
from bot.services.budgets import BudgetState, budget_state, ensure_room
from bot.services.limits import ensure_member_may
from bot.services.prices import least_of, least_price
from bot.services.wording import size_words
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage, Transaction

NO_KEY = "This server has no Studii key yet. An admin can set one with `/studii key`."
UNKNOWN_JOB = "That job is unknown here."
NOT_YOURS_TO_CANCEL = (
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can cancel it."
)
NOT_YOURS_TO_POST = "Only the person who asked for this can post it."
POSTED_OR_GONE = "That result was already posted, or has been deleted. Run it again to get a new one."
TOO_LATE = "Studii already has this job, so you can't cancel it. The result will arrive automatically."
ENDED = "That job has already ended, so there's nothing to cancel."
CANCELLABLE = frozenset(UNSENT_STATES)
_GOING = CANCELLABLE | {JobState.SUBMITTING, JobState.RUNNING}
PAGE = 6  # jobs
PAUSED = (
    "New jobs are paused in this server. Jobs already started will finish. An admin can "
    "resume with `/studii resume`."
)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs of a server, or of one member in it (`user_id`), newest first; pages count from 0."""

    jobs: tuple[Job, ...]
    number: int
    user_id: int | None
    more: bool


class Repeated(Refused):
    """This is being done, or has been done."""

    default = "That's already running, or done."


class KeyHeld(Refused):
    """Studii does not serve the server's key, for that `reason`; it is tried again at `until`."""

    default = "Studii isn't accepting this server's key right now."

    def __init__(self, reason: Reason, until: datetime) -> None:
        super().__init__()
        self.reason = reason
        self.until = until


class KeyOutOfCredits(KeyHeld, CreditsShort):
    """The account of the server's key has no credits left."""


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
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            # First of all, so that what is read below cannot change before the reservation.
            await transaction.ledger.lock(request.guild_id)
            now = self._clock.now()
            state = await budget_state(transaction, request.guild_id, now)
            key = await _key_of(transaction, state.settings)
            await ensure_may(transaction, request, tool)
            if request.once is not None and await transaction.jobs.going_or_done(request.once) is not None:
                raise Repeated
            await _ensure_not_held(transaction, key, now)
            variant = tool.variant(request.inputs)
            price = await expected_cost(transaction, key.lane, tool, request.inputs, variant)
            job = _new_job(request, tool, price, now, self._max_source_bytes)
            refusal = None
            try:
                ensure_room(state, price)
            except Refused as error:
                refusal = error
                least = await least_price(transaction, self._catalog, key.lane)
                await _tell_of_budget(transaction, state, now, least=least)
            else:
                member = await ensure_member_may(transaction, request, state, price, now)
                if member.allowance is not None:
                    job = replace(job, allowance_role=member.allowance.role_id)
                job = await accept(transaction, job, now)
                await _tell_of_budget(transaction, state, now, more=price.amount)
        if refusal is not None:
            raise refusal
        self._wake()
        return job

    async def why_closed(self, guild_id: int) -> str | None:
        """Why the server takes no jobs at all now, if that is so."""
        async with self._storage.read() as transaction:
            settings = await transaction.guilds.get(guild_id)
        try:
            _ensure_open(settings)
        except Refused as reason:
            return str(reason)
        return None

    async def ensure_possible(self, guild_id: int, user_id: int, context: MemberContext, tool: Tool) -> None:
        """Raises `Refused` if no job of this tool could be taken now, whatever its inputs.

        To be asked before a person fills in a form for nothing; `accept` decides.
        """
        async with self._storage.read() as transaction:
            now = self._clock.now()
            state = await budget_state(transaction, guild_id, now)
            key = await _key_of(transaction, state.settings)
            await _ensure_not_held(transaction, key, now)
            least = await least_of(transaction, tool, key.lane)
            ensure_room(state, least)
            request = JobRequest(guild_id, 0, user_id, tool.slug, {}, context=context)
            await ensure_member_may(transaction, request, state, least, now)

    async def going_under_photos(self) -> list[Job]:
        """Jobs that no interaction started, but a photo in a channel, and that have not ended."""
        async with self._storage.read() as transaction:
            going = await transaction.jobs.in_states(_GOING)
        return [job for job in going if job.origin_message_id is not None]

    async def card_shown(self, job_id: str, message_id: int, version: int) -> None:
        """The job's card is that message and shows that version (the job may have moved on since)."""
        async with self._storage.write() as transaction:
            await transaction.jobs.update(job_id, card_message_id=message_id, card_version=version)
        self._wake()

    async def get(self, job_id: str) -> Job | None:
        """The job as it stands now."""
        async with self._storage.read() as transaction:
            return await transaction.jobs.get(job_id)

    async def cancel(self, job_id: str, guild_id: int, user_id: int, *, moderates: bool = False) -> Job:
        """Cancel a job of the server that has not gone to Studii yet, and release its credits.

        Its requester may, and people who moderate. A cancelled job is returned as it is. Raises `Refused`
        with the reason.
        """
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            job = await transaction.jobs.get(job_id)
            if job is None or job.guild_id != guild_id:
                raise Refused(UNKNOWN_JOB)
            if job.user_id != user_id and not moderates:
                raise Refused(NOT_YOURS_TO_CANCEL)
            if job.state is JobState.CANCELLED:
                return job
            # Those who cancel their own job know it; others are told.
            cancelled = await cancel(transaction, job, self._clock.now(), told=job.user_id == user_id)
            if cancelled is None:
                raise Refused(_why_not_cancelled(job.state))
        self._wake()
        return cancelled

    async def page(self, guild_id: int, user_id: int | None, number: int) -> JobPage:
        """A page of a member's jobs, or of all the server's (None), newest first; pages count from 0."""
        number = max(0, number)
        async with self._storage.read() as transaction:
            jobs = await transaction.jobs.page(guild_id, user_id, number * PAGE, PAGE + 1)
        return JobPage(tuple(jobs[:PAGE]), number, user_id, more=len(jobs) > PAGE)

    async def post_here(self, job_id: str, user_id: int, channel_id: int, card: int | None = None) -> Job:
        """Post the result of one's own job, which could not be posted, in that channel.

        `card` is the message there that stands for the job from now on, if there is a new one.

        Raises `Refused` when it is not kept (any more), or somebody else's.
        """
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            job = await transaction.jobs.get(job_id)
            if job is None:
                raise Refused(UNKNOWN_JOB)
            if job.user_id != user_id:
                raise Refused(NOT_YOURS_TO_POST)
            posted = await transaction.jobs.repost(job_id, channel_id, self._clock.now())
            if posted is None:
                raise Refused(POSTED_OR_GONE)
            if card is not None:
                await transaction.jobs.update(job_id, card_message_id=card, card_version=posted.version)
        self._wake()
        return posted

    def _ensure_size(self, source: SourcePhoto | None) -> None:
        if source is None or source.size <= self._max_source_bytes:
            return
        bound = size_words(self._max_source_bytes)
        raise Refused(
            f"That photo has {size_words(source.size)}. The limit is {bound}. Send a smaller one, or "
            "ask the bot's operator to raise MAX_SOURCE_MB.",
        )


async def _tell_of_budget(
    transaction: Transaction, state: BudgetState, now: datetime, *, more: int = 0, least: int | None = None
) -> None:
    """Nobody else spends meanwhile, so nothing is asked again: `more` was reserved since, if anything was."""
    limit, spent = state.whole, state.usage.spent + more
    await tell_of_budget(
        transaction, state.settings, state.window, now, limit=limit, spent=spent, least=least
    )


def _ensure_open(settings: GuildSettings) -> int:
    """The server's key. Raises `Refused` while it takes no jobs, whoever asks."""
    if settings.key_id is None:
        raise Refused(NO_KEY)
    if settings.paused:
        raise Refused(PAUSED)
    return settings.key_id


async def _key_of(transaction: Transaction, settings: GuildSettings) -> StudiiKey:
    """The server's key. Raises `Refused` while the server takes no jobs."""
    key = await transaction.keys.get(_ensure_open(settings))
    if key is None:
        raise Refused(NO_KEY)
    return key


def _why_not_cancelled(state: JobState) -> str:
    return TOO_LATE if state in {JobState.SUBMITTING, JobState.RUNNING} else ENDED


async def _ensure_not_held(transaction: Transaction, key: StudiiKey, now: datetime) -> None:
    """Raises `Refused` while it is known that Studii would not take the job; the first after that tries."""
    hold = await key_holds.find(transaction, key)
    if hold is None or hold.until <= now:
        return
    refusal = KeyOutOfCredits if key_holds.waits_for_credits(hold) else KeyHeld
    raise refusal(hold.reason, hold.until)


def _new_job(request: JobRequest, tool: Tool, price: Estimate, now: datetime, max_source_bytes: int) -> Job:
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
        estimate=price.amount,
        price_learned=price.learned,
        reserved=0,
        settled=0,
        photo_author=request.photo_author,
        origin_message_id=request.origin_message_id,
        once=request.once,
        tapped=request.tapped,
        age_restricted=request.age_restricted,
    )
