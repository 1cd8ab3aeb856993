"""What photos started, so that taking a reaction or the photo away finds it, whatever was changed since."""

from collections import OrderedDict
from typing import NamedTuple

MOST_REMEMBERED = 20_000  # messages: those that were tapped last


class Hand(NamedTuple):
    """A person and the emoji that they put under a message (`Emoji.key`); of what ran by itself, its job."""

    user_id: int
    emoji: str


class Started:
    """The job of each tap, in memory, by message; None while the tap waits to be looked at.

    What ended long ago may be among them: whoever cancels has to look at the job.
    """

    def __init__(self, bound: int = MOST_REMEMBERED) -> None:
        self._bound = bound
        self._messages: OrderedDict[int, dict[Hand, str | None]] = OrderedDict()

    def note(self, message_id: int, hand: Hand, job_id: str | None = None) -> None:
        """The tap is to be looked at, or it started that job."""
        hands = self._messages.setdefault(message_id, {})
        self._messages.move_to_end(message_id)
        hands[hand] = job_id or hands.get(hand)
        while len(self._messages) > self._bound:
            self._messages.popitem(last=False)

    def forget(self, message_id: int, hand: Hand) -> None:
        """It started nothing, or nothing that could still be cancelled."""
        hands = self._messages.get(message_id, {})
        hands.pop(hand, None)
        if not hands:
            self._messages.pop(message_id, None)

    def job(self, message_id: int, hand: Hand) -> str | None:
        """What the tap started."""
        return self._messages.get(message_id, {}).get(hand)

    def under(self, message_id: int, emoji: str | None = None) -> list[Hand]:
        """Whose taps are known under the message, of that emoji or (None) of any."""
        hands = self._messages.get(message_id, ())
        return [hand for hand in hands if emoji in {None, hand.emoji}]
