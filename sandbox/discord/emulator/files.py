"""Files that were sent, and the CDN that serves them.

Addresses are on Discord's own CDN, signed, and good for about a day; the emulator serves the same paths
below `/cdn`, to which a bot's process is pointed by `sandbox.discord.launch`.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import BodyPartReader, web

from sandbox.discord.addresses import CDN
from sandbox.discord.emulator.ids import Ids
from sandbox.discord.emulator.refusals import Refusal

CHUNK_BYTES = 256 * 1024  # bytes
LASTS = 24 * 3600  # seconds that an address is good
MAX_KEPT_FILE_BYTES = 10 * 1024 * 1024  # bytes of the largest file that can be fetched again


@dataclass(frozen=True)
class Attached:
    """A file that came with a message. `data` is None if it is not kept."""

    size: int
    sha256: str
    content_type: str = "application/octet-stream"
    data: bytes | None = None
    id: int = 0
    channel_id: int = 0

    def address(self, name: str, now: float | None = None) -> str:
        """Return an address that is good for about a day from now."""
        until = int((time.time() if now is None else now) + LASTS)
        path = self.path(name)
        signed = {"ex": f"{until:x}", "is": f"{until - LASTS:x}", "hm": signature(path, until)}
        return f"{CDN}{path}?{urlencode(signed)}"

    def path(self, name: str) -> str:
        """Return the path on the CDN, which stays."""
        return f"/attachments/{self.channel_id}/{self.id}/{quote(name)}"

    def told(self, name: str) -> dict[str, Any]:
        """Return the file as an attachment of a message."""
        address = self.address(name)
        told = {"id": str(self.id), "filename": name, "size": self.size, "url": address, "proxy_url": address}
        return told | {"content_type": self.content_type}


def signature(path: str, until: int) -> str:
    """Return what proves that an address is Discord's."""
    return hashlib.sha256(f"{path} {until} of the sandbox".encode()).hexdigest()


class Cdn:
    """Serves the files that are kept."""

    def __init__(self, ids: Ids, largest_kept: int = MAX_KEPT_FILE_BYTES) -> None:
        self._ids = ids
        self._largest_kept = largest_kept
        self._files: dict[str, Attached] = {}  # by path

    def keep(self, name: str, file: Attached, channel_id: int) -> Attached:
        """Give the file an id and an address in that channel."""
        kept = Attached(file.size, file.sha256, file.content_type, file.data, self._ids.next(), channel_id)
        if file.data is not None:
            self._files[kept.path(name)] = kept
        return kept

    def forget(self) -> None:
        """Drop all files."""
        self._files.clear()

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a GET for a file: 404 if it is unknown or its address has expired."""
        path = quote(f"/{request.match_info['path']}")
        file = self._files.get(path)
        try:
            until = int(request.query.get("ex", ""), 16)
        except ValueError:
            until = 0
        good = until > time.time() and request.query.get("hm") == signature(path, until)
        if file is None or file.data is None or not good:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.content_type)

    async def read(self, request: web.Request) -> tuple[dict[str, Any], dict[str, Attached]]:
        """Return the payload and the files of a request; read piece by piece, as they may be large.

        A request that breaks off takes no effect.
        """
        try:
            if request.content_type == "application/json":
                return await request.json(), {}
            return await self._read_parts(request)
        except OSError:
            raise Refusal(400, 0, "Bad Request") from None

    async def _read_parts(self, request: web.Request) -> tuple[dict[str, Any], dict[str, Attached]]:
        payload: dict[str, Any] = {}
        files: dict[str, Attached] = {}
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            size, kept, digest = 0, bytearray(), hashlib.sha256()
            is_payload = part.name == "payload_json"
            while chunk := await part.read_chunk(CHUNK_BYTES):
                size += len(chunk)
                digest.update(chunk)
                if is_payload or size <= self._largest_kept:
                    kept += chunk
            if is_payload:
                payload = json.loads(bytes(kept))
            else:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                data = bytes(kept) if size <= self._largest_kept else None
                files[str(part.filename)] = Attached(size, digest.hexdigest(), kind, data)
        return payload, files
