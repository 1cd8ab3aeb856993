"""A member's request for more credits, which an admin grants or declines. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MIN_GRANT_CREDITS = 20
_ROUNDED_TO = 10
REQUEST_LASTS = timedelta(days=1)


class RequestState(StrEnum):
    """The state of a request."""

    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    EXPIRED = "expired"  # nobody has answered for a day
    LEFT = "left"  # the member isn't in the server any more


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """A request of a member who was refused a job for lack of credits.

    `amount` is what is granted if an admin agrees: to the member if `of_member`, whose allowance is short,
    and to the server if `of_server`, whose budget is.
    """

    id: str  # 16 hex digits
    guild_id: int
    user_id: int
    channel_id: int
    tool: str
    price: int
    amount: int
    of_member: bool
    of_server: bool
    state: RequestState
    created_at: datetime
    answered_by: int | None = None
    answered_at: datetime | None = None


def amount_for(missing: int) -> int:
    """Return the credits to grant if `missing` are lacking: a round figure, at least 20."""
    return max(MIN_GRANT_CREDITS, -(-missing // _ROUNDED_TO) * _ROUNDED_TO)
