"""Decode files from outside so that none of them can end the bot again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol, TypeVar

from bot.aio.tasks import shielded
from bot.db import Database
from bot.errors import ReasonedError
from bot.jobs import transitions
from bot.media.photo import DecoderFailed, Drawing, Photo, PhotoRefused, PictureBroken
from bot.reasons import ReasonCode

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MAX_DECODE_TRIES = 2  # that ended what decoded the file, before it is given up


class Undecodable(ReasonedError):
    """The file has ended what decodes it as often as it may: it is not opened any more."""

    code = ReasonCode.PHOTO_UNDECODABLE


class Decoder(Drawing, Protocol):
    """An opener of pictures. Each method raises `DecoderFailed` if the file is to be given up."""

    async def inspect(self, path: Path) -> Photo: ...
    async def check(self, path: Path) -> None: ...


class CountedDecoder:
    """Counts a try in the job's row before the decoder is asked, and takes it back when that has answered:
    that it is good, with the change of the job's state that follows.

    A file ends its process at most, where the kernel's limits are set; but a machine may end the whole bot.
    The files are named by the spool: the job's id, then what the file is to the job.
    """

    def __init__(self, db: Database, decoder: Decoder) -> None:
        self._db = db
        self._decoder = decoder
        self._again = asyncio.Lock()

    async def inspect(self, path: Path) -> Photo:
        """Decode a photo (see `DecoderPool.inspect`). Raises `PhotoRefused` and `Undecodable`."""
        return await self._counted(path, lambda: self._decoder.inspect(path), moves=True)

    async def check(self, path: Path) -> None:
        """Decode a result. Raises `PictureBroken` and `Undecodable`."""
        await self._counted(path, lambda: self._decoder.check(path), moves=True)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that."""
        return await self._made(path, lambda: self._decoder.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy with words in a corner, or None (see `DecoderPool.label`)."""
        return await self._made(path, lambda: self._decoder.label(path, limit, words, corner))

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        """Return one picture of both halves, or None (see `DecoderPool.split`)."""
        return await self._made(after, lambda: self._decoder.split(before, after, limit, labels))

    async def _made(self, path: Path, make: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        try:
            return await self._counted(path, make)
        except Undecodable:
            return None

    async def _counted(self, path: Path, decode: Callable[[], Awaitable[_T]], *, moves: bool = False) -> _T:
        job_id = path.name.partition(".")[0]
        try:
            first = await shielded(self._db.write(transitions.begin_decoding, job_id))
        except asyncio.CancelledError:
            await shielded(self._set(job_id, 0))
            raise
        tries = 0 if first else await self._db.read(transitions.decode_tries, job_id)
        if tries >= MAX_DECODE_TRIES:
            raise Undecodable
        # Those that were open when the bot died are tried one at a time: only the culprit counts twice.
        async with nullcontext() if first else self._again:
            left: int | None = tries
            try:
                if not first:
                    await shielded(self._set(job_id, tries + 1))
                made = await decode()
                left = None if first and moves else 0
            except (PhotoRefused, PictureBroken):
                left = 0
                raise
            except DecoderFailed:
                _log.warning("Job %s: %s can't be decoded", job_id, path.name)
                left = MAX_DECODE_TRIES
                raise Undecodable from None
            finally:
                if left is not None:
                    await shielded(self._set(job_id, left))
            return made

    async def _set(self, job_id: str, tries: int) -> None:
        await self._db.write(transitions.set_decode_tries, job_id, tries)
