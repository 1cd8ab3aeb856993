"""Notices: what admins, owners and members are sent without having asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto


class Addressee(Enum):
    """The recipient of a notice."""

    LOG = auto()  # the log channel; without one, no one
    LOG_OR_OWNER = auto()  # the log channel; without one, the server's owner by DM, as an admin has to act
    OWNER = auto()  # the server's owner, by DM
    MEMBER = auto()  # the member whose id is `user` in the notice's details, by DM
    APPROVERS = auto()  # the channel for approvals


class NoticeKind(StrEnum):
    """The kinds of notices. Each has its `addressee`."""

    BUDGET_80 = "budget_80"
    BUDGET_100 = "budget_100"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"  # of the account, or its spend cap is reached
    UNKNOWN = "unknown"  # a job's outcome is unknown
    STILL_RUNNING = "still_running"  # a job has been running for a day
    RESULT_LOST = "result_lost"  # paid for, and neither the bot nor Studii's address has it
    MADE = "made"  # a result, where these are logged
    PLAN_DOUBTED = "plan_doubted"  # Studii refuses requests well below the plan's limit
    WORDS = "words"  # a word rule refused what a member asked for
    APPROVAL = "approval"  # a request waits for approval
    REVIEW = "review"  # a result waits for approval
    DECIDED = "decided"  # there is nothing to decide any more: one of these two is reduced to that
    CREDITS_ASKED = "credits_asked"  # a member asks for more credits; it can be posted where they ask
    CREDITS_ANSWER = "credits_answer"  # what became of that
    BLOCKED = "blocked"  # an admin has blocked a member
    BEST_LOST = "best_lost"  # the channel for the best results is gone
    LOG_LOST = "log_lost"  # the log channel is gone

    @property
    def addressee(self) -> Addressee:
        """Return who gets a notice of this kind."""
        return _ADDRESSEES[self]


_ADDRESSEES = {
    NoticeKind.BUDGET_80: Addressee.LOG,
    NoticeKind.BUDGET_100: Addressee.LOG,
    NoticeKind.KEY_REFUSED: Addressee.LOG_OR_OWNER,
    NoticeKind.OUT_OF_CREDITS: Addressee.LOG_OR_OWNER,
    NoticeKind.UNKNOWN: Addressee.LOG_OR_OWNER,
    NoticeKind.STILL_RUNNING: Addressee.LOG_OR_OWNER,
    NoticeKind.RESULT_LOST: Addressee.LOG_OR_OWNER,
    NoticeKind.MADE: Addressee.LOG,
    NoticeKind.PLAN_DOUBTED: Addressee.LOG_OR_OWNER,
    NoticeKind.WORDS: Addressee.LOG,
    NoticeKind.APPROVAL: Addressee.APPROVERS,
    NoticeKind.REVIEW: Addressee.APPROVERS,
    NoticeKind.DECIDED: Addressee.APPROVERS,
    NoticeKind.CREDITS_ASKED: Addressee.LOG_OR_OWNER,
    NoticeKind.CREDITS_ANSWER: Addressee.MEMBER,
    NoticeKind.BLOCKED: Addressee.MEMBER,
    NoticeKind.BEST_LOST: Addressee.LOG_OR_OWNER,
    NoticeKind.LOG_LOST: Addressee.OWNER,
}
CHANNEL = "channel"  # in the details of a notice whose message is changed later: where it is
# Notices that quote a person: the quotation is erased once they are posted. Their keys begin with the member.
QUOTING = frozenset({NoticeKind.WORDS, NoticeKind.BLOCKED})


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice, posted once. A server has one of each `kind` and `key`.

    `details` are the arguments of its text, as they were when it was added.
    """

    id: int
    guild_id: int
    kind: NoticeKind
    key: str
    details: Mapping[str, str | int | None]
    created_at: datetime
    job_id: str | None = None
    posted_at: datetime | None = None  # when it was posted or given up
    message_id: int | None = None

    @property
    def nonce(self) -> str:
        """Return the nonce of its posting, at most 25 characters."""
        return f"notice-{self.id}"
