"""What one member may do: which allowance counts, and when the next start is due."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.policy import AllowanceOf, MemberLimits, StartRate


@dataclass(frozen=True, slots=True)
class Allowance:
    """Credits in each period of the server's budget, and where the figure comes from (a role: `role_id`)."""

    credits: int
    whose: AllowanceOf
    role_id: int | None = None


def allowance(limits: MemberLimits, user_id: int, roles: Collection[int]) -> Allowance | None:
    """The member's own, else the highest of their roles', else everyone's; None: no limit of their own."""
    if user_id in limits.own:
        return Allowance(limits.own[user_id], AllowanceOf.MEMBER)
    of_roles = [role for role in roles if role in limits.roles]
    if of_roles:
        highest = max(of_roles, key=lambda role: (limits.roles[role], role))
        return Allowance(limits.roles[highest], AllowanceOf.ROLE, highest)
    return None if limits.default is None else Allowance(limits.default, AllowanceOf.MEMBERS)


def counted_since(rate: StartRate, now: datetime) -> datetime:
    """Starts after that moment count; it never lies in the future, wherever the clock has jumped."""
    return now - timedelta(seconds=rate.seconds)


def next_start(rate: StartRate, starts: Sequence[datetime], now: datetime) -> datetime | None:
    """When the member may start again; None: now. `starts` are those that count, oldest first."""
    if rate.starts <= 0:
        return now + timedelta(seconds=rate.seconds)
    if len(starts) < rate.starts:
        return None
    return starts[-rate.starts] + timedelta(seconds=rate.seconds)
