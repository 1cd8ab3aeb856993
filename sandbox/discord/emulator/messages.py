"""What Discord keeps of a message, what it refuses to take, and how it tells of one later."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.discord.emulator.files import Attached, Cdn
from sandbox.discord.emulator.ids import Ids, moment
from sandbox.discord.emulator.places import APPLICATION_ID, BOT, Channel, person
from sandbox.discord.emulator.refusals import EMPTY, INVALID_FORM, UNKNOWN_MESSAGE, Refusal

EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
DEFAULT, REPLY, CHAT_INPUT = 0, 19, 20  # types of messages
MAX_COMPONENTS, MAX_CHARACTERS, MAX_CONTENT_CHARACTERS = 40, 4000, 2000
MAX_FILES_IN_MESSAGE = 10  # of a message, and of a gallery
_OWN = "attachment://"
_NOTHING: dict[str, Any] = {name: [] for name in ("embeds", "mention_roles")}
_CONTENT: dict[str, Any] = {"content": "", "attachments": [], "embeds": [], "components": []}


@dataclass
class Message:
    """A message. `files` by name; `edits`: how often it was changed; `reactions`: who put which emoji there.

    `token`: of the interaction that it answers, which alone can change it if it is ephemeral; `for_user`: who
    alone sees it then. `metadata`: what is told of that interaction.
    """

    id: int
    channel: Channel
    payload: dict[str, Any]
    files: dict[str, Attached] = field(default_factory=dict[str, Attached])
    author_id: int = APPLICATION_ID
    edits: int = 0
    token: str | None = None
    for_user: int | None = None
    metadata: dict[str, Any] | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    @property
    def channel_id(self) -> int:
        return self.channel.id

    @property
    def nonce(self) -> str | None:
        """As its sender gave it: Discord does not tell of it later."""
        return self.payload.get("nonce")

    @property
    def flags(self) -> int:
        return int(self.payload.get("flags") or 0)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def of_the_bot(self) -> bool:
        return self.author_id == APPLICATION_ID

    def custom_ids(self) -> list[str]:
        """Return the custom ids of the buttons that are under it now."""
        return [str(one["custom_id"]) for one in walk(self._components()) if "custom_id" in one]

    def words(self) -> str:
        """Return everything that can be read in it now."""
        shown = [str(one["content"]) for one in walk(self._components()) if one.get("type") == 10]
        return "\n".join([str(self.payload.get("content") or ""), *shown]).strip()

    def told(self, *, content: bool = True) -> dict[str, Any]:
        """Return the message as it is now. Without `content` it is empty, but for the bot's own, direct
        messages and those that mention the bot."""
        payload = self.payload
        kind = REPLY if payload.get("message_reference") else CHAT_INPUT if self.token else DEFAULT
        told = _NOTHING | {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "author": BOT if self.of_the_bot else person(self.author_id),
            "mentions": [BOT] if self._mentions_the_bot() else [],
            "content": payload.get("content") or "",
            "components": self._components(),
            # Files that components show are no attachments.
            "attachments": [] if self.flags & COMPONENTS_V2 else self._attachments(),
            "flags": self.flags,
            "type": kind,
            "timestamp": moment(self.id),
            "edited_timestamp": moment(self.id) if self.edits else None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
        }
        if payload.get("message_reference"):
            told["message_reference"] = payload["message_reference"]
        if self.metadata is not None:
            told["interaction_metadata"] = self.metadata
        if self.reactions:
            told["reactions"] = [_reaction(emoji, who) for emoji, who in self.reactions.items()]
        hidden = not (content or self.of_the_bot or self.channel.guild_id is None or told["mentions"])
        return told | _CONTENT if hidden else told

    def change(self, payload: Mapping[str, Any], files: Mapping[str, Attached]) -> None:
        """Edit it. What is not named stays; so does what kind of message it is. Raises `Refusal`."""
        kept = self.flags & (COMPONENTS_V2 | EPHEMERAL)
        changed = self.payload | dict(payload)
        changed["flags"] = int(changed.get("flags") or 0) & ~LOADING | kept
        own = self.files
        if "attachments" in payload:
            named = {str(one.get("id")) for one in payload["attachments"]}
            own = {name: file for name, file in own.items() if str(file.id) in named}
        ensure_valid(changed, {**own, **files})
        self.payload = changed
        self.files = {**own, **files}
        self.edits += 1

    def _mentions_the_bot(self) -> bool:
        return not self.of_the_bot and f"<@{APPLICATION_ID}>" in str(self.payload.get("content") or "")

    def _attachments(self) -> list[dict[str, Any]]:
        return [file.told(name) for name, file in self.files.items()]

    def _components(self) -> list[dict[str, Any]]:
        return _numbered(self.payload.get("components") or [], self.files, count(1))


def ensure_valid(payload: Mapping[str, Any], files: Mapping[str, Attached]) -> None:
    """Raise `Refusal` for what Discord does not take.

    https://discord.com/developers/docs/components/reference#component-reference
    """
    if not int(payload.get("flags") or 0) & COMPONENTS_V2:
        if len(payload.get("content") or "") > MAX_CONTENT_CHARACTERS:
            raise Refusal(*INVALID_FORM)
        if not (any(payload.get(name) for name in ("content", "embeds", "components")) or files):
            raise Refusal(*EMPTY)
        return
    if any(payload.get(name) for name in ("content", "embeds", "poll", "sticker_ids")):
        raise Refusal(*INVALID_FORM)
    shown = list(walk(payload.get("components") or []))
    characters = sum(len(one.get("content") or "") for one in shown if one.get("type") == 10)
    if not shown or len(shown) > MAX_COMPONENTS or characters > MAX_CHARACTERS:
        raise Refusal(*INVALID_FORM)
    galleries = [list(one.get("items") or ()) for one in shown]
    if max(len(files), *map(len, galleries)) > MAX_FILES_IN_MESSAGE:
        raise Refusal(*INVALID_FORM)
    addresses = [str(item["media"]["url"]) for items in galleries for item in items]
    named = {one.removeprefix(_OWN) for one in addresses if one.startswith(_OWN)}
    if not named <= files.keys():
        raise Refusal(*INVALID_FORM)


class Messages(dict[int, Message]):
    """All messages by id."""

    def __init__(self, ids: Ids, cdn: Cdn) -> None:
        super().__init__()
        self._ids = ids
        self._cdn = cdn

    def keep(
        self,
        channel: Channel,
        payload: Mapping[str, Any],
        files: Mapping[str, Attached],
        *,
        author_id: int = APPLICATION_ID,
        token: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Message:
        """Add a message; `token` can change it if it is the answer to an interaction."""
        kept = self.store(channel, files)
        message = Message(
            self._ids.next(), channel, dict(payload), kept, author_id, token=token, metadata=metadata
        )
        self[message.id] = message
        return message

    def store(self, channel: Channel, files: Mapping[str, Attached]) -> dict[str, Attached]:
        """Keep the files in the CDN."""
        return {name: self._cdn.keep(name, file, channel.id) for name, file in files.items()}

    def known(self, message_id: int, channel_id: int) -> Message:
        """Return the message that everyone there can see. Raises `Refusal`."""
        message = self.get(message_id)
        if message is None or message.channel_id != channel_id or message.ephemeral:
            raise Refusal(*UNKNOWN_MESSAGE)
        return message


def _numbered(
    components: Iterable[Mapping[str, Any]], files: Mapping[str, Attached], numbers: "count[int]"
) -> list[dict[str, Any]]:
    """Return the components, each with a number, and files at their addresses."""
    told: list[dict[str, Any]] = []
    for one in components:
        component = with_ids_told(one)
        if not component.get("id"):
            component["id"] = next(numbers)
        if "components" in component:
            component["components"] = _numbered(component["components"], files, numbers)
        if "accessory" in component:
            (component["accessory"],) = _numbered([component["accessory"]], files, numbers)
        if "default_values" in component:  # Discord takes numbers as ids, and tells them as texts
            component["default_values"] = [
                one | {"id": str(one["id"])} for one in component["default_values"]
            ]
        if "items" in component:
            component["items"] = [_at_its_address(item, "media", files) for item in component["items"]]
        for name in ("media", "file"):
            if name in component:
                component = _at_its_address(component, name, files)
        told.append(component)
    return told


def with_ids_told(component: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component with what is chosen in it as Discord tells that: it takes numbers as ids, too."""
    chosen = [one | {"id": str(one["id"])} for one in component.get("default_values") or ()]
    return {**component, "default_values": chosen} if chosen else {**component}


def _at_its_address(item: Mapping[str, Any], part: str, files: Mapping[str, Attached]) -> dict[str, Any]:
    name = str(item[part]["url"]).removeprefix(_OWN)
    if name not in files:
        return dict(item) | {part: {"url": name, "proxy_url": name}}
    address = files[name].address(name)
    media = {"url": address, "proxy_url": address, "attachment_id": str(files[name].id)}
    return dict(item) | {part: media}


def walk(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Yield components, and what is in them."""
    for component in components:
        yield component
        yield from walk(component.get("components") or ())
        if "accessory" in component:
            yield from walk((component["accessory"],))


def emoji_told(emoji: str) -> dict[str, Any]:
    """Return an emoji, which is a character or `name:id`, as Discord tells of it."""
    name, _, number = emoji.partition(":")
    return {"id": number or None, "name": name}


def _reaction(emoji: str, who: Sequence[int]) -> dict[str, Any]:
    told: dict[str, Any] = {"emoji": emoji_told(emoji), "count": len(who), "me": APPLICATION_ID in who}
    return told | {"count_details": {"burst": 0, "normal": len(who)}, "me_burst": False, "burst_colors": []}
