"""What happens under photos in a server, as its admins rule it. Plain frozen values, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MOST_EMOJI = 60  # that an admin may map or remove in a server
MOST_CHANNELS = 200  # with a ruling of their own in a server
MOST_OFFERED = 10  # emoji under one photo; Discord takes 20
MOST_AT_ONCE = 10  # photos of one message that a channel runs by itself


_SKIN_COLOURS = dict.fromkeys(range(0x1F3FB, 0x1F400))


def in_any_skin(emoji_key: str) -> str:
    """The key (`Emoji.key`) of the same emoji without a skin colour, in which people may tap it."""
    return emoji_key.translate(_SKIN_COLOURS)


class PhotoChannelKind(StrEnum):
    """What the bot does by itself with the photos of a channel."""

    OFFER = "offer"  # puts the tools' emoji under them, ready to be tapped
    AUTO = "auto"  # runs one tool on them


@dataclass(frozen=True, slots=True)
class Preset:
    """A tool with inputs that are set in advance; the catalogue's defaults hold for the others."""

    tool: str
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji as Discord names it: one of everybody's (`id` 0), or a server's own."""

    name: str
    id: int = 0
    animated: bool = False

    @property
    def key(self) -> str:
        """What tells it from all others. A variation selector may or may not be there: it is left out."""
        return str(self.id) if self.id else self.name.replace("\ufe0f", "")

    def __str__(self) -> str:
        return f"<{'a' if self.animated else ''}:{self.name}:{self.id}>" if self.id else self.name


@dataclass(frozen=True, slots=True)
class PhotoChannel:
    """A channel in which the bot does something by itself. `preset` and `most` are for Auto alone."""

    channel_id: int
    kind: PhotoChannelKind
    preset: Preset | None = None
    most: int = 1  # photos of one message that are run


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """A server's rules. `emoji` by `Emoji.key`: what an admin mapped, or took away (None)."""

    guild_id: int
    everywhere: bool = False  # reactions are on in the whole server
    reaction_channels: frozenset[int] = frozenset()  # in which they are on
    emoji: Mapping[str, tuple[Emoji, Preset | None]] = field(
        default_factory=dict[str, tuple[Emoji, Preset | None]]
    )
    channels: Mapping[int, PhotoChannel] = field(default_factory=dict[int, PhotoChannel])
