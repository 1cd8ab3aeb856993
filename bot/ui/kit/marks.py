"""Number messages, so that the bot finds again what it has posted.

The number of a message's first component (32 bits) says what the message is, when the bot looks through a
channel: a card and a result of the same job hold buttons with the same custom ids. Discord numbers by itself
from 1. https://discord.com/developers/docs/components/reference#anatomy-of-a-component
"""

from bot.jobs.models import Job


def card_mark(job: Job) -> int:
    """Return the number of the first component of the card of a job, or of its set.

    Posts (`bot.posts`) have numbers above these.
    """
    return 1 + int((job.set_id or job.id)[:7], 16)
