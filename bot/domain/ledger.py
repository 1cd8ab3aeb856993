"""Credits, in whole numbers: the ledger's lines and sums of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.jobs.states import JobState

FORGOTTEN_MEMBER = 0  # the member id on jobs and lines of members who were forgotten


@dataclass(frozen=True, slots=True)
class Window:
    """A budget's period, from `start` until before `end`. None means that it has no start or no end."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits that a server, or one member in it, used within a window."""

    settled: int = 0
    reserved: int = 0

    @property
    def spent(self) -> int:
        return self.settled + self.reserved

    def left_of(self, whole: int) -> int:
        """Return what may still be spent of a limit and the grants.

        Negative if a limit was lowered or a charge exceeded its estimate.
        """
        return whole - self.spent


class EntryKind(StrEnum):
    """The kind of a line of the ledger."""

    RESERVE = "reserve"
    CORRECT = "correct"
    SETTLE = "settle"
    RELEASE = "release"
    GRANT = "grant"
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of the append-only ledger with facts about its job.

    `amount` is in credits; corrections may be negative. `period` names the period in which an admin's line
    counts (see `bot.domain.periods.period_name`).
    """

    id: int
    at: datetime
    kind: EntryKind
    amount: int
    user_id: int | None
    job_id: str | None
    tool: str | None
    variant: str | None
    state: JobState | None
    period: str | None


@dataclass(frozen=True, slots=True)
class Spending:
    """Credits that jobs of a tool (`what` is its slug) or a member (an id) were charged or have reserved."""

    what: str | int
    credits: int
    jobs: int
