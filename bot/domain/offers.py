"""Offers of tools after a mention, which are removed when nobody takes them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

OFFERED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Offer:
    """A message of the bot's that offers tools to one person, until then."""

    message_id: int
    guild_id: int
    channel_id: int
    expires_at: datetime
