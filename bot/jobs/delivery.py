"""Messages to post on Discord, and the outcomes of posting."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.jobs.models import Job
from bot.media.spool import OutputFile


@dataclass(frozen=True, slots=True)
class ForModerators:
    """The files that moderators see of what they decide on: photos of requests, or a result and its photo.

    `jobs` is one, or those of a set on which they decide together. `rules` of the word filter send requests
    to approval: the words of each, as an admin wrote them, by its key.
    """

    jobs: tuple[Job, ...]
    photos: tuple[OutputFile, ...]
    result: OutputFile | None = None
    rules: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Posted:
    """It was posted. `message_id` is the new message's id, or None where nobody can link to it: its person
    alone sees it, or it was sent by direct message (`by_dm`).

    `channel_id` is where it is, None for the job's own channel.
    """

    message_id: int | None
    channel_id: int | None = None
    by_dm: bool = False


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
