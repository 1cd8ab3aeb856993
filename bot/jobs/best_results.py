"""Results that members have starred, and that are shown in a channel for the best."""

from dataclasses import dataclass
from datetime import datetime

STAR = "⭐"  # an `Emoji.key`
MAX_STARS = 20  # that an admin can ask for


@dataclass(frozen=True, slots=True)
class BestResult:
    """A starred result, by the message that shows it.

    `wanted`: it has the stars, and its message and its maker's data are there. `agreed` is whether its maker
    lets results be shown, and None if they have not said; `asked`: the bot has asked them. `begun_at` is when
    showing it was first tried, and `posted_message_id` the message that shows it, in `posted_channel_id`.
    """

    message_id: int
    guild_id: int
    channel_id: int
    job_id: str
    user_id: int  # its maker
    wanted: bool
    since: datetime  # when it got the stars, or lost them
    number: int = 0  # of its posting
    begun_at: datetime | None = None
    posted_channel_id: int | None = None
    posted_message_id: int | None = None
    agreed: bool | None = None
    asked: bool = False

    @property
    def nonce(self) -> str:
        """Return the nonce of its posting, at most 25 characters."""
        return f"b{self.job_id}-{self.number}"
