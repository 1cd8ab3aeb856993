"""Rules about which requests and results wait for a moderator's approval, and who may approve them."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

APPROVAL_HOURS = 24  # what nobody has decided on then ends: a request unpaid, a result not posted


class Approval(StrEnum):
    """The state of the approval of a job's request or result. A job that needs none has no such state."""

    WANTED = "wanted"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """A server's rules: requests of everyone, of members with one of `roles`, or of `tools`.

    They are posted in the channel; without one, nothing waits for approval. Members with Manage Server and
    those with `approver_role` may approve; if the role is None, members with Manage Messages in that channel.
    `results`: the result of such a request waits for a second decision before it is posted.
    """

    channel_id: int | None = None
    everyone: bool = False
    roles: frozenset[int] = frozenset()
    tools: frozenset[str] = frozenset()
    approver_role: int | None = None
    results: bool = False

    @property
    def wants_results(self) -> bool:
        """Return whether results wait for a decision now."""
        return self.results and self.channel_id is not None

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
