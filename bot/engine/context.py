"""What the engine needs of the outside, and what its parts share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.aio.tasks import Liveness
from bot.clock import Clock
from bot.cluster import Membership
from bot.db import Database
from bot.engine.tuning import Tuning
from bot.jobs.models import Job
from bot.media.spool import Spool
from bot.posts import Outcome, Post
from bot.studii import StudiiClient
from bot.vault import Vault


class PhotoSource(Protocol):
    """A source of the bytes of source photos."""

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        """Write the photo of `job.source` to `destination`, at most `limit` bytes of it.

        Raises `bot.errors.PhotoUnavailable`.
        """
        ...


class Delivery(Protocol):
    """Informs people about their jobs. No method raises an error of the platform."""

    def size_limit(self, guild_id: int) -> int:
        """Return how many bytes of files a message in that server may have."""
        ...

    async def send(self, post: Post, shown: Any) -> Outcome:
        """Send a post's message, made of what its kind has loaded; doing it twice sends it once."""
        ...

    async def edit(self, post: Post, shown: Any) -> Outcome:
        """Let the post's message show what is so now."""
        ...

    async def delete(self, post: Post) -> Outcome:
        """Delete the post's message."""
        ...

    async def find(self, post: Post) -> Outcome:
        """Look for the message of a post that may have been sent without our knowing.

        `Gone`: it isn't there.
        """
        ...


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
