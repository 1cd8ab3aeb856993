"""The folder in which photos and outputs are kept until they are no longer needed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from bot.errors import SettingsError
from bot.model import OutputFile

_log = logging.getLogger(__name__)

FOR_OUTPUTS = 0.2  # of all room: photos leave it alone, so that what was paid for finds a place

# The names of files of ours end in these; the content type is known by them.
CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
_SUFFIXES = {content_type: suffix for suffix, content_type in CONTENT_TYPES.items()}


def suffix_of(content_type: str) -> str | None:
    """`.jpg` of `image/jpeg`; None for what we do not know."""
    return _SUFFIXES.get(content_type)


def content_type_of(path: Path) -> str:
    """What a file of the spool holds, by its name."""
    return CONTENT_TYPES.get(path.suffix, "application/octet-stream")


class Spool:
    """Files named after their jobs, bounded in bytes (`max_bytes`). Disk work is done in threads.

    The folder is made anew if somebody has removed it: before anything is written, room is asked for.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    async def prepare(self) -> None:
        """Make the folder if need be, and see that files can be made in it. Raises `SettingsError`."""
        try:
            await asyncio.to_thread(self._try)
        except OSError as error:
            raise SettingsError(
                f"The folder {self._folder} for photos and results can't be "
                f"used ({(error.strerror or type(error).__name__).lower()}). Give the bot the right to write "
                "there, or set DATABASE_URL to another place."
            ) from error

    def path(self, name: str) -> Path:
        """Where the file of that name is, or would be."""
        return self._folder / Path(name).name

    def source(self, job_id: str, suffix: str = "") -> Path:
        """Where a job's photo goes."""
        return self.path(f"{job_id}.source{suffix}")

    def output(self, job_id: str, suffix: str = "") -> Path:
        """Where a job's output goes."""
        return self.path(f"{job_id}.output{suffix}")

    async def room_for_source(self, size: int) -> bool:
        """Whether a photo of `size` bytes may still come in."""
        return await asyncio.to_thread(self._used) + size <= self._max_bytes * (1 - FOR_OUTPUTS)

    async def room_for_output(self) -> bool:
        """Whether another output may still come in."""
        return await asyncio.to_thread(self._used) < self._max_bytes

    async def open_output(self, name: str) -> OutputFile | None:
        """A kept output; None if it is no longer there."""
        path = self.path(name)
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            return None
        content_type = content_type_of(path)
        return OutputFile(path, content_type.partition("/")[0], content_type, size)

    async def remove(self, *names: str | None) -> None:
        """Remove files; it does not matter whether they are there."""
        await asyncio.to_thread(self._unlink, [self.path(name) for name in names if name])

    async def sweep(self, needed: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Remove the files of all jobs but those whose ids `needed` tells."""
        # Listed before it is asked what is needed: what comes in meanwhile is not touched.
        listed = await asyncio.to_thread(self._list)
        keep = await needed()
        orphans = [path for path in listed if path.name.partition(".")[0] not in keep]
        await asyncio.to_thread(self._unlink, orphans)
        if orphans:
            _log.info("Removed %d files from the spool that no job needs", len(orphans))

    def _try(self) -> None:
        self._make()
        trial = self._folder / ".trial"
        trial.touch()
        trial.unlink()

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # photos are for nobody else to see

    def _list(self) -> list[Path]:
        self._make()
        return [path for path in self._folder.iterdir() if path.is_file()]

    def _used(self) -> int:
        used = 0
        for path in self._list():
            try:
                used += path.stat().st_size
            except FileNotFoundError:
                continue
        return used

    @staticmethod
    def _unlink(paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
