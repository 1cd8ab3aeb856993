"""Say why a job is not accepted, or not yet."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from bot.credits.prices import Estimate
from bot.errors import CreditsShort, Refused, StudiiBotError
from bot.features.wording import credits_message
from bot.jobs.confirm import Confirmation, WhyAsk
from bot.jobs.models import JobRequest
from bot.languages import Message, lazy, nlazy, paragraph
from bot.reasons import Reason


class Repeated(Refused):
    """This is being done, or has been done."""

    default = lazy("That's already running, or done.")


class ConfirmationNeeded(StudiiBotError):
    """The person has to be asked first, for that reason. Once the question is stored, `question` is it.

    `id` is the question's, which tells it from another one about the same if its commit got no answer. It has
    no sentence of its own: the caller shows the question.
    """

    def __init__(
        self, request: JobRequest, price: Estimate, why: WhyAsk, others: Sequence[JobRequest]
    ) -> None:
        super().__init__()
        self.id = request.confirmation or secrets.token_hex(8)
        self.request = request
        self.others = tuple(others)
        self.price = price
        self.why = why
        self.question: Confirmation | None = None


class BeingAsked(Repeated):
    """The person was asked about this already."""


class PricesRose(Refused):
    """The jobs of a set cost more than the person has seen: `price` each."""

    def __init__(self, price: Estimate) -> None:
        super().__init__(_prices_rose(price))
        self.price = price


class CreditsShortForAll(CreditsShort):
    """Some of the jobs of a set could be accepted, but not all."""

    def __init__(self, room: int, wanted: int, reason: Refused) -> None:
        none_started = nlazy(
            "{room} of {count} photo can start now, so none was started.",
            "Only {room} of these {count} photos can start now, so none was started.",
            wanted,
            room=room,
        )
        super().__init__(paragraph(none_started, reason))
        self.room = room
        if isinstance(reason, CreditsShort):
            self.wanted = reason.wanted


class KeyHeld(Refused):
    """Studii does not serve the server's key, for that `reason`; it is tried again at `until`."""

    default = lazy("Studii isn't accepting this server's key right now.")

    def __init__(self, reason: Reason, until: datetime) -> None:
        super().__init__()
        self.reason = reason
        self.until = until


class KeyOutOfCredits(KeyHeld, CreditsShort):
    """The account of the server's key has no credits left."""


def _prices_rose(price: Estimate) -> Message:
    each = credits_message(price.amount)
    if price.learned:
        return lazy(
            "Each photo costs {credits} now. That's more than the price you saw, so none was started. Start "
            "them again if you agree. Nothing was charged.",
            credits=each,
        )
    return lazy(
        "Each photo costs about {credits} now. That's more than the price you saw, so none was started. "
        "Start them again if you agree. Nothing was charged.",
        credits=each,
    )
