"""Requests for jobs, and their photos."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Discord hides files whose names start with this behind a spoiler.
SPOILER = "SPOILER_"
UNKNOWN_MEMBER = 0  # in the place of the id of a photo's author, if that can't be determined


@dataclass(frozen=True, slots=True)
class MemberContext:
    """The facts about a member and their channel that access rules and limits depend on.

    `channels` are the channel and what it lies in: a thread's channel, a channel's category.
    """

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()
    manages: bool = False  # Manage Server
    moderates: bool = False  # Manage Messages there, or Manage Server


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """The source photo of a job, as Discord describes it.

    `size` is in bytes, 0 if unknown (in a request). `message_id` and `channel_id` name the message with the
    photo, from which a fresh URL can be fetched. A photo attached to a command is in no message.
    """

    url: str
    filename: str
    content_type: str | None
    size: int
    message_id: int | None = None
    channel_id: int | None = None

    @property
    def hidden(self) -> bool:
        """Return whether it is behind a spoiler. Results made from it are hidden as well."""
        return self.filename.startswith(SPOILER)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job, before it is checked against limits.

    `inputs` are the values to send by the catalogue's names (see `Tool.prepare`). `photo_author` is who
    posted the source, if that may be another member. For `origin_message_id`, `once`, `tapped`,
    `age_restricted`, `post_channel_id`, `in_thread` and `set_id` see `Job`. `shown_price` is the price in
    credits that the person has seen, on a button; `agreed` the one that they were asked about, by the
    `confirmation`. `own` are the inputs that the person chose where an admin chose the others, for an emoji
    or a photo channel.
    """

    guild_id: int
    channel_id: int
    user_id: int
    tool: str
    inputs: Mapping[str, str]
    source: SourcePhoto | None = None
    private: bool = False
    context: MemberContext = field(default_factory=MemberContext)
    photo_author: int | None = None
    origin_message_id: int | None = None
    once: str | None = None
    tapped: str | None = None
    age_restricted: bool | None = None
    shown_price: int | None = None
    agreed: int | None = None
    confirmation: str | None = None
    post_channel_id: int | None = None
    in_thread: bool | None = None
    set_id: str | None = None
    own: Mapping[str, str] = field(default_factory=dict[str, str])
