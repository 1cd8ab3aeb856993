"""The bytes of photos that members attached, from Discord's CDN."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO, Self

import aiohttp

from bot.aio.net import NO_TRANSFER, Connector, Reach, absolute_address
from bot.aio.tasks import opened
from bot.errors import PhotoDelayed, PhotoUnavailable, Refused
from bot.jobs.models import Job, SourcePhoto
from bot.reasons import Reason, ReasonCode
from bot.ui.reading.pictures import PhotoGone

_log = logging.getLogger(__name__)

HOSTS = frozenset(
    {
        "cdn.discordapp.com",
        "media.discordapp.net",
        # Discord's proxy for pictures from elsewhere.
        "images-ext-1.discordapp.net",
        "images-ext-2.discordapp.net",
    }
)
TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=30)
CHUNK_BYTES = 256 * 1024


Find = Callable[[Job, SourcePhoto], Awaitable[SourcePhoto]]


class _NotThere(PhotoUnavailable):
    """The address is not good (any more); the photo's message may have another."""


class CdnPhotoSource:
    """Fetches the source of a job from Discord's CDN and from nowhere else.

    An async context manager that closes its connections. `connect` makes its connector, from the options of
    `bot.aio.net.Connector`. Where an address has expired, `find` returns the photo with the one that it has
    in its message now (see `bot.ui.reading.pictures.found_again`).
    """

    def __init__(self, find: Find, connect: Callable[..., aiohttp.BaseConnector] = Connector) -> None:
        self._find = find
        self._session = aiohttp.ClientSession(connector=connect(reach=Reach()), timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        """Write the job's photo to `destination`.

        Raises `PhotoUnavailable` with a reason; `PhotoDelayed` if it is for the moment alone.
        """
        if job.source is None:
            raise PhotoUnavailable
        try:
            await self._fetch(job.source, destination, limit)
        except _NotThere:
            try:
                found = await self._find(job, job.source)
            except PhotoGone:
                raise PhotoUnavailable from None
            except Refused:
                raise PhotoDelayed from None
            await self._fetch(found, destination, limit)

    async def _fetch(self, source: SourcePhoto, destination: Path, limit: int) -> None:
        address = absolute_address(source.url)
        if address is None or address.scheme != "https" or address.host not in HOSTS:
            raise PhotoUnavailable
        async with opened(destination, "wb") as file:
            await self._stream(source.url, file, limit)

    async def _stream(self, url: str, file: BinaryIO, limit: int) -> None:
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in {403, 404, 410}:
                    raise _NotThere
                if response.status != 200:
                    raise PhotoDelayed
                taken = 0
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    taken += len(chunk)
                    if taken > limit:
                        raise PhotoUnavailable(Reason(ReasonCode.PHOTO_LARGER_THAN_TAKEN))
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(file.flush)
        except NO_TRANSFER as error:
            # Not the error itself: some have the signed address in them.
            _log.info("A file of Discord's could not be fetched: %s", type(error).__name__)
            raise PhotoDelayed from error
