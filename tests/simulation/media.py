"""Photos, outputs, and a decoder that answers about them as the real one does, without decoding.

Real decoding is tried with `make hostile`.
"""

import asyncio
import struct
import zlib
from pathlib import Path
from random import Random
from typing import Literal

from bot.media.kinds import PhotoKind
from bot.media.photo import DecoderFailed, Photo, PhotoRefused, PictureBroken
from bot.reasons import Reason, ReasonCode

Kind = Literal["whole", "broken", "deadly"]
_KINDS: tuple[Kind, ...] = ("whole", "broken", "deadly")
_SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def picture(number: int, kind: Kind = "whole") -> bytes:
    """Return a small PNG that is unlike any other, and how the decoder takes it."""
    rows = b"\0" + struct.pack(">QB", number, _KINDS.index(kind)) + bytes(7)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 16, 1, 8, 0, 0, 0, 0)
    return _SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def video(number: int) -> bytes:
    """Return something that begins as an MP4 does."""
    return struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 0, b"isom", b"mp42") + struct.pack(">Q", number)


def thumbnail(data: bytes) -> bytes:
    """Return another file with the number of a picture, in place of a smaller one."""
    return data + b"small"


def number_of(data: bytes) -> int | None:
    """Return the number of a picture, or None if it is none of ours."""
    row = _row(data)
    return None if row is None else row[0]


def kind_of(data: bytes) -> Kind | None:
    """Return how the decoder takes a picture, or None if it is none of ours."""
    row = _row(data)
    return None if row is None else _KINDS[row[1]]


def _row(data: bytes) -> tuple[int, int] | None:
    at = data.find(b"IDAT")
    if not data.startswith(_SIGNATURE) or at < 0:
        return None
    try:
        return struct.unpack(">QB", zlib.decompressobj().decompress(data[at + 4 :])[1:10])
    except (zlib.error, struct.error):
        return None


class Decoder:
    """In place of the pool of decoder processes. `seconds` is how long one picture takes on average."""

    def __init__(self, rand: Random) -> None:
        self._rand, self.seconds = rand, 0.05

    async def inspect(self, path: Path) -> Photo:
        kind = await self._look(path)
        if kind is None:
            raise PhotoRefused
        if kind == "broken":
            raise PhotoRefused(Reason(ReasonCode.PHOTO_BROKEN, {"kind": "PNG"}))
        return Photo(PhotoKind.PNG, "image/png", 16, 1)

    async def check(self, path: Path) -> bytes:
        if await self._look(path) == "broken":
            raise PictureBroken
        return thumbnail(await asyncio.to_thread(path.read_bytes))

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        return await self._made(path, limit)

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        return await self._made(path, limit)

    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None:
        await self._look(before)
        return await self._made(after, limit)

    async def _made(self, path: Path, limit: int) -> bytes | None:
        kind = await self._look(path)
        data = await asyncio.to_thread(path.read_bytes)
        return data if kind == "whole" and len(data) <= limit else None

    async def _look(self, path: Path) -> Kind | None:
        data = await asyncio.to_thread(path.read_bytes)
        await asyncio.sleep(self._rand.expovariate(1 / self.seconds))
        if data.startswith(_SIGNATURE) and not data.endswith(_END):
            return "broken"
        kind = kind_of(data)
        if kind == "deadly":
            raise DecoderFailed
        return kind
