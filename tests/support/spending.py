"""Actions of admins and members with credits, on the resources of a test."""

from collections.abc import Collection
from typing import Any

from bot.credits import budgets, limits
from bot.credits.budgets import BudgetState
from bot.credits.limits import MemberState
from bot.resources import Resources
from bot.servers import settings
from bot.servers.settings import Period


async def budget(resources: Resources, guild_id: int) -> BudgetState:
    return await resources.db.read(budgets.state, guild_id, resources.clock.now())


async def set_budget(
    resources: Resources,
    guild_id: int,
    limit: int | None,
    period: Period | None,
    timezone: str | None = None,
    **more: Any,
) -> BudgetState:
    at = resources.clock.now()
    return await resources.db.write(budgets.set_budget, guild_id, limit, period, timezone, at=at, **more)


async def set_limits(resources: Resources, guild_id: int, **changes: Any) -> None:
    """Set an allowance (whose, subject, credits), the jobs `at_once`, or the `rate` of starts."""
    if "allowance" in changes:
        await resources.db.write(limits.set_allowance, guild_id, *changes["allowance"])
    if "at_once" in changes:
        await resources.db.write(settings.change, guild_id, jobs_at_once=changes["at_once"])
    if rate := changes.get("rate"):
        await resources.db.write(settings.change, guild_id, starts=rate.starts, starts_seconds=rate.seconds)


async def of_member(
    resources: Resources, guild_id: int, user_id: int, roles: Collection[int] = ()
) -> MemberState:
    return await resources.db.read(limits.of_member, guild_id, user_id, roles, resources.clock.now())


async def grant(resources: Resources, guild_id: int, user_id: int | None, credits_: int) -> None:
    await resources.db.write(limits.grant, guild_id, user_id, credits_, resources.clock.now())


async def grants(resources: Resources, guild_id: int) -> dict[int, int]:
    """What was granted to members for the present period."""
    return (await resources.db.read(limits.grants, guild_id, resources.clock.now()))[1]
