"""The folder in which photos and outputs are kept until they are no longer needed."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import suppress
from pathlib import Path

from bot.domain import OutputFile
from bot.errors import SettingsError
from bot.media.kinds import content_type_of
from bot.media.spool_usage import SpoolUsage

_log = logging.getLogger(__name__)

_SOURCE, _OUTPUT = "source", "output"  # in files' names, behind the job's id
MAX_READ_BYTES = 512 * 1024  # of a file that is read as a whole to be sent


class Spool:
    """Files named after their jobs, bounded in bytes (`max_bytes`). Disk work is done in threads.

    `SpoolUsage` knows the size of each file, so that no decision about room walks through the folder. A file
    is claimed before it is written, settled when its size is known, and not counted once it is removed. The
    folder is made again, before a file is written, if it was removed (`make`).
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._usage = SpoolUsage(max_bytes)
        self._expected: set[tuple[str, str]] = set()  # claims of files that are being written
        self._freed: list[Callable[[], None]] = []

    def when_freed(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever files have left the spool. It must not raise."""
        self._freed.append(listener)

    async def prepare(self) -> None:
        """Make the folder if need be, and see that files can be made in it. Raises `SettingsError`."""
        try:
            await asyncio.to_thread(self._try)
        except OSError as error:
            raise SettingsError.met(
                f"The folder {self._folder} for photos and results can't be used ("
                f"{(error.strerror or type(error).__name__).lower()}). Allow the bot to write there, or "
                "set DATABASE_URL to another place.",
                error,
            ) from error

    def path(self, name: str) -> Path:
        """Return the path of the file with that name."""
        return self._folder / Path(name).name

    def source(self, job_id: str, suffix: str = "") -> Path:
        """Return the path for a job's photo."""
        return self.path(f"{job_id}.source{suffix}")

    def output(self, job_id: str, suffix: str = "") -> Path:
        """Return the path for a job's output."""
        return self.path(f"{job_id}.output{suffix}")

    @property
    def max_bytes(self) -> int:
        """Return the limit of all files together, in bytes."""
        return self._usage.max_bytes

    @property
    def used(self) -> int:
        """Return the size of all files, also of those that are being written, in bytes."""
        return self._usage.used

    def source_size(self, job_id: str) -> int:
        """Return the size of a job's photo in bytes, 0 if there is none."""
        return self._usage.size((job_id, _SOURCE))

    def output_size(self, job_id: str) -> int:
        """Return the size of a job's output, in bytes; 0 if it is not there."""
        return self._usage.size((job_id, _OUTPUT))

    def left_for_output(self, job_id: str) -> int:
        """Return how many bytes the job's output may have now."""
        return self._usage.left_for_output((job_id, _OUTPUT))

    def claim_source(
        self, job_id: str, guild_id: int, size: int, *, held: bool = False, held_together: int = 0
    ) -> int:
        """Claim room for a job's photo. Return 0, or the missing bytes if there is no room."""
        claim = job_id, _SOURCE
        lacking = self._usage.lacking_for_source(
            claim, guild_id, size, held=held, held_together=held_together
        )
        return lacking or self._claim(claim, guild_id, size)

    def claim_output(self, job_id: str, guild_id: int, size: int) -> int:
        """Claim room for a job's output. Return 0, or the missing bytes if there is no room."""
        claim = job_id, _OUTPUT
        return self._usage.lacking_for_output(claim, size) or self._claim(claim, guild_id, size)

    def claim_rest(self, job_id: str, guild_id: int, most: int) -> int:
        """Claim the free room for an output of unknown size, at most `most` bytes. Return its bytes."""
        claim = job_id, _OUTPUT
        size = min(most, self._usage.left_for_output(claim))
        self._claim(claim, guild_id, size)
        return size

    async def make(self) -> None:
        """Create the folder if it was removed. To be called before a file is written."""
        await asyncio.to_thread(self._make)

    async def settle(self, path: Path) -> int:
        """Change the claim of a written file to its size, which is returned in bytes."""
        size = (await asyncio.to_thread(path.stat)).st_size
        self.settle_at(path, size)
        return size

    def settle_at(self, path: Path, size: int) -> None:
        """Change the claim of a written file to its size in bytes, which is known."""
        claim = _claim_of(path)
        self._expected.discard(claim)
        self._usage.resize(claim, size)
        self._notify()

    async def open_output(self, name: str) -> OutputFile | None:
        """Return a kept output, or None if the file is gone. A small one is read at the same time."""
        path = self.path(name)
        try:
            size, data = await asyncio.to_thread(_read_if_small, path)
        except FileNotFoundError:
            return None
        content_type = content_type_of(path)
        return OutputFile(path, content_type.partition("/")[0], content_type, size, data=data)

    async def remove(self, *names: str | None) -> None:
        """Remove files. Missing ones are ignored."""
        paths = [self.path(name) for name in names if name]
        await asyncio.to_thread(self._unlink, paths)
        for path in paths:
            claim = _claim_of(path)
            self._expected.discard(claim)
            self._usage.drop(claim)
        self._notify()

    async def sweep(self, needed: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        """Remove the files of jobs that are not in `needed` (job id to server), and count the others."""
        # Listed before `needed` is called, so that files that arrive meanwhile are kept.
        before = set(self._usage.claims) - self._expected
        listed = await asyncio.to_thread(self._list)
        keep = await needed()
        orphans = [path for path in listed if path.name.partition(".")[0] not in keep]
        await asyncio.to_thread(self._unlink, orphans)
        self._count({path: size for path, size in listed.items() if path not in orphans}, before, keep)
        self._notify()
        if orphans:
            _log.info("Removed %d files from the spool that no job needs", len(orphans))

    def _notify(self) -> None:
        for listener in self._freed:
            listener()

    def _try(self) -> None:
        self._make()
        trial = self._folder / f".trial-{os.getpid()}"
        trial.touch()
        trial.unlink()

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # photos are for nobody else to see

    def _list(self) -> dict[Path, int]:
        self._make()
        return file_sizes(self._folder)

    def _claim(self, claim: tuple[str, str], guild_id: int, size: int) -> int:
        if claim not in self._usage:
            self._expected.add(claim)
        self._usage.put(claim, guild_id, size)
        return 0

    def _count(self, files: Mapping[Path, int], before: set[Hashable], servers: Mapping[str, int]) -> None:
        """Bring the usage in line with the listed files, except for those that changed since."""
        sizes: Counter[tuple[str, str]] = Counter()
        for path, size in files.items():
            sizes[_claim_of(path)] += size
        for claim, size in sizes.items():
            if claim in before and claim not in self._expected:
                self._usage.resize(claim, size)
            elif claim not in before and claim not in self._usage:
                self._usage.put(claim, servers[claim[0]], size)
        for claim in before - sizes.keys() - self._expected:
            self._usage.drop(claim)

    @staticmethod
    def _unlink(paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)


def file_sizes(folder: Path) -> dict[Path, int]:
    """Return the size of each file in the folder, in bytes, except for those that are removed meanwhile."""
    sizes: dict[Path, int] = {}
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.is_file():
                sizes[path] = path.stat().st_size
    return sizes


def _read_if_small(path: Path) -> tuple[int, bytes | None]:
    """Return the file's size in bytes, and the bytes if they are few."""
    size = path.stat().st_size
    if size > MAX_READ_BYTES:
        return size, None
    data = path.read_bytes()
    return len(data), data


def _claim_of(path: Path) -> tuple[str, str]:
    """Return the job id and role in a file's name. A job has one file of each role."""
    job_id, _, rest = path.name.partition(".")
    return job_id, rest.partition(".")[0]
