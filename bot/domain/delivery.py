"""Messages to post on Discord, and the outcomes of posting."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished job's output in the spool. `before` is its source photo, if that is still kept."""

    path: Path
    kind: str  # image or video
    content_type: str
    size: int  # bytes
    before: "OutputFile | None" = None


@dataclass(frozen=True, slots=True)
class Posted:
    """It was posted. `message_id` is the new message's id, or None if a message was edited."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Discord did not take it. It can be tried again after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It can't be posted there. The output is kept for its member to fetch. `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """The channel was deleted, or the bot may no longer post there. `reason` is for the log."""

    reason: str


Announcement = Posted | TryLater | Undeliverable
