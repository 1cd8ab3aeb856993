"""The one way to have a picture opened: checked, converted, or made to fit."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.media.photo import MAX_PIXELS, Photo, check, fit, inspect


class DecoderPool:
    """Opens pictures, at most `max_workers` at once, and of large ones (see `SMALL_BYTES`) one at a time.

    Each method raises `DecoderFailed` if the decoder died on the file or exceeded its bounds, and OSError if
    the file cannot be opened or written. A call that is cancelled is abandoned at once.
    """

    def __init__(self, max_workers: int = 2, *, max_pixels: int = MAX_PIXELS) -> None:
        self._workers = ThreadPoolExecutor(max_workers, thread_name_prefix="photo")
        self._max_pixels = max_pixels

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._workers.shutdown, cancel_futures=True)

    async def inspect(self, path: Path) -> Photo:
        """Decode the photo; one of a kind that Studii does not take is replaced by the same picture as a JPEG
        or PNG. Raises `PhotoRefused` if it cannot be used."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, inspect, path, self._max_pixels)

    async def fit(self, path: Path, limit: int) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, fit, path, limit, self._max_pixels)

    async def check(self, path: Path) -> None:
        """Decode a picture whole and leave it as it is; raises `PictureBroken` if it is broken or cut off.

        A file of a kind that `sniff` does not know (a video) is never opened, and passes.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._workers, check, path, self._max_pixels)
