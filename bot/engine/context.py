"""What the parts of the engine share, and what the steps of a job return."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.aio.liveness import Liveness
from bot.clock import Clock
from bot.cluster import Membership
from bot.domain import Job
from bot.engine.tuning import Tuning
from bot.media.spool import Spool
from bot.storage import Storage, Vault
from bot.studii import StudiiClient


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What the parts of the engine work with. `member` says whose servers are this process's.

    `Engine` notifies the parts that a transaction's changes concern. `reread` is called when the lanes are to
    read their jobs from the database again. `posted` is called with the seconds from a job's end until its
    message was posted.
    """

    storage: Storage
    member: Membership
    studii: StudiiClient
    vault: Vault
    spool: Spool
    clock: Clock
    tuning: Tuning
    reread: Callable[[], None]
    posted: Callable[[float], None]
    liveness: Liveness


@dataclass(frozen=True, slots=True)
class StepResult:
    """The job after a step, or None if it no longer belongs to this lane.

    `sent`: whether a request left this process. `again`: leave the job alone for this many seconds.
    `limited`: Studii said 429; `retry_after` is the pause that it asked for, in seconds. `unexpected`: the
    step met an unexpected error, and says nothing of the job.
    """

    job: Job | None
    sent: bool = True
    again: float | None = None
    limited: bool = False
    retry_after: float | None = None
    unexpected: bool = False
