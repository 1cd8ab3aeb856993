"""Credits: the ledger's lines, and sums of them. Whole numbers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.jobs import JobState

FORGOTTEN_MEMBER = 0  # whose jobs and credits are those of members who were forgotten


@dataclass(frozen=True, slots=True)
class Window:
    """A budget's period around a moment: from `start` (None: since ever) until `end` (None: no end)."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits of a server, or of one member in it, within a window."""

    settled: int = 0
    reserved: int = 0

    @property
    def spent(self) -> int:
        return self.settled + self.reserved


class EntryKind(StrEnum):
    """What a line of the ledger says."""

    RESERVE = "reserve"
    CORRECT = "correct"
    SETTLE = "settle"
    RELEASE = "release"
    GRANT = "grant"
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the append-only ledger (amount in credits; a correction may be negative).

    `period` names the one in which an admin's line counts (`bot.credits.period_name`).
    """

    id: int
    guild_id: int
    user_id: int | None
    job_id: str | None
    kind: EntryKind
    amount: int
    at: datetime
    period: str | None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of the ledger with what is known of its job."""

    id: int
    at: datetime
    kind: EntryKind
    amount: int
    user_id: int | None
    job_id: str | None
    tool: str | None
    variant: str | None
    state: JobState | None
    period: str | None  # in which an admin's line counts


@dataclass(frozen=True, slots=True)
class Spending:
    """What one tool (its slug) or one member (their id) spent or has set aside, and for how many jobs."""

    what: str | int
    credits: int
    jobs: int
