"""Number messages, so that the bot finds again what it has posted.

The number of a message's first component (32 bits) says what the message is, when the bot looks through a
channel: a card and a result of the same job hold buttons with the same custom ids. Discord numbers by itself
from 1. https://discord.com/developers/docs/components/reference#anatomy-of-a-component
"""

import hashlib

from bot.jobs.models import Job

# Cards have the numbers below these, postings those from there, and posts (`bot.posts`) those above.
_POSTINGS = 1 << 29
_POSTING_BITS = 28


def card_mark(job: Job) -> int:
    """Return the number of the first component of the card of a job, or of its set."""
    return 1 + int((job.set_id or job.id)[:7], 16)


def mark_of_nonce(nonce: str) -> int:
    """Return the number of the first component of the posting with that nonce."""
    digest = hashlib.sha256(nonce.encode()).digest()
    return _POSTINGS + int.from_bytes(digest[:4], "big") % (1 << _POSTING_BITS)
