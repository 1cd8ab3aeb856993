"""Let a process send to Studii and to Discord only while no other can have taken over."""

import re
from contextvars import ContextVar

from yarl import URL

from bot.aio.net import Gate
from bot.clock import Clock
from bot.cluster.shared_membership import Membership

TOLD_AFTER = 2.0  # seconds from the interaction's arrival; Discord waits for 3
# When the interaction arrived that is handled now, by the clock's monotonic time.
arrived_at: ContextVar[float | None] = ContextVar("arrived_at", default=None)
_LATER_ANSWER = re.compile(r"/webhooks/\d+/")  # to an interaction
_ANSWER = re.compile(rf"/interactions/\d+/|{_LATER_ANSWER.pattern}")


def studii_gate(member: Membership) -> Gate | None:
    """Return the gate of requests to Studii, or None for a process that works alone."""
    return Gate(lambda _: member.may_act()) if member.epoch is not None else None


def discord_gate(member: Membership, clock: Clock) -> Gate | None:
    """Return the gate of requests to Discord, or None for a process that works alone.

    While the database is out of reach, people are told so after the lease's end too. That may be because this
    process alone is cut off: so no answer comes before `TOLD_AFTER`, when one that has taken over has
    answered. Such a process gives the answers that it has announced also once it is replaced.
    """
    if member.epoch is None:
        return None

    def may_tell(url: URL) -> bool:
        return member.may_tell() and _ANSWER.search(url.path) is not None

    def may_finish(url: URL) -> bool:
        return member.may_finish() and _LATER_ANSWER.search(url.path) is not None

    def delay(url: URL) -> float:
        if member.may_act() or not may_tell(url):
            return 0.0
        now, arrived = clock.monotonic(), arrived_at.get()
        return TOLD_AFTER if arrived is None else max(0.0, arrived + TOLD_AFTER - now)

    return Gate(lambda url: member.may_act() or may_tell(url) or may_finish(url), delay)
