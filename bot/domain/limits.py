"""How much each member may spend and start: the limits that admins set, and the decisions from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class AllowanceScope(StrEnum):
    """Whose allowance it is."""

    MEMBERS = "members"  # of everyone who has no other
    ROLE = "role"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class StartRate:
    """How often a member may start a job: so many within so many seconds."""

    starts: int
    seconds: int


@dataclass(frozen=True, slots=True)
class MemberLimits:
    """What each member may do in a server. None: no limit of that kind.

    Allowances are in credits, and renew with the server's budget.
    """

    default: int | None = None
    roles: Mapping[int, int] = field(default_factory=dict[int, int])
    own: Mapping[int, int] = field(default_factory=dict[int, int])
    at_once: int | None = None
    rate: StartRate | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Credits in each period of the server's budget, and where the figure comes from (a role: `role_id`)."""

    credits: int
    whose: AllowanceScope
    role_id: int | None = None


def allowance(limits: MemberLimits, user_id: int, roles: Collection[int]) -> Allowance | None:
    """The member's own, else the highest of their roles', else everyone's; None: no limit of their own."""
    if user_id in limits.own:
        return Allowance(limits.own[user_id], AllowanceScope.MEMBER)
    of_roles = [role for role in roles if role in limits.roles]
    if of_roles:
        highest = max(of_roles, key=lambda role: (limits.roles[role], role))
        return Allowance(limits.roles[highest], AllowanceScope.ROLE, highest)
    return None if limits.default is None else Allowance(limits.default, AllowanceScope.MEMBERS)


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
