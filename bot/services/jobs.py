"""Read, list, cancel and post accepted jobs."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bot.aio.batching import Batcher
from bot.clock import Clock
from bot.credits import ledger
from bot.errors import Refused
from bot.jobs import cards, queries, transitions
from bot.jobs.cards import CardShown
from bot.jobs.models import ACTIVE_STATES, Job, JobState
from bot.jobs.queries import UNKNOWN_JOB
from bot.languages import Message, lazy
from bot.services.service import Service, job_in_server
from bot.storage import Storage

_log = logging.getLogger(__name__)

NOT_YOURS_TO_CANCEL = lazy(
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can cancel it."
)
NOT_YOURS_TO_POST = lazy("Only the person who asked for this can post it.")
POSTED_OR_GONE = lazy("That result was already posted, or has been deleted. Run it again to get a new one.")
ALREADY_SUBMITTED = lazy(
    "Studii already has this job, so you can't cancel it. The result will arrive automatically."
)
FINISHED = lazy("Studii has already made this, so you can't cancel it. The result waits for a moderator.")
ENDED = lazy("That job has already ended, so there's nothing to cancel.")
# With their pictures, buttons and filters they fit into the 40 components of a message.
JOBS_ON_A_PAGE = 5
NOTED_AT_ONCE = 500


class CancelNoted(Refused):
    """The job is being sent to Studii: it is cancelled if that doesn't go through."""

    default = lazy(
        "This job is being sent to Studii right now. If Studii doesn't take it, it will be cancelled and "
        "cost nothing. If Studii takes it, the result will arrive."
    )


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs of a server, or of one member in it, newest first. `more`: there are older ones."""

    jobs: tuple[Job, ...]
    more: bool


class JobService(Service):
    """Reads, lists, cancels and posts the jobs that `Acceptor` has accepted."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._noting = Batcher("noting cards", self._note_cards, max_group=NOTED_AT_ONCE)

    async def going_under_photos(self) -> list[Job]:
        """Return the jobs that have not ended and that a photo in a channel started, not an interaction."""
        async with self._storage.read() as transaction:
            going = await transaction.run(queries.in_states, ACTIVE_STATES)
        return [job for job in going if job.origin_message_id is not None]

    async def card_shown(self, job_id: str, message_id: int, version: int) -> None:
        """Note that the job's card is that message and shows that version (the job may have moved on
        since)."""
        await self._noting.ask(CardShown(job_id, message_id, version))

    async def _note_cards(self, take: Callable[[], Sequence[CardShown]]) -> list[None]:
        async with self._storage.write() as transaction:
            shown = take()
            await transaction.run(cards.note_shown, shown)
        return [None] * len(shown)

    async def get(self, job_id: str) -> Job | None:
        """Return the job in its current state."""
        async with self._storage.read() as transaction:
            return await transaction.run(queries.get, job_id)

    async def cancel(self, job_id: str, guild_id: int, user_id: int, *, moderates: bool = False) -> Job:
        """Cancel a job of the server that has not gone to Studii yet, and release its credits.

        Its requester may, and people who moderate. A cancelled job is returned as it is. Raises `Refused`
        with the reason, and `CancelNoted` if that depends on Studii now.
        """
        async with self._changing() as transaction:
            job = await job_in_server(transaction, guild_id, job_id)
            if job.user_id != user_id and not moderates:
                raise Refused(NOT_YOURS_TO_CANCEL)
            if job.state is JobState.CANCELLED:
                return job
            told = job.user_id == user_id  # those who cancel their own job know it; others are told
            cancelled = await transaction.run(transitions.cancel, job.id, self._clock.now(), told=told)
            noted = cancelled or await transaction.run(
                transitions.change, job.id, JobState.SUBMITTING, visible=True, cancel_told=told
            )
            if noted is None:
                raise Refused(_why_not_cancelled(job.state))
        if cancelled is None:
            raise CancelNoted
        _log.info("Job %s is cancelled", job_id)
        return cancelled

    async def asked_once(self, guild_id: int, user_id: int, once: str) -> list[Job]:
        """Return the member's job with that `once` key, with all of its set if it is in one; none if there is
        no such job."""
        async with self._storage.read() as transaction:
            return await transaction.run(queries.asked_once, guild_id, user_id, once)

    async def of_set(self, set_id: str, guild_id: int) -> list[Job]:
        """Return the jobs of a set of the server, in the order in which they were asked for."""
        async with self._storage.read() as transaction:
            return [job for job in await transaction.run(queries.of_set, set_id) if job.guild_id == guild_id]

    async def number_in_set(self, job: Job) -> int:
        """Return the place of the job's photo in its set, from 1; 0 if it is of no set."""
        jobs = await self.of_set(job.set_id, job.guild_id) if job.set_id is not None else []
        return next((number for number, one in enumerate(jobs, 1) if one.id == job.id), 0)

    async def cancel_set(self, set_id: str, guild_id: int, user_id: int, *, moderates: bool) -> int:
        """Cancel those jobs of a set that have not gone to Studii yet, and return how many. Its card says so.

        Its requester may, and people who moderate. Raises `Refused` with the reason.
        """
        async with self._changing() as transaction:
            await transaction.run(ledger.lock, guild_id)
            jobs = [job for job in await transaction.run(queries.of_set, set_id) if job.guild_id == guild_id]
            if not jobs:
                raise Refused(UNKNOWN_JOB)
            if any(job.user_id != user_id for job in jobs) and not moderates:
                raise Refused(NOT_YOURS_TO_CANCEL)
            now = self._clock.now()
            cancelled = [await transaction.run(transitions.cancel, job.id, now, told=True) for job in jobs]
        return sum(job is not None for job in cancelled)

    async def page(
        self,
        guild_id: int,
        user_id: int | None,
        number: int,
        states: Collection[JobState] | None = None,
        tool: str | None = None,
    ) -> JobPage:
        """Return a page of a member's jobs, or of all the server's (None), newest first.

        Pages count from 0. Only jobs in these states and of this tool, if given, are on it.
        """
        number = max(0, number)
        async with self._storage.read() as transaction:
            jobs = await transaction.run(
                queries.page,
                guild_id,
                user_id,
                number * JOBS_ON_A_PAGE,
                JOBS_ON_A_PAGE + 1,
                states=states,
                tool=tool,
            )
        return JobPage(tuple(jobs[:JOBS_ON_A_PAGE]), more=len(jobs) > JOBS_ON_A_PAGE)

    async def post_here(self, job_id: str, user_id: int, channel_id: int, card: int | None = None) -> Job:
        """Post the result of one's own job, which could not be posted, in that channel.

        `card` is the message there that stands for the job from now on, if there is a new one.

        Raises `Refused` if it is not kept (any more), or is another member's.
        """
        async with self._changing() as transaction:
            job = await transaction.run(queries.get, job_id)
            if job is None:
                raise Refused(UNKNOWN_JOB)
            if job.user_id != user_id:
                raise Refused(NOT_YOURS_TO_POST)
            posted = await transaction.run(transitions.repost, job_id, channel_id, self._clock.now())
            if posted is None:
                raise Refused(POSTED_OR_GONE)
            if card is not None:
                await transaction.run(
                    transitions.change, job_id, card_message_id=card, card_version=posted.version
                )
        return posted


def _why_not_cancelled(state: JobState) -> Message:
    if state is JobState.REVIEWING:
        return FINISHED
    return ALREADY_SUBMITTED if state in {JobState.SUBMITTING, JobState.RUNNING} else ENDED
