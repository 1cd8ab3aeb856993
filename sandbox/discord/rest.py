"""Discord's REST calls for posting and editing messages, on 127.0.0.1, with a record of what was done.

For a bot that is logged in and not connected to the gateway. Facts:
https://discord.com/developers/docs/resources/message
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import BodyPartReader, web

BOT_ID = 7001
CHUNK = 256 * 1024  # bytes
_BOT: dict[str, Any] = {
    "id": str(BOT_ID),
    "username": "studii",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "bot": True,
}
_NOTHING: dict[str, Any] = {name: [] for name in ("embeds", "attachments", "mentions", "mention_roles")}


class Attached(NamedTuple):
    """What Discord got of a file."""

    size: int
    sha256: str


@dataclass
class Message:
    """A message of the bot's. `files` by name; `edits`: how often it was changed."""

    id: int
    channel_id: int
    payload: dict[str, Any]
    files: dict[str, Attached] = field(default_factory=dict[str, Attached])
    edits: int = 0

    @property
    def nonce(self) -> str | None:
        return self.payload.get("nonce")

    def as_discord_tells(self) -> dict[str, Any]:
        payload = self.payload
        return _NOTHING | {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "author": _BOT,
            "content": payload.get("content") or "",
            "components": payload.get("components") or [],
            "flags": payload.get("flags", 0),
            "nonce": payload.get("nonce"),
            "type": 0,
            "timestamp": "2026-01-01T12:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
        }


class DiscordRest:
    """Serves while its context is open; `url` takes the place of discord.py's `Route.BASE`.

    A message whose nonce is known is not made a second time, until `forget_nonces`. `before_answer` is
    awaited when a message has been taken and before its sender is told. `readable`: whether the bot may read
    what was sent in its channels.
    """

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.sends = 0
        self.url = ""
        self._nonces: dict[tuple[int, str], Message] = {}
        self._numbers = count(10_000)
        self.readable = True
        self.before_answer: Callable[[], float] = lambda: 0.0
        app = web.Application(client_max_size=2**30)
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_post("/users/@me/channels", self._open_dm)
        app.router.add_post("/channels/{channel}/messages", self._send)
        app.router.add_get("/channels/{channel}/messages", self._history)
        app.router.add_patch("/channels/{channel}/messages/{message}", self._edit)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    def in_channel(self, channel_id: int) -> list[Message]:
        """The messages that stand there, oldest first."""
        return [message for message in self.messages.values() if message.channel_id == channel_id]

    def put_card(self, channel_id: int) -> int:
        """A message that the bot has posted before, as a command's answer; returns its id."""
        card = Message(next(self._numbers), channel_id, {})
        self.messages[card.id] = card
        return card.id

    def forget_nonces(self) -> None:
        """As after a few minutes."""
        self._nonces.clear()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _me(self, _: web.Request) -> web.Response:
        return _answer(_BOT)

    async def _application(self, _: web.Request) -> web.Response:
        flags: dict[str, Any] = {"bot_public": True, "bot_require_code_grant": False, "verify_key": ""}
        about = {
            "id": str(BOT_ID),
            "name": "Studii",
            "description": "",
            "icon": None,
            "owner": _BOT,
            "flags": 0,
        }
        return _answer(about | flags)

    async def _open_dm(self, request: web.Request) -> web.Response:
        person = (await request.json())["recipient_id"]
        recipient = _BOT | {"id": str(person), "bot": False}
        return _answer({"id": str(int(person) + 1), "type": 1, "recipients": [recipient]})

    async def _send(self, request: web.Request) -> web.Response:
        channel = int(request.match_info["channel"])
        try:
            payload, files = await read_message(request)
        except OSError:  # the sender is gone: nothing was posted
            return _answer({"message": "Bad Request", "code": 0}, status=400)
        self.sends += 1
        nonce = payload.get("nonce")
        known = self._nonces.get((channel, str(nonce))) if payload.get("enforce_nonce") else None
        if known is None:
            known = Message(next(self._numbers), channel, payload, files)
            self.messages[known.id] = known
            if nonce is not None:
                self._nonces[channel, str(nonce)] = known
        await asyncio.sleep(self.before_answer())
        return _answer(known.as_discord_tells())

    async def _history(self, request: web.Request) -> web.Response:
        if not self.readable:
            return _answer({"message": "Missing Access", "code": 50001}, status=403)
        newest_first = self.in_channel(int(request.match_info["channel"]))[::-1]
        before = request.query.get("before")
        shown = [one for one in newest_first if before is None or one.id < int(before)]
        return _answer([one.as_discord_tells() for one in shown[: int(request.query.get("limit", "50"))]])

    async def _edit(self, request: web.Request) -> web.Response:
        message = self.messages.get(int(request.match_info["message"]))
        if message is None or message.channel_id != int(request.match_info["channel"]):
            return _answer({"message": "Unknown Message", "code": 10008}, status=404)
        payload, _ = await read_message(request)
        message.payload = message.payload | payload
        message.edits += 1
        return _answer(message.as_discord_tells())


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


def _answer(content: Any, status: int = 200) -> web.Response:
    # Without a charset, as Discord answers: discord.py compares the whole header.
    return web.Response(body=json.dumps(content).encode(), status=status, content_type="application/json")
