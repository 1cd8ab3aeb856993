"""What a life of the bot has in place of the clock, of Discord's files, and of a decoder that survives."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock
from bot.engine.files import Decoder
from bot.errors import PhotoUnavailable
from bot.jobs.models import Job
from bot.media.photo import Photo


class LaterClock(SystemClock):
    """A clock that is ahead."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead


class FolderPhotos:
    """Photos come from a folder, and it takes a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        await asyncio.to_thread(shutil.copyfile, self._folder / "photo.png", destination)


async def no_file(url: str, limit: int) -> bytes:
    """Read a file of Discord's; the starred results of trials have none."""
    raise PhotoUnavailable


class DeadlyDecoder:
    """Opening some files kills the process; meanwhile others are being opened."""

    def __init__(self, decoder: Decoder, deadly: Sequence[str]) -> None:
        self._decoder = decoder
        self._deadly = deadly

    async def inspect(self, path: Path) -> Photo:
        await self._open(path)
        return await self._decoder.inspect(path)

    async def check(self, path: Path) -> None:
        await self._open(path)
        await self._decoder.check(path)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        await self._open(path)
        return await self._decoder.fit(path, limit, made=made)

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        await self._open(path)
        return await self._decoder.label(path, limit, words, corner)

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        await self._open(after)
        return await self._decoder.split(before, after, limit, labels)

    async def _open(self, path: Path) -> None:
        if self._deadly:
            await asyncio.sleep(0.1)
        if any(path.name.startswith(name) for name in self._deadly):
            os.kill(os.getpid(), signal.SIGKILL)
