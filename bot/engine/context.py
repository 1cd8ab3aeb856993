"""Share the stores, clients and settings among the parts of the engine."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.aio.liveness import Liveness
from bot.aio.retry import FIRST_RETRY_SECONDS
from bot.backoff import backoff
from bot.clock import Clock
from bot.cluster import Membership
from bot.db import Database
from bot.engine.tuning import Tuning
from bot.media.spool import Spool
from bot.studii import StudiiClient
from bot.vault import Vault

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_L = TypeVar("_L")


@dataclass(frozen=True, slots=True)
class EngineContext:
    """The stores, clients and settings that the parts of the engine share.

    `member` says whose servers are this process's.

    `Engine` notifies the parts that a transaction's changes concern. `posted` is called with the seconds from
    a job's end until its message was posted.
    """

    db: Database
    member: Membership
    studii: StudiiClient
    vault: Vault
    spool: Spool
    clock: Clock
    tuning: Tuning
    posted: Callable[[float], None]
    liveness: Liveness

    def redelivery_pause(self, failures: int, at_least: float) -> float:
        """Return the seconds until a message is delivered again that wasn't, `failures` times in a row.

        `at_least` is the pause that Discord asked for.
        """
        return backoff(failures, FIRST_RETRY_SECONDS, self.tuning.announcement_bound, at_least=at_least)

    async def delivered(
        self, what: str, delivery: Awaitable[_T], late: _L, *, job_id: str | None = None
    ) -> _T | _L:
        """Return what the delivery says, or `late` if it takes longer than it may."""
        try:
            async with asyncio.timeout(self.tuning.delivery_patience):
                return await delivery
        except TimeoutError:
            _log.warning("%s took too long", what, extra={"job": job_id})
            return late
