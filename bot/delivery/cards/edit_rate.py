"""Bound how often cards are edited and removed, so that Discord never has to slow us down."""

from collections import deque

CARD_SECONDS = 5.0
CHANNEL_SECONDS = 5.0
CHANNEL_EDITS = 4  # within CHANNEL_SECONDS; Discord allows 5 in 5 s
FOR_ENDINGS = 2  # of them
CHANNEL_REMOVALS = 5  # within CHANNEL_SECONDS: as many as results are posted


class EditPace:
    """Remembers the last seconds' edits. The caller passes the time.

    A job's end is shown before running jobs: its card need not rest, and some of a channel's edits are for
    ends alone.
    """

    def __init__(self) -> None:
        self._edits: deque[tuple[float, int | None, int]] = deque()  # when, channel, card
        self._removals: deque[tuple[float, int]] = deque()  # when, channel

    def take(self, channel_id: int | None, card_id: int, now: float, *, ending: bool = False) -> float | None:
        """Count an edit of the card that may be made now, or return in how many seconds there may be room.

        `channel_id` is None for an edit by an interaction's token: Discord counts those for each token.
        https://discord.com/developers/docs/topics/rate-limits
        """
        while self._edits and self._edits[0][0] <= now - max(CARD_SECONDS, CHANNEL_SECONDS):
            self._edits.popleft()
        own = [at for at, _, card in self._edits if card == card_id]
        if own and not ending and now - own[-1] < CARD_SECONDS:
            return own[-1] + CARD_SECONDS - now
        if channel_id is not None:
            bound = CHANNEL_EDITS if ending else CHANNEL_EDITS - FOR_ENDINGS
            there = [at for at, channel, _ in self._edits if channel == channel_id]
            if len(there) >= bound and now - there[-bound] < CHANNEL_SECONDS:
                return there[-bound] + CHANNEL_SECONDS - now
        self._edits.append((now, channel_id, card_id))
        return None

    def take_removal(self, channel_id: int | None, now: float) -> bool:
        """Return whether a card may be removed now, and if so count that; Discord counts removals apart.

        `channel_id` is None for a removal by an interaction's token.
        """
        if channel_id is None:
            return True
        while self._removals and self._removals[0][0] <= now - CHANNEL_SECONDS:
            self._removals.popleft()
        if sum(channel == channel_id for _, channel in self._removals) >= CHANNEL_REMOVALS:
            return False
        self._removals.append((now, channel_id))
        return True
