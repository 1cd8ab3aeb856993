"""Results that wait for a moderator's decision before they are posted, and those that were withheld."""

from collections.abc import Awaitable, Callable

from bot.clock import Clock
from bot.domain.approvals import ApprovalRules
from bot.errors import Refused
from bot.jobs import queries, transitions
from bot.jobs.delivery import ForModerators
from bot.jobs.models import UNSHOWN_STATES, Job, JobState
from bot.languages import lazy
from bot.media.spool import OutputFile
from bot.reasons import Reason, ReasonCode
from bot.services.moderation.approvals import Approver, declined_because, job_to_decide_on
from bot.services.service import Service
from bot.storage import Storage, Transaction

RELEASED = lazy("That result was already approved. Nothing was changed.")
WITHHELD = lazy(
    "That result isn't posted: it was declined, or no one decided in time. Moderators can still post it with "
    "`/jobs` while it's kept. Nothing was changed."
)
NO_RESULT = lazy("That job has no result to decide on.")
RESULT_NOT_KEPT = lazy("That result isn't kept any more, so there's nothing to post.")


class ReviewService(Service):
    """Decides on results. `open_file` opens a file in the spool by name."""

    def __init__(
        self, storage: Storage, clock: Clock, open_file: Callable[[str], Awaitable[OutputFile | None]]
    ) -> None:
        super().__init__(storage, clock)
        self._open_file = open_file

    async def waiting(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """Return the job if its result waits for the member's decision. Raises `Refused` otherwise."""
        async with self._storage.read() as transaction:
            return await _waiting(transaction, guild_id, job_id, approver)

    async def decides(self, guild_id: int, rules: ApprovalRules, approver: Approver) -> bool:
        """Return whether the member may decide on results here, if there are any, or will be."""
        if not rules.may_approve(approver.roles, manages=approver.manages, moderates=approver.moderates):
            return False
        if rules.wants_results:
            return True
        async with self._storage.read() as transaction:
            return bool(await transaction.run(queries.page, guild_id, None, 0, 1, states=UNSHOWN_STATES))

    async def kept(self, guild_id: int, job_id: str, approver: Approver) -> tuple[Job, ForModerators]:
        """Return a job whose result waits or was withheld, for a member who may decide on it.

        It comes with its photo and its result, as far as they are there. Raises `Refused`.
        """
        async with self._storage.read() as transaction:
            job = await _kept(transaction, guild_id, job_id, approver)
        names = (job.source_file, job.output_file)
        photo, result = [None if name is None else await self._open_file(name) for name in names]
        return job, ForModerators((job,), () if photo is None else (photo,), result)

    async def approve(self, guild_id: int, job_id: str, approver: Approver, *, left: bool) -> Job:
        """Let a result that waits be posted. Withhold it if its requester has `left` the server.

        Raises `Refused` if it was decided on.
        """
        async with self._changing() as transaction:
            job = await _waiting(transaction, guild_id, job_id, approver)
            now = self._clock.now()
            if left:
                why = Reason(ReasonCode.RESULT_REQUESTER_LEFT)
                return _decided(await transaction.run(transitions.withhold_result, job.id, why, now))
            return _decided(await transaction.run(transitions.release_result, job.id, now))

    async def decline(self, guild_id: int, job_id: str, approver: Approver, reason: str | None) -> Job:
        """Withhold a result that waits, with the reason. Raises `Refused` if it was decided on."""
        told = declined_because(ReasonCode.RESULT_DECLINED, reason)
        async with self._changing() as transaction:
            job = await _waiting(transaction, guild_id, job_id, approver)
            return _decided(
                await transaction.run(transitions.withhold_result, job.id, told, self._clock.now())
            )

    async def release(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """Post a result that was withheld after all, or that waits. Raises `Refused` if it isn't kept."""
        async with self._changing() as transaction:
            job = await _kept(transaction, guild_id, job_id, approver)
            return _decided(await transaction.run(transitions.release_result, job.id, self._clock.now()))


def _decided(job: Job | None) -> Job:
    """Return the job as it is after the decision. Raises `Refused` if there was another one before."""
    if job is None:
        raise Refused(RELEASED)
    return job


async def _waiting(transaction: Transaction, guild_id: int, job_id: str, approver: Approver) -> Job:
    job = await job_to_decide_on(transaction, guild_id, job_id, approver)
    if job.state is JobState.REVIEWING:
        return job
    if job.state is JobState.WITHHELD:
        raise Refused(WITHHELD)
    raise Refused(RELEASED if job.state is JobState.SUCCEEDED else NO_RESULT)


async def _kept(transaction: Transaction, guild_id: int, job_id: str, approver: Approver) -> Job:
    job = await job_to_decide_on(transaction, guild_id, job_id, approver)
    if job.state is JobState.SUCCEEDED:
        raise Refused(RELEASED)
    if job.state not in (JobState.REVIEWING, JobState.WITHHELD):
        raise Refused(NO_RESULT)
    if job.output_file is None:
        raise Refused(RESULT_NOT_KEPT)
    return job
