"""The bytes of photos that members attached, from Discord's CDN."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import urlsplit

import aiohttp

from bot.aio.proxy import direct
from bot.aio.public_hosts import Reach
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.model import Job

log = logging.getLogger(__name__)

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
CHUNK = 256 * 1024  # bytes


class CdnPhotoSource:
    """Fetches the source of a job from Discord's CDN and from nowhere else.

    An async context manager that closes its connections. `connect` makes its connector, from the options of
    `bot.aio.proxy.connector`.
    """

    def __init__(self, connect: Callable[..., aiohttp.BaseConnector] = direct) -> None:
        self._connect = connect
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(connector=self._connect(reach=Reach()), timeout=TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.close()

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        """Write the job's photo to `destination`.

        Raises `PhotoUnavailable` with a sentence; `PhotoDelayed` if it is for the moment alone.
        """
        if job.source is None or not _is_discords(job.source.url):
            raise PhotoUnavailable
        file = await asyncio.to_thread(destination.open, "wb")
        try:
            await self._stream(job.source.url, file, limit)
        except (aiohttp.ClientError, TimeoutError) as error:
            # Not the error itself: some have the signed address in them.
            reason = type(error).__name__
            log.info("The photo of job %s could not be fetched: %s", job.id, reason, extra={"job": job.id})
            raise PhotoDelayed from error
        finally:
            await asyncio.to_thread(file.close)

    async def _stream(self, url: str, file: BinaryIO, limit: int) -> None:
        if self._opened is None:
            raise RuntimeError("a CdnPhotoSource is entered before it is used")
        async with self._opened.get(url, allow_redirects=False) as response:
            if response.status in {403, 404, 410}:
                raise PhotoUnavailable
            if response.status != 200:
                raise PhotoDelayed
            taken = 0
            async for chunk in response.content.iter_chunked(CHUNK):
                taken += len(chunk)
                if taken > limit:
                    raise PhotoUnavailable("That photo is larger than this bot takes. Send a smaller one.")
                await asyncio.to_thread(file.write, chunk)


def _is_discords(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.hostname in HOSTS
