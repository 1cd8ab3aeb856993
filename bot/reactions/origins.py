"""What photos started, so that taking a reaction or the photo away finds it, whatever was changed since."""

from collections import OrderedDict
from typing import NamedTuple

MOST_REMEMBERED = 20_000  # messages: those that were tapped last


class TapKey(NamedTuple):
    """A person and the emoji that they put under a message (`Emoji.key`); of what ran by itself, its job."""

    user_id: int
    emoji: str


class StartedJobs:
    """The job of each tap, in memory, by message; None while the tap waits to be looked at.

    What ended long ago may be among them: whoever cancels has to look at the job.
    """

    def __init__(self, bound: int = MOST_REMEMBERED) -> None:
        self._bound = bound
        self._messages: OrderedDict[int, dict[TapKey, str | None]] = OrderedDict()

    def note(self, message_id: int, key: TapKey, job_id: str | None = None) -> None:
        """The tap is to be looked at, or it started that job."""
        keys = self._messages.setdefault(message_id, {})
        self._messages.move_to_end(message_id)
        keys[key] = job_id or keys.get(key)
        while len(self._messages) > self._bound:
            self._messages.popitem(last=False)

    def forget(self, message_id: int, key: TapKey) -> None:
        """It started nothing, or nothing that could still be cancelled."""
        keys = self._messages.get(message_id, {})
        keys.pop(key, None)
        if not keys:
            self._messages.pop(message_id, None)

    def job(self, message_id: int, key: TapKey) -> str | None:
        """What the tap started."""
        return self._messages.get(message_id, {}).get(key)

    def under(self, message_id: int, emoji: str | None = None) -> list[TapKey]:
        """Whose taps are known under the message, of that emoji or (None) of any."""
        keys = self._messages.get(message_id, ())
        return [key for key in keys if emoji in {None, key.emoji}]
