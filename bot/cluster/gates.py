"""Let a process send to Studii and to Discord only while no other can have taken over."""

import re

from yarl import URL

from bot.aio.gated_connector import Gate
from bot.cluster.shared_membership import Membership

TOLD_AFTER = 2.0  # seconds; Discord waits for 3
# Answers to interactions, first and later ones.
_ANSWER = re.compile(r"/interactions/\d+/|/webhooks/\d+/")


def studii_gate(member: Membership) -> Gate | None:
    """Return the gate of requests to Studii, or None for a process that works alone."""
    return Gate(lambda _: member.may_act()) if member.epoch is not None else None


def discord_gate(member: Membership) -> Gate | None:
    """Return the gate of requests to Discord, or None for a process that works alone.

    While the database is out of reach, people are told so after the lease's end too. That may be because this
    process alone is cut off: so it comes `TOLD_AFTER` seconds later, when one that has taken over has
    answered.
    """
    if member.epoch is None:
        return None

    def may_tell(url: URL) -> bool:
        return member.may_tell() and _ANSWER.search(url.path) is not None

    return Gate(
        lambda url: member.may_act() or may_tell(url),
        lambda url: 0.0 if member.may_act() or not may_tell(url) else TOLD_AFTER,
    )
