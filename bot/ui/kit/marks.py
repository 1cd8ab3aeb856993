"""Numbers by which the bot tells its own messages apart when it looks through a channel.

A card and a result of the same job hold buttons that name the same posting. The number of the outermost
component says which of the two a message is. It has 32 bits; notices use numbers from 1,000,000,000 up.

https://discord.com/developers/docs/components/reference#anatomy-of-a-component
"""

import hashlib

from bot.domain import Job

_BITS = 28
_POSTINGS = 1 << 29  # the first number of postings; cards have those below


def card_mark(job: Job) -> int:
    """Return the number of the first component of the job's card."""
    return 1 + int(job.id[:7], 16)


def posting_mark(job: Job) -> int:
    """Return the number of the first component of the message that says the job's last word.

    Each posting of a job has its own.
    """
    digest = hashlib.sha256(job.nonce.encode()).digest()
    return _POSTINGS + int.from_bytes(digest[:4], "big") % (1 << _BITS)
