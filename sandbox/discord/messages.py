"""What Discord keeps of a message, what it refuses to take, and how it tells of one later."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

from aiohttp import BodyPartReader, web

BOT_ID = 7001
EPHEMERAL, COMPONENTS_V2 = 1 << 6, 1 << 15
EPOCH = 1_420_070_400_000  # milliseconds; https://discord.com/developers/docs/reference#snowflakes
BEHIND = 20.0  # seconds that Discord's clock is behind ours
CHUNK = 256 * 1024  # bytes
MOST_COMPONENTS, MOST_CHARACTERS = 40, 4000
MEDIA = "https://cdn.discordapp.com/attachments/1/2/"
BOT: dict[str, Any] = {
    "id": str(BOT_ID),
    "username": "studii",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "bot": True,
}
_NOTHING: dict[str, Any] = {name: [] for name in ("embeds", "mentions", "mention_roles")}


class Refusal(Exception):
    """What Discord answers instead of doing it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
INVALID_FORM = (400, 50035, "Invalid Form Body")


class Attached(NamedTuple):
    """What Discord got of a file."""

    size: int
    sha256: str


@dataclass
class Message:
    """A message of the bot's. `files` by name; `edits`: how often it was changed.

    `token`: of the interaction that it answers, which alone can change it if it is ephemeral.
    """

    id: int
    channel_id: int
    payload: dict[str, Any]
    files: dict[str, Attached] = field(default_factory=dict[str, Attached])
    edits: int = 0
    token: str | None = None

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

    def custom_ids(self) -> list[str]:
        """Of the buttons that stand under it now."""
        return [str(one["custom_id"]) for one in _walk(self._components()) if "custom_id" in one]

    def words(self) -> str:
        """Everything that can be read in it now."""
        shown = [str(one["content"]) for one in _walk(self._components()) if one.get("type") == 10]
        return "\n".join([str(self.payload.get("content") or ""), *shown]).strip()

    def as_discord_tells(self) -> dict[str, Any]:
        """What a look into the channel's history shows: the message as it is now."""
        payload, v2 = self.payload, self.flags & COMPONENTS_V2
        told = _NOTHING | {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "author": BOT,
            "content": payload.get("content") or "",
            "components": self._components(),
            # Files that components show are no attachments.
            "attachments": [] if v2 else [_attachment(name, file) for name, file in self.files.items()],
            "flags": self.flags,
            "type": 20 if self.token else 19 if payload.get("message_reference") else 0,
            "timestamp": _moment(self.id),
            "edited_timestamp": _moment(self.id) if self.edits else None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
        }
        if payload.get("message_reference"):
            told["message_reference"] = payload["message_reference"]
        return told

    def change(self, payload: Mapping[str, Any], files: Mapping[str, Attached]) -> None:
        """Edit it. What is not named stays; so does what kind of message it is. Raises `Refusal`."""
        kept = self.flags & (COMPONENTS_V2 | EPHEMERAL)
        changed = self.payload | dict(payload)
        changed["flags"] = int(changed.get("flags") or 0) | kept
        ensure_valid(changed)
        self.payload = changed
        self.files |= files
        self.edits += 1

    def _components(self) -> list[dict[str, Any]]:
        return _numbered(self.payload.get("components") or [], count(1))


def ensure_valid(payload: Mapping[str, Any]) -> None:
    """Raise `Refusal` for what Discord does not take.

    https://discord.com/developers/docs/components/reference#component-reference
    """
    if not int(payload.get("flags") or 0) & COMPONENTS_V2:
        if not (payload.get("content") or payload.get("embeds") or payload.get("components")):
            raise Refusal(400, 50006, "Cannot send an empty message")
        return
    if any(payload.get(name) for name in ("content", "embeds", "poll", "sticker_ids")):
        raise Refusal(*INVALID_FORM)
    shown = list(_walk(payload.get("components") or []))
    characters = sum(len(one.get("content") or "") for one in shown if one.get("type") == 10)
    if not shown or len(shown) > MOST_COMPONENTS or characters > MOST_CHARACTERS:
        raise Refusal(*INVALID_FORM)


def snowflake(seconds: float, number: int) -> int:
    """An id that was given at that moment of Discord's clock; larger than all that were given before."""
    return (int(seconds * 1000) - EPOCH << 22) + number


class Messages(dict[int, Message]):
    """All messages by id. Ids are given by Discord's clock, which is not ours."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)

    def keep(
        self,
        channel_id: int,
        payload: Mapping[str, Any],
        files: Mapping[str, Attached],
        token: str | None = None,
    ) -> Message:
        """A new message, which `token` can change if it is the answer to an interaction."""
        message = Message(self.number(), channel_id, dict(payload), dict(files), token=token)
        self[message.id] = message
        return message

    def number(self) -> int:
        """A new id."""
        return snowflake(time.time() - BEHIND, next(self._numbers) & 0x3FFFFF)


async def read_request(request: web.Request) -> tuple[dict[str, Any], dict[str, Attached]]:
    """As `read_message`; a request that breaks off takes no effect."""
    try:
        return await read_message(request)
    except OSError:
        raise Refusal(400, 0, "Bad Request") from None


def answer_with(content: Any, status: int = 200) -> web.Response:
    """Without a charset, as Discord answers: discord.py compares the whole header."""
    return web.Response(body=json.dumps(content).encode(), status=status, content_type="application/json")


async def read_message(request: web.Request) -> tuple[dict[str, Any], dict[str, Attached]]:
    """The payload, and the files with it; read piece by piece, as they may be large."""
    if request.content_type == "application/json":
        return await request.json(), {}
    payload: dict[str, Any] = {}
    files: dict[str, Attached] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        size, text, digest = 0, b"", hashlib.sha256()
        while chunk := await part.read_chunk(CHUNK):
            size += len(chunk)
            digest.update(chunk)
            text += chunk if part.name == "payload_json" else b""
        if part.name == "payload_json":
            payload = json.loads(text)
        else:
            files[str(part.filename)] = Attached(size, digest.hexdigest())
    return payload, files


def _numbered(components: Iterable[Mapping[str, Any]], numbers: "count[int]") -> list[dict[str, Any]]:
    """With a number on each component that was sent without one, and files at their addresses."""
    told: list[dict[str, Any]] = []
    for one in components:
        component = dict(one)
        if not component.get("id"):
            component["id"] = next(numbers)
        if "components" in component:
            component["components"] = _numbered(component["components"], numbers)
        if "items" in component:
            component["items"] = [_at_its_address(item) for item in component["items"]]
        told.append(component)
    return told


def _at_its_address(item: Mapping[str, Any]) -> dict[str, Any]:
    name = str(item["media"]["url"]).removeprefix("attachment://")
    return dict(item) | {"media": {"url": f"{MEDIA}{name}", "proxy_url": f"{MEDIA}{name}"}}


def _walk(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components") or ())
        if "accessory" in component:
            yield from _walk((component["accessory"],))


def _attachment(name: str, file: Attached) -> dict[str, Any]:
    address = f"{MEDIA}{name}"
    return {"id": "1", "filename": name, "size": file.size, "url": address, "proxy_url": address}


def _moment(message_id: int) -> str:
    return datetime.fromtimestamp(((message_id >> 22) + EPOCH) / 1000, UTC).isoformat()
