"""The credits that the limits of servers and members leave to jobs that were accepted."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain import Job, Period
from bot.domain.limits import MemberLimits, allowance
from bot.domain.periods import budget_period
from bot.servers import settings as server_settings
from bot.servers.settings import GuildSettings
from bot.storage import Transaction


@dataclass(slots=True)
class CreditsLeft:
    """The rest of a limit in a period. It is negative if the limit is exceeded."""

    left: int


class RemainingCredits:
    """The limits that jobs count against, read once for each server, member and period."""

    def __init__(self, transaction: Transaction, at: datetime) -> None:
        self._transaction = transaction
        self._at = at
        self._servers: dict[int, tuple[GuildSettings, MemberLimits]] = {}
        self._rest: dict[tuple[int, int | None, str], CreditsLeft] = {}

    async def of(self, job: Job) -> tuple[CreditsLeft | None, CreditsLeft | None]:
        """Return what the server and the member have left, each None if no limit applies to the job."""
        if job.guild_id not in self._servers:
            settings = await self._transaction.run(server_settings.of, job.guild_id)
            self._servers[job.guild_id] = settings, await self._transaction.policies.limits(job.guild_id)
        settings, limits = self._servers[job.guild_id]
        server = await self._left_for(job, settings, settings.budget.limit, None)
        # The member's roles are not known here, but that which gave them their allowance is.
        roles = () if job.allowance_role is None else (job.allowance_role,)
        theirs = allowance(limits, job.user_id, roles)
        if theirs is None:
            return server, None
        return server, await self._left_for(job, settings, theirs.credits, job.user_id)

    async def _left_for(
        self, job: Job, settings: GuildSettings, limit: int, user_id: int | None
    ) -> CreditsLeft | None:
        # A job counts in the period in which it was accepted; an older one counts in no one-off total.
        total = settings.budget.period is Period.TOTAL
        period, name = budget_period(
            settings.budget, settings.timezone, self._at if total else job.created_at
        )
        if total and period.start is not None and job.created_at < period.start:
            return None
        key = (job.guild_id, user_id, name)
        if key not in self._rest:
            usage = await self._transaction.budget_sums.usage(job.guild_id, period, user_id)
            grants = await self._transaction.budget_sums.grants(job.guild_id, name)
            self._rest[key] = CreditsLeft(usage.left_of(limit + grants.get(user_id, 0)))
        return self._rest[key]
