"""How often cards may be edited, so that Discord never has to slow us down."""

from collections import deque

CARD_SECONDS = 5.0
CHANNEL_SECONDS = 5.0
CHANNEL_EDITS = 4  # within CHANNEL_SECONDS; Discord allows 5 in 5 s


class EditPace:
    """Remembers the last seconds' edits; told the time, never asks for it."""

    def __init__(self) -> None:
        self._edits: deque[tuple[float, int, int]] = deque()  # when, channel, card

    def take(self, channel_id: int, card_id: int, now: float) -> bool:
        """Whether the card may be edited now; if so, that is noted as done."""
        while self._edits and self._edits[0][0] <= now - max(CARD_SECONDS, CHANNEL_SECONDS):
            self._edits.popleft()
        if any(card == card_id and now - at < CARD_SECONDS for at, _, card in self._edits):
            return False
        in_channel = sum(
            channel == channel_id and now - at < CHANNEL_SECONDS for at, channel, _ in self._edits
        )
        if in_channel >= CHANNEL_EDITS:
            return False
        self._edits.append((now, channel_id, card_id))
        return True
