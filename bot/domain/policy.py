"""What a server's admins rule: who may use what, and how much. Plain frozen values, no I/O.

Without a rule everything is allowed, except where a default here says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERY_TOOL = "*"  # in the place of a tool's slug
NOBODY_KNOWN = 0  # in the place of a member's id


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a person counts for access and limits, and where they stand.

    `places` are the channel and what it lies in: a thread's channel, a channel's category.
    """

    roles: frozenset[int] = frozenset()
    places: frozenset[int] = frozenset()
    manages: bool = False  # Manage Server
    moderates: bool = False  # Manage Messages


class Whose(StrEnum):
    """Whose photos a person may use."""

    ANYONE = "anyone"
    OWN = "own"  # and whoever has Manage Messages, anyone's


class Permit(StrEnum):
    """Who may use something that is not for everyone everywhere."""

    EVERYONE = "everyone"
    MANAGERS = "managers"  # Manage Server
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class ToolRule:
    """The only roles that may use a tool, and the only channels; where there are none, all may."""

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Restriction:
    """Who may use a kind of option: those whom `permit` names, and the `roles` in any case."""

    permit: Permit
    roles: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AccessRules:
    """A server's rules of access. `tools` by slug; `EVERY_TOOL` names a rule that holds for all."""

    tools: Mapping[str, ToolRule] = field(default_factory=dict[str, ToolRule])
    photos: Whose = Whose.ANYONE
    portraits: Whose = Whose.OWN  # of tools that change a person's picture
    private: Restriction = field(default_factory=lambda: Restriction(Permit.EVERYONE))
    extra: Restriction = field(default_factory=lambda: Restriction(Permit.MANAGERS))
    blocked: frozenset[int] = frozenset()


class AccessList(StrEnum):
    """The lists that a server's rules consist of."""

    TOOL_ROLE = "tool_role"
    TOOL_CHANNEL = "tool_channel"
    PRIVATE_ROLE = "private_role"
    EXTRA_ROLE = "extra_role"
    BLOCKED = "blocked"


class AllowanceOf(StrEnum):
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
