"""Rulings of admins on jobs with an unknown outcome."""

from bot.errors import Refused
from bot.features.wording import credits_message
from bot.jobs import transitions
from bot.jobs.models import TERMINAL_STATES, UNSHOWN_STATES, Job, JobState
from bot.languages import Message, lazy
from bot.reasons import Reason, ReasonCode
from bot.services.service import Service, job_in_server

MAX_CHARGE_CREDITS = 1_000_000
CHARGE_OUT_OF_RANGE = lazy(
    "The charge must be a whole number from 0 to {most}. Nothing was settled.", most=MAX_CHARGE_CREDITS
)


class SettledBefore(Refused):
    """The job was settled before, or ended in another way, so there is nothing to settle."""


class RulingService(Service):
    """Settles or releases unknown jobs, once each."""

    async def charged(self, guild_id: int, job_id: str, amount: int) -> Job:
        """Settle the job at `amount` credits. Raises `Refused` if it was settled before."""
        if not 0 <= amount <= MAX_CHARGE_CREDITS:
            raise Refused(CHARGE_OUT_OF_RANGE)
        return await self._rule(guild_id, job_id, amount, ReasonCode.RULED_CHARGED)

    async def release(self, guild_id: int, job_id: str) -> Job:
        """Release the job, which Studii never took. Raises `Refused` if it was settled before."""
        return await self._rule(guild_id, job_id, None, ReasonCode.RULED_RELEASED)

    async def ensure_open(self, guild_id: int, job_id: str) -> Job:
        """Return the job if it is still to be ruled on. Raises `Refused` otherwise."""
        async with self._storage.read() as transaction:
            job = await job_in_server(transaction, guild_id, job_id)
        if job.state is not JobState.UNKNOWN:
            raise _refusal(job)
        return job

    async def _rule(self, guild_id: int, job_id: str, charge: int | None, code: ReasonCode) -> Job:
        async with self._changing() as transaction:
            job = await job_in_server(transaction, guild_id, job_id)
            ruled = await transaction.run(
                transitions.apply_ruling, job.id, charge, Reason(code), self._clock.now()
            )
        if ruled is None:
            raise _refusal(job)
        return ruled


def _refusal(job: Job) -> Refused:
    return (SettledBefore if job.state in TERMINAL_STATES else Refused)(_settled(job))


def _settled(job: Job) -> Message:
    if job.state in (JobState.RUNNING, JobState.SUCCEEDED, *UNSHOWN_STATES):
        return lazy("Studii's answer has arrived, so there's nothing to settle any more.")
    if job.state is not JobState.FAILED:
        return lazy("That job doesn't need to be settled.")
    if not job.settled:
        return lazy("That was already settled: nothing was charged. Nothing was changed.")
    charged = credits_message(job.settled)
    return lazy("That was already settled: charged {credits}. Nothing was changed.", credits=charged)
