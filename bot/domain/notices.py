"""What admins are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a server's admins are told of, in its log channel."""

    BUDGET_80 = "budget_80"
    BUDGET_100 = "budget_100"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"  # Studii's credits, or the cap of the account
    UNKNOWN = "unknown"  # nobody knows whether Studii took a job
    STILL_RUNNING = "still_running"  # a job that has been running for a day
    MADE = "made"  # who made what
    PLAN_DOUBTED = "plan_doubted"  # Studii refuses requests well under the plan's limit
    LOG_LOST = "log_lost"  # the log channel is gone: for the owner


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that admins are told once: there is one of each `kind` and `key` in a server.

    `details` are what its sentence is made of, as it was when it happened.
    """

    id: int
    guild_id: int
    kind: NoticeKind
    key: str
    details: Mapping[str, str | int | None]
    created_at: datetime
    job_id: str | None = None
    posted_at: datetime | None = None  # when it was posted, or given up
    message_id: int | None = None

    @property
    def nonce(self) -> str:
        """Names its posting to Discord; at most 25 characters."""
        return f"notice-{self.id}"
