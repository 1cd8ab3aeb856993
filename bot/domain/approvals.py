"""Rules about which requests wait for a moderator's approval, and who may approve them."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

APPROVAL_HOURS = 24  # a request that nobody has decided on then ends unpaid


class Approval(StrEnum):
    """What a job's approval has come to. A job that needs none has none of these."""

    WANTED = "wanted"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """A server's rules: requests of everyone, of members with one of `roles`, or of `tools`.

    They are posted in the channel; without one, nothing waits for approval. `approver_role` names who may
    approve, beside members with Manage Server; None: members with Manage Messages in that channel.
    """

    channel_id: int | None = None
    everyone: bool = False
    roles: frozenset[int] = frozenset()
    tools: frozenset[str] = frozenset()
    approver_role: int | None = None

    def wants(self, tool: str, roles: Collection[int], *, manages: bool) -> bool:
        """Return whether a request has to be approved. Those of members with Manage Server have not."""
        if self.channel_id is None or manages:
            return False
        return self.everyone or tool in self.tools or not self.roles.isdisjoint(roles)

    def may_approve(self, roles: Collection[int], *, manages: bool, moderates: bool) -> bool:
        """Return whether a member may approve requests of others."""
        if manages:
            return True
        return moderates if self.approver_role is None else self.approver_role in roles
