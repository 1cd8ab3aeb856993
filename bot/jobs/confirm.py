"""Decide when a person is asked before a job starts, and what. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.jobs.models import JobRequest

TAP_ANSWERED_WITHIN = timedelta(minutes=1)
ANSWERED_WITHIN = timedelta(minutes=15)  # as long as Discord lets a command be answered
MAX_OPEN_QUESTIONS = 10  # questions to a member in a server


class WhyAsk(StrEnum):
    """A reason to ask a person first."""

    FIRST_TAP = "first_tap"  # the member's first tap in the server starts nothing
    PRICE = "price"  # the price is above what the server asks from
    DEARER = "dearer"  # the price is above the one that the person has seen
    SEEN = "seen"  # moderators see the request, although it is private
    RESULT_SEEN = "result_seen"  # the same, and they see the result too


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question to a person whether a job, or all jobs of a set, are to start, at a price in credits.

    `request` has no context: that of the answer counts. `others` are those of the set that differ from it in
    their photo; `price` is that of all together. `message_id` is the bot's message with the question,
    if it has to be removed.
    """

    id: str  # 16 hex digits
    request: JobRequest
    price: int
    learned: bool  # from past charges with the server's key, else assumed
    why: WhyAsk
    created_at: datetime
    expires_at: datetime
    message_id: int | None = None
    used_at: datetime | None = None  # when the job was started
    others: tuple[JobRequest, ...] = ()

    @property
    def requests(self) -> tuple[JobRequest, ...]:
        return (self.request, *self.others)

    @property
    def under_photo(self) -> bool:
        """Return whether it is asked by a message in the channel, not by an answer to an interaction."""
        return self.request.origin_message_id is not None


def why_ask(
    request: JobRequest, price: int, *, above: int | None, tapped_before: bool, seen: WhyAsk | None
) -> WhyAsk | None:
    """Return why the person is asked before a job of that price starts, or None if it starts at once.

    `above`: the server asks before jobs that cost more. `tapped_before`: the member has started a job by a
    tap in the server. `seen`: moderators see it, in that way; of a set, its card tells that.
    """
    if request.agreed is not None:
        return None if price <= request.agreed else WhyAsk.DEARER
    if seen is not None and request.private and request.set_id is None:
        return seen
    if request.tapped is not None and not tapped_before:
        return WhyAsk.FIRST_TAP
    if above is not None and price > above:
        return WhyAsk.PRICE
    if request.shown_price is not None and price > request.shown_price:
        return WhyAsk.DEARER
    return None


def expiry(request: JobRequest, now: datetime) -> datetime:
    """Return until when the question about the request can be answered."""
    return now + (ANSWERED_WITHIN if request.origin_message_id is None else TAP_ANSWERED_WITHIN)
