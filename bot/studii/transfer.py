"""Upload and download files at signed URLs, without the key and in bounded memory. The engine tries again."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from bot.aio.net import NO_TRANSFER, PRIVATE, reason_of
from bot.aio.tasks import opened, shielded
from bot.studii.errors import DownloadFailed, OutputGone, TooLarge, UploadFailed

_CHUNK = 256 * 1024
_HEAD = 64  # bytes, which are enough to recognize a file's type
# Storage services say 400 and 401 of a signature that has expired.
_GONE = frozenset({400, 401, 403, 404, 410})


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

Count = Callable[[int | None], None]
"""Count a request by the status of its answer, or None without an answer."""


async def put(session: ClientSession, url: URL, path: Path, content_type: str, count: Count) -> None:
    answered: int | None = None
    async with opened(path, "rb") as file:
        # Storage servers refuse chunked bodies, so the length is given.
        size = os.fstat(file.fileno()).st_size
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        try:
            async with session.put(url, data=file, headers=headers, allow_redirects=False) as response:
                status = answered = response.status
        except NO_TRANSFER as error:
            raise UploadFailed(reason=reason_of(error)) from None
        finally:
            count(answered)
    if not 200 <= status < 300:
        raise UploadFailed(status)


async def download(
    session: ClientSession,
    url: URL,
    destination: Path,
    limit: int,
    room: ReserveSpace | None,
    kept_as: ChoosePath | None,
    count: Count,
) -> Download:
    # The name is fixed, so that a file left by a crash is overwritten.
    part = destination.with_name(f"{destination.name}.part")
    try:
        got = await _receive(session, url, part, limit, room, count)
        await shielded(asyncio.to_thread(_keep, part, destination if kept_as is None else kept_as(got)))
    except BaseException:
        await asyncio.to_thread(part.unlink, missing_ok=True)
        raise
    return got


async def _receive(
    session: ClientSession, url: URL, part: Path, limit: int, room: ReserveSpace | None, count: Count
) -> Download:
    status: int | None = None
    try:
        async with session.get(
            url,
            headers={"Accept-Encoding": "identity"},  # so that lengths are those of the file
            auto_decompress=False,
            allow_redirects=False,
            read_bufsize=_CHUNK,
        ) as response:
            status = response.status
            _check(response, limit)
            if room is not None:
                limit = min(limit, await room(response.content_length))
            async with opened(part, "wb") as file:
                return await _write(response, file, limit)
    except NO_TRANSFER as error:
        reason = reason_of(error)
        raise (OutputGone if reason == PRIVATE else DownloadFailed)(reason=reason) from None
    finally:
        count(status)


def _check(response: ClientResponse, limit: int) -> None:
    """Raise unless the answer is a 200 with an acceptable body."""
    if response.status != 200:
        raise (OutputGone if response.status in _GONE else DownloadFailed)(reason=f"status {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadFailed(reason="packed although it was asked for plain")
    if response.content_length is not None and response.content_length > limit:
        raise TooLarge(limit)


async def _write(response: ClientResponse, file: BinaryIO, limit: int) -> Download:
    size, head = 0, b""
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        head += piece[: _HEAD - len(head)]
        await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(file.flush)
    if size == 0 or response.content_length not in {None, size}:
        raise DownloadFailed(reason=f"{size} of {response.content_length} bytes")
    return Download(size, response.content_type, head)


def _keep(part: Path, destination: Path) -> None:
    """Give the file its name once the disk has it."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(destination)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(destination.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
