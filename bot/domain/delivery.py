"""What is brought to Discord, and what came of it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished job's output, in the spool; `before` is the photo that it was made from, if it is kept."""

    path: Path
    kind: str  # image or video
    content_type: str
    size: int  # bytes
    before: "OutputFile | None" = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The job's last word stands in Discord; `message_id` of the new message, if one was made."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Discord could not take it now: again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It can't be posted there; the output stays for the person to fetch. `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """The channel is gone, or the bot may not post there any more. `reason` is for the log."""

    reason: str


Announcement = Posted | TryLater | Undeliverable
