"""Remember which jobs were started by which message, so that removing a reaction or photo finds them."""

from typing import NamedTuple

from bot.aio.bounded import BoundedDict

MAX_REMEMBERED_ORIGINS = 20_000  # messages: those that were tapped last


class TapKey(NamedTuple):
    """A member and the emoji of their reaction (`Emoji.key`), or the job id of an automatic job."""

    user_id: int
    emoji: str


class StartedJobs:
    """The job of each reaction, by message, in memory. It is None while the reaction is queued.

    Jobs may have ended long ago, so a caller that cancels one has to check it.
    """

    def __init__(self) -> None:
        self._messages = BoundedDict[int, dict[TapKey, str | None]](MAX_REMEMBERED_ORIGINS)

    def note(self, message_id: int, key: TapKey, job_id: str | None = None) -> None:
        """Note that a reaction is queued (None), or started a job."""
        keys = self._messages.get(message_id, {})
        keys[key] = job_id or keys.get(key)
        self._messages[message_id] = keys

    def forget(self, message_id: int, key: TapKey) -> None:
        """Forget the reaction."""
        keys = self._messages.get(message_id, {})
        keys.pop(key, None)
        if not keys:
            self._messages.pop(message_id, None)

    def job(self, message_id: int, key: TapKey) -> str | None:
        """Return the job that the reaction started, or None."""
        return self._messages.get(message_id, {}).get(key)

    def under(self, message_id: int, emoji: str | None = None) -> list[TapKey]:
        """Return the known reactions to the message, with that emoji or any (None)."""
        keys = self._messages.get(message_id, ())
        return [key for key in keys if emoji in {None, key.emoji}]
