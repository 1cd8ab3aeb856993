"""Actions of admins and members with credits, on the services of a test."""

from collections.abc import Collection
from typing import Any

from bot.credits import budgets, limits
from bot.credits.budgets import BudgetState
from bot.credits.limits import MemberState
from bot.servers import settings
from bot.servers.settings import Period
from bot.services import Services


async def budget(services: Services, guild_id: int) -> BudgetState:
    return await services.db.read(budgets.state, guild_id, services.clock.now())


async def set_budget(
    services: Services,
    guild_id: int,
    limit: int | None,
    period: Period | None,
    timezone: str | None = None,
    **more: Any,
) -> BudgetState:
    at = services.clock.now()
    return await services.db.write(budgets.set_budget, guild_id, limit, period, timezone, at=at, **more)


async def set_limits(services: Services, guild_id: int, **changes: Any) -> None:
    """Set an allowance (whose, subject, credits), the jobs `at_once`, or the `rate` of starts."""
    if "allowance" in changes:
        await services.db.write(limits.set_allowance, guild_id, *changes["allowance"])
    if "at_once" in changes:
        await services.db.write(settings.change, guild_id, jobs_at_once=changes["at_once"])
    if rate := changes.get("rate"):
        await services.db.write(settings.change, guild_id, starts=rate.starts, starts_seconds=rate.seconds)


async def of_member(
    services: Services, guild_id: int, user_id: int, roles: Collection[int] = ()
) -> MemberState:
    return await services.db.read(limits.of_member, guild_id, user_id, roles, services.clock.now())


async def grant(services: Services, guild_id: int, user_id: int | None, credits_: int) -> None:
    await services.db.write(limits.grant, guild_id, user_id, credits_, services.clock.now())


async def grants(services: Services, guild_id: int) -> dict[int, int]:
    """What was granted to members for the present period."""
    return (await services.db.read(limits.grants, guild_id, services.clock.now()))[1]
