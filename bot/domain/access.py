"""Access rules of a server, and the decisions that follow from them.

Without a rule everything is allowed, unless a default here says otherwise. A decision is None, or a sentence
that says why the request is denied.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.approvals import ApprovalRules
from bot.languages import Message, alternatives, lazy, nlazy, paragraph

EVERY_TOOL = "*"  # in the place of a tool's slug
UNKNOWN_MEMBER = 0  # in the place of a member's id

CHANGE = lazy("An admin can change this with `/studii access`.")
REFUSES = lazy("The person who posted that photo doesn't want others to use it. Only they can change this.")
UNKNOWN_AUTHOR = lazy(
    "It's not clear who first posted that photo, or whether they let others use "
    "it. If you have the photo, post it here yourself. Nothing was charged."
)


@dataclass(frozen=True, slots=True)
class WordPause:
    """After how many refusals by word rules within a day a member is paused (0: never), and for how long."""

    refusals: int = 5
    hours: int = 12


@dataclass(frozen=True, slots=True)
class MemberContext:
    """The facts about a member and their channel that access rules and limits depend on.

    `channels` are the channel and what it lies in: a thread's channel, a channel's category.
    """

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()
    manages: bool = False  # Manage Server
    moderates: bool = False  # Manage Messages there, or Manage Server


class PhotoScope(StrEnum):
    """Determines whose photos a person may use."""

    ANYONE = "anyone"
    OWN = "own"  # moderators: anyone's


class Permit(StrEnum):
    """The people who may use an option."""

    EVERYONE = "everyone"
    MANAGERS = "managers"  # Manage Server
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class ToolRule:
    """The roles that may use a tool, and the channels where. An empty set means no restriction."""

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Restriction:
    """The people who may use an option: those that `permit` names, and members with one of `roles`."""

    permit: Permit
    roles: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Block:
    """Keeps a member from starting jobs until a time, or until an admin ends it if that is None.

    `automatic`: refusals by word rules caused it, and no admin gave a reason.
    """

    reason: str | None = None
    until: datetime | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class AccessRules:
    """A server's access rules. `tools` are by slug; the rule of `EVERY_TOOL` applies to all tools."""

    tools: Mapping[str, ToolRule] = field(default_factory=dict[str, ToolRule])
    photos: PhotoScope = PhotoScope.ANYONE
    portraits: PhotoScope = PhotoScope.OWN  # of tools that change a person's picture
    private: Restriction = field(default_factory=lambda: Restriction(Permit.EVERYONE))
    extra: Restriction = field(default_factory=lambda: Restriction(Permit.MANAGERS))
    blocked: Mapping[int, Block] = field(default_factory=dict[int, Block])
    approval: ApprovalRules = field(default_factory=ApprovalRules)

    def block_of(self, user_id: int, at: datetime) -> Block | None:
        """Return the member's block, or None if there is none any more."""
        block = self.blocked.get(user_id)
        return None if block is None or (block.until is not None and block.until <= at) else block


class AccessList(StrEnum):
    """The lists of roles, channels and members in a server's access rules."""

    TOOL_ROLE = "tool_role"
    TOOL_CHANNEL = "tool_channel"
    PRIVATE_ROLE = "private_role"
    EXTRA_ROLE = "extra_role"
    APPROVAL_ROLE = "approval_role"
    APPROVAL_TOOL = "approval_tool"


NO_RULE = ToolRule()
_LISTED = 5  # roles or channels that a sentence names
_WITHOUT = lazy("Try again without it.")


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A member's wish to run a tool.

    `photo_author` is the id of the member who posted the photo, if that may be another one, and
    `UNKNOWN_MEMBER` if it can't be determined.
    """

    user_id: int
    tool: str
    title: str  # of the tool
    portrait: bool  # the tool changes a person's picture
    photo_author: int | None
    private: bool
    extra: bool

    @property
    def of_another(self) -> bool:
        return self.photo_author is not None and self.photo_author != self.user_id


def denial(
    rules: AccessRules, context: MemberContext, request: AccessRequest, *, author_refuses: bool
) -> Message | None:
    """Return why the server's rules or the photo's author deny the request, or None if they don't.

    Blocks are another matter: see `AccessRules.block_of`.
    """
    return (
        _tool(rules, context, request)
        or _photo(rules, context, request, author_refuses=author_refuses)
        or (private_denial(rules, context) if request.private else None)
        or (_option(rules.extra, context, "extra") if request.extra else None)
    )


def private_denial(rules: AccessRules, context: MemberContext) -> Message | None:
    """Return why a job of the member can't be private, or None if it can."""
    return _option(rules.private, context, "private")


def open_in(rules: AccessRules, tool: str, channels: frozenset[int]) -> bool:
    """Return whether anybody may use the tool there. `channels` is as in `MemberContext`."""
    both = (rules.tools.get(slug, NO_RULE) for slug in (EVERY_TOOL, tool))
    return all(not rule.channels or rule.channels & channels for rule in both)


def _tool(rules: AccessRules, context: MemberContext, request: AccessRequest) -> Message | None:
    # Untranslated: a name
    for slug, name in ((EVERY_TOOL, "Studii"), (request.tool, request.title)):
        rule = rules.tools.get(slug, NO_RULE)
        if rule.roles and not rule.roles & context.roles:
            roles = _listed("<@&{}>", rule.roles)
            return paragraph(
                lazy("{tool} is only for {roles} in this server.", tool=name, roles=roles), CHANGE
            )
        if rule.channels and not rule.channels & context.channels:
            channels = _listed("<#{}>", rule.channels)
            return paragraph(lazy("{tool} only works in {channels}.", tool=name, channels=channels), CHANGE)
    return None


def _photo(
    rules: AccessRules, context: MemberContext, request: AccessRequest, *, author_refuses: bool
) -> Message | None:
    if not request.of_another:
        return None
    if request.photo_author == UNKNOWN_MEMBER:
        return UNKNOWN_AUTHOR  # the author may be one who refuses
    if author_refuses:
        return REFUSES
    whose = rules.portraits if request.portrait else rules.photos
    if whose is PhotoScope.ANYONE or context.moderates:
        return None
    only = lazy(
        "In this server you can only use {tool} on your own photos. Someone else posted that one.",
        tool=request.title,
    )
    return paragraph(only, CHANGE)


def _option(restriction: Restriction, context: MemberContext, name: str) -> Message | None:
    managers = restriction.permit is Permit.MANAGERS
    if restriction.permit is Permit.EVERYONE or (managers and context.manages):
        return None
    if restriction.roles & context.roles:
        return None
    if managers and restriction.roles:
        only = nlazy(
            "{option} is only for members with Manage Server or the role {roles}.",
            "{option} is only for members with Manage Server or one of the roles {roles}.",
            len(restriction.roles),
        )
    elif managers:
        only = lazy("{option} is only for members with Manage Server.")
    elif restriction.roles:
        only = lazy("{option} is only for {roles}.")
    else:
        only = lazy("{option} is turned off in this server.")
    roles = _listed("<@&{}>", restriction.roles)
    return paragraph(only.using(option=f"`{name}`", roles=roles), _WITHOUT, CHANGE)


def _listed(form: str, ids: frozenset[int]) -> Message:
    shown: list[object] = [form.format(one) for one in sorted(ids)[:_LISTED]]
    if len(ids) > _LISTED:
        shown.append(nlazy("{count} more", "{count} more", len(ids) - _LISTED))
    return alternatives(shown)
