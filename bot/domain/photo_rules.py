"""A server's rules for reactions and photo channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_EMOJI = 60  # mapped or removed in a server
MAX_PHOTO_CHANNELS = 200  # with rules of their own in a server
MAX_OFFERED_EMOJI = 10  # emoji under one photo; Discord takes 20
MAX_PHOTOS_AT_ONCE = 10  # photos of one message that an Auto channel runs


_SKIN_COLOURS = dict.fromkeys(range(0x1F3FB, 0x1F400))


def in_any_skin(emoji_key: str) -> str:
    """Return the key (`Emoji.key`) of the emoji without a skin colour."""
    return emoji_key.translate(_SKIN_COLOURS)


class PhotoChannelKind(StrEnum):
    """The automation of a channel: it determines what the bot does with photos posted there."""

    OFFER = "offer"  # adds the tools' emoji as reactions
    AUTO = "auto"  # runs one tool on them


@dataclass(frozen=True, slots=True)
class Preset:
    """A tool with preset inputs. The catalogue's defaults apply to the others.

    `style_id`: these are of that style of the server.
    """

    tool: str
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    style_id: str | None = None


@dataclass(frozen=True, slots=True)
class Emoji:
    """A Unicode emoji (`id` 0) or a server's own."""

    name: str
    id: int = 0
    animated: bool = False

    @property
    def key(self) -> str:
        """Return the emoji's id, or its name without a variation selector, which Discord may omit."""
        return str(self.id) if self.id else self.name.replace("\ufe0f", "")

    def __str__(self) -> str:
        return f"<{'a' if self.animated else ''}:{self.name}:{self.id}>" if self.id else self.name


@dataclass(frozen=True, slots=True)
class PhotoChannel:
    """A channel whose photos the bot handles. `preset` and `most` are for Auto only."""

    channel_id: int
    kind: PhotoChannelKind
    preset: Preset | None
    most: int  # photos of one message that are run


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """A server's rules. `emoji` are by `Emoji.key`: mapped by an admin, or removed (None)."""

    guild_id: int
    everywhere: bool = False  # reactions are on in the whole server
    reaction_channels: frozenset[int] = frozenset()  # in which they are on
    emoji: Mapping[str, tuple[Emoji, Preset | None]] = field(
        default_factory=dict[str, tuple[Emoji, Preset | None]]
    )
    channels: Mapping[int, PhotoChannel] = field(default_factory=dict[int, PhotoChannel])

    @property
    def are_on(self) -> bool:
        """Return whether reactions are on somewhere, or there is a photo channel."""
        return self.everywhere or bool(self.reaction_channels) or bool(self.channels)
