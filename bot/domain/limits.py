"""Limits of members: how many credits they may spend, and how often they may start jobs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class AllowanceScope(StrEnum):
    """The people that an allowance is for."""

    MEMBERS = "members"  # everyone without another one
    ROLE = "role"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class WordPause:
    """After how many refusals by word rules within a day a member is paused (0: never), and for how long."""

    refusals: int = 5
    hours: int = 12


@dataclass(frozen=True, slots=True)
class StartRate:
    """A member may start at most `starts` jobs within `seconds`."""

    starts: int
    seconds: int


@dataclass(frozen=True, slots=True)
class MemberLimits:
    """The limits of a server's members. None means no limit.

    Allowances are in credits per period of the server's budget: `default` for everyone, `roles` by role id,
    `own` by member id. `at_once` is the number of unfinished jobs.
    """

    default: int | None = None
    roles: Mapping[int, int] = field(default_factory=dict[int, int])
    own: Mapping[int, int] = field(default_factory=dict[int, int])
    at_once: int | None = None
    rate: StartRate | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Credits per period of the server's budget, and the setting that they come from."""

    credits: int
    whose: AllowanceScope
    role_id: int | None = None


def allowance(limits: MemberLimits, user_id: int, roles: Collection[int]) -> Allowance | None:
    """Return the member's own allowance, else the highest of their roles, else everyone's.

    None means that only the server's budget applies.
    """
    if user_id in limits.own:
        return Allowance(limits.own[user_id], AllowanceScope.MEMBER)
    of_roles = [role for role in roles if role in limits.roles]
    if of_roles:
        highest = max(of_roles, key=lambda role: (limits.roles[role], role))
        return Allowance(limits.roles[highest], AllowanceScope.ROLE, highest)
    return None if limits.default is None else Allowance(limits.default, AllowanceScope.MEMBERS)


def counted_since(rate: StartRate, now: datetime) -> datetime:
    """Return the time after which starts count. It is never in the future, even if the clock jumped."""
    return now - timedelta(seconds=rate.seconds)


def next_start(rate: StartRate, starts: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the member may start again, None for now. `starts` are those that count, oldest first."""
    if rate.starts <= 0:
        return now + timedelta(seconds=rate.seconds)
    if len(starts) < rate.starts:
        return None
    return starts[-rate.starts] + timedelta(seconds=rate.seconds)
