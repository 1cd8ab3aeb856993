"""What the parts of the engine share, and what the steps of a job return."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.aio.liveness import Liveness
from bot.clock import Clock
from bot.cluster import Membership
from bot.domain import Job
from bot.engine.tuning import Tuning
from bot.media.spool import Spool
from bot.storage import Storage, Vault
from bot.studii import StudiiClient

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_L = TypeVar("_L")


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

    async def delivered(
        self, what: str, delivery: Awaitable[_T], late: _L, *, job_id: str | None = None, messages: int = 1
    ) -> _T | _L:
        """Return what the delivery says, or `late` if it takes longer than it may for that many messages."""
        try:
            async with asyncio.timeout(self.tuning.delivery_patience * messages):
                return await delivery
        except TimeoutError:
            _log.warning("%s took too long", what, extra={"job": job_id})
            return late


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
