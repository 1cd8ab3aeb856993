"""Approvals: which requests wait for one, and what moderators decide."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.catalog import Catalog
from bot.clock import Clock
from bot.domain import FailureCode, Job, JobState
from bot.domain.access import AccessList
from bot.domain.approvals import ApprovalRules
from bot.errors import Refused
from bot.lifecycle.transitions import approve, fail_unpaid
from bot.reasons import Reason, ReasonCode
from bot.services.budgets import budget_state
from bot.services.wording import UNKNOWN_JOB, credit_words
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage, Transaction

MAX_DECLINE_REASON_CHARACTERS = 200
OWN = "You can't decide on your own request. Ask another moderator."
NOT_APPROVER = "Only {} can decide on requests here. An admin can change this with `/studii approval`."
TOO_LATE = "That request was already approved."
OVER = "That request has already ended, so there's nothing to decide. Nothing was charged."
LOWERED = (
    "Not enough credits: the budget was lowered meanwhile, and reserved credits exceed it by {}. Raise it "
    "with `/studii budget`, or decline the request."
)
NO_CHANNEL = "Set a channel first, with `/studii approval channel:`. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Approver:
    """A member who decides."""

    user_id: int
    roles: frozenset[int]
    manages: bool
    moderates: bool


@dataclass(frozen=True, slots=True)
class ApprovalChanges:
    """Changes of the rules; None leaves one as it is. `remove`: the role and the tool are removed."""

    channel_id: int | None = None
    everyone: bool | None = None
    role_id: int | None = None
    tool: str | None = None
    approver_role: int | None = None
    remove: bool = False


class ApprovalService:
    """Changes a server's rules, and decides on requests. `wake` tells the engine to go on."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._catalog = catalog
        self._clock = clock
        self._wake = wake

    async def rules(self, guild_id: int) -> ApprovalRules:
        """Return the server's rules."""
        async with self._storage.read() as transaction:
            return (await transaction.policies.access(guild_id)).approval

    async def change(self, guild_id: int, changes: ApprovalChanges) -> ApprovalRules:
        """Change the rules. Raises `Refused` if there would be no channel."""
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            policies = transaction.policies
            if changes.channel_id is not None:
                await policies.set(guild_id, approval_channel=changes.channel_id)
            if changes.everyone is not None:
                await policies.set(guild_id, approval_everyone=changes.everyone)
            if changes.approver_role is not None:
                # The role that everyone has: back to the permission.
                role = None if changes.approver_role == guild_id else changes.approver_role
                await policies.set(guild_id, approver_role=role)
            edit = policies.list_remove if changes.remove else policies.list_add
            if changes.role_id is not None:
                await edit(guild_id, AccessList.APPROVAL_ROLE, changes.role_id)
            if changes.tool is not None:
                await edit(guild_id, AccessList.APPROVAL_TOOL, 0, self._catalog.get(changes.tool).slug)
            rules = (await policies.access(guild_id)).approval
            if rules.channel_id is None:
                raise Refused(NO_CHANNEL)
        return rules

    async def turn_off(self, guild_id: int) -> ApprovalRules:
        """Let nothing wait for approval any more. Requests that wait go on to be decided."""
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            await transaction.policies.set(
                guild_id, approval_channel=None, approval_everyone=None, approver_role=None
            )
            await transaction.policies.forget_approval_lists(guild_id)
            return (await transaction.policies.access(guild_id)).approval

    async def open_request(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """Return the job if the member may decide on it now. Raises `Refused` otherwise."""
        async with self._storage.read() as transaction:
            return await self._ensure_open(transaction, guild_id, job_id, approver)

    async def approve(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """Let the job go on. Raises `Refused` if it was decided on, or if its credits are gone."""
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            job = await self._ensure_open(transaction, guild_id, job_id, approver)
            await transaction.ledger.lock(guild_id)
            now = self._clock.now()
            budget = await budget_state(transaction, guild_id, now)
            if budget.left < 0:
                raise Refused(LOWERED.format(credit_words(-budget.left)))
            approved = await approve(transaction, job, now)
            if approved is None:
                raise Refused(OVER)
        self._wake()
        return approved

    async def decline(self, guild_id: int, job_id: str, approver: Approver, reason: str | None) -> Job:
        """End the job unpaid, with the moderator's reason. Raises `Refused` if it was decided on."""
        told = Reason(
            ReasonCode.DECLINED, {"detail": reason[:MAX_DECLINE_REASON_CHARACTERS]} if reason else {}
        )
        return await self._end(guild_id, job_id, approver, told)

    async def requester_left(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """End the job unpaid, as its requester has left the server."""
        return await self._end(guild_id, job_id, approver, Reason(ReasonCode.REQUESTER_LEFT))

    async def _end(self, guild_id: int, job_id: str, approver: Approver, reason: Reason) -> Job:
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            job = await self._ensure_open(transaction, guild_id, job_id, approver)
            now = self._clock.now()
            ended = await fail_unpaid(transaction, job, JobState.PENDING, FailureCode.DECLINED, reason, now)
            if ended is None:
                raise Refused(OVER)
        self._wake()
        return ended

    async def _ensure_open(
        self, transaction: Transaction, guild_id: int, job_id: str, approver: Approver
    ) -> Job:
        job = await transaction.jobs.get(job_id)
        if job is None or job.guild_id != guild_id:
            raise Refused(UNKNOWN_JOB)
        if job.user_id == approver.user_id:
            raise Refused(OWN)
        rules = (await transaction.policies.access(guild_id)).approval
        if not rules.may_approve(approver.roles, manages=approver.manages, moderates=approver.moderates):
            who = "members with Manage Messages" if rules.approver_role is None else "the approvers' role"
            raise Refused(NOT_APPROVER.format(who))
        if job.state is not JobState.PENDING:
            raise Refused(OVER if job.terminal and not job.settled else TOO_LATE)
        return job
