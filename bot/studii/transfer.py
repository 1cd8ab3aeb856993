"""Upload and download files at signed URLs, without the key and in bounded memory."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import stamina
from aiohttp import ClientResponse, ClientSession
from yarl import URL

from bot.aio.connections import NO_TRANSFER
from bot.aio.file_opening import opened
from bot.aio.shield import shielded
from bot.studii.errors import DownloadFailed, OutputGone, TooLarge, UploadFailed
from bot.studii.exchange import leads_nowhere, never_sent, reason_of

_CHUNK = 256 * 1024
_HEAD = 64  # bytes, which are enough to recognize a file's type
# Storage services say 400 and 401 of a signature that has expired.
_GONE = frozenset({400, 401, 403, 404, 410})
_PASSING = frozenset({408, 425, 429})

_PRIVATE = "the address's host is in a private network"


class _NotStored(UploadFailed):
    """Certainly not stored, so the same URL can be used again."""


class _Interrupted(DownloadFailed):
    """Can be tried again at once."""


@dataclass(frozen=True)
class Download:
    """A finished download. `size` is in bytes; `content_type` is the storage's claim about it.

    `head` has the file's first bytes.
    """

    size: int
    content_type: str
    head: bytes


ReserveSpace = Callable[[int | None], Awaitable[int]]
"""Reserve space on the disk for a file of n bytes, or of unknown size if that is None. Returns the number of
bytes that it may have."""

ChoosePath = Callable[[Download], Path]
"""Return the path at which a download is kept, now that it is known what it is. May raise."""


class FileTransfer:
    def __init__(self, session: ClientSession, *, attempts: int, retry_wait: float) -> None:
        self._session = session
        self._retried = stamina.AsyncRetryingCaller(
            attempts=attempts,
            timeout=None,
            wait_initial=retry_wait,
            wait_max=retry_wait * 10,
            wait_jitter=retry_wait,
        )

    async def put(self, url: URL, path: Path, content_type: str) -> None:
        await self._retried(_NotStored, self._put_once, url, path, content_type)

    async def _put_once(self, url: URL, path: Path, content_type: str) -> None:
        file = await opened(path, "rb")
        try:
            size = (await asyncio.to_thread(os.fstat, file.fileno())).st_size
            # Storage servers refuse chunked bodies, so the length is given.
            headers = {"Content-Type": content_type, "Content-Length": str(size)}
            async with self._session.put(url, data=file, headers=headers, allow_redirects=False) as response:
                status = response.status
        except NO_TRANSFER as error:
            # Once it was sent, it may be stored and the URL used up.
            if leads_nowhere(error):
                raise UploadFailed(reason=_PRIVATE) from None
            kind = _NotStored if never_sent(error) else UploadFailed
            raise kind(reason=reason_of(error)) from None
        finally:
            file.close()  # nothing of a file that was read is left to write
        if 200 <= status < 300:
            return
        raise (_NotStored if status >= 500 or status in _PASSING else UploadFailed)(status)

    async def download(
        self,
        url: URL,
        destination: Path,
        limit: int,
        room: ReserveSpace | None,
        kept_as: ChoosePath | None,
    ) -> Download:
        return await self._retried(_Interrupted, self._download_once, url, destination, limit, room, kept_as)

    async def _download_once(
        self,
        url: URL,
        destination: Path,
        limit: int,
        room: ReserveSpace | None,
        kept_as: ChoosePath | None,
    ) -> Download:
        # The name is fixed, so that a file left by a crash is overwritten.
        part = _Part(destination.with_name(f"{destination.name}.part"))
        try:
            download, rest = await self._receive(url, part, limit, room)
            await part.keep(rest, destination if kept_as is None else kept_as(download))
        except BaseException:
            await part.discard()
            raise
        return download

    async def _receive(
        self, url: URL, part: "_Part", limit: int, room: ReserveSpace | None
    ) -> tuple[Download, bytes]:
        """Write the body to the file, and return its rest, which is yet to be written."""
        try:
            async with self._session.get(
                url,
                headers={"Accept-Encoding": "identity"},  # so that lengths are those of the file
                auto_decompress=False,
                allow_redirects=False,
                read_bufsize=_CHUNK,
            ) as response:
                _check(response, limit)
                if room is not None:
                    limit = min(limit, await room(response.content_length))
                size, head, rest = await _write_most(response, part, limit)
                if size == 0 or response.content_length not in {None, size}:
                    raise _Interrupted(reason=f"{size} of {response.content_length} bytes")
                return Download(size, response.content_type, head), rest
        except NO_TRANSFER as error:
            if leads_nowhere(error):
                raise OutputGone(reason=_PRIVATE) from None
            raise _Interrupted(reason=reason_of(error)) from None


def _check(response: ClientResponse, limit: int) -> None:
    """Raise unless the answer is a 200 with an acceptable body."""
    status = response.status
    if status in _GONE:
        raise OutputGone(reason=f"status {status}")
    if status >= 500 or status in _PASSING:
        raise _Interrupted(reason=f"status {status}")
    if status != 200:
        raise DownloadFailed(reason=f"status {status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadFailed(reason="packed although it was asked for plain")
    if response.content_length is not None and response.content_length > limit:
        raise TooLarge(limit)


class _Part:
    """The file of a download that is not complete. It is made when the first bytes are written.

    Each call of a thread costs more than the writing: a small file is made, written and kept in one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    async def write(self, piece: bytes) -> None:
        if self._file is None:
            self._file = await opened(self._path, "wb")
        await asyncio.to_thread(self._file.write, piece)

    async def keep(self, rest: bytes, destination: Path) -> None:
        """Write the rest, and give the file its name once the disk has it."""
        await shielded(asyncio.to_thread(self._keep, rest, destination))

    async def discard(self) -> None:
        if self._file is not None:
            await asyncio.to_thread(self._discard, self._file)

    def _keep(self, rest: bytes, destination: Path) -> None:
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(rest)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(destination)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(destination.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _discard(self, file: BinaryIO) -> None:
        with suppress(OSError):  # a full disk fails again when the rest of the buffer is written
            file.close()
        self._path.unlink(missing_ok=True)


async def _write_most(response: ClientResponse, part: _Part, limit: int) -> tuple[int, bytes, bytes]:
    """Write the body, and return its size, its first bytes, and its rest, which is yet to be written."""
    size, head, rest = 0, b"", bytearray()
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        head += piece[: _HEAD - len(head)]
        rest += piece
        if len(rest) >= _CHUNK:
            await part.write(bytes(rest))
            rest.clear()
    return size, head, bytes(rest)
