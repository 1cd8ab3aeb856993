"""The folder in which photos and outputs are kept until no one needs them: bounded, and shared by servers."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import SettingsError
from bot.media.kinds import content_type_of

_log = logging.getLogger(__name__)

_SOURCE, _OUTPUT = "source", "output"  # in files' names, behind the job's id
MAX_READ_BYTES = 512 * 1024  # of a file that is read as a whole to be sent
FOR_OUTPUTS = 0.2  # of the spool is reserved for outputs, which were paid for
# A server's files may take this many times the room that is left for photos: one server gets half of it, two
# a third each, and the next one always finds some.
SHARE = 1.0
# Of all room: what results that could not be posted keep against photos; against results nothing.
KEPT_RESULTS_SHARE = 0.3

Claim = tuple[str, str]
"""Identifies a file: the job's id, and whether it is a photo or an output."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished job's output in the spool. `before` is its source photo, if that is still kept.

    `data` are its bytes, if they are few and were read with its size. `thumbnail` is empty, but for a picture
    that was just fetched.
    """

    path: Path
    kind: str  # image or video
    content_type: str
    size: int  # bytes
    before: "OutputFile | None" = None
    data: bytes | None = field(default=None, repr=False)
    thumbnail: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Evictable:
    """Files of a result that could not be posted, and waits until its person fetches it.

    They can be removed to make room. `is_elsewhere`: Studii may still have it.
    """

    job_id: str
    guild_id: int
    size: int  # bytes
    is_elsewhere: bool


def to_evict(files: Iterable[Evictable], lacking: int, *, spared: int = 0) -> list[Evictable]:
    """Return what makes room for `lacking` bytes; none if all together don't.

    The server that has most in them gives first: first what is elsewhere too, and of that in the order given.
    As many bytes as `spared` stay in any case.
    """
    by_server: dict[int, list[Evictable]] = {}
    for file in files:
        by_server.setdefault(file.guild_id, []).append(file)
    for theirs in by_server.values():
        theirs.sort(key=lambda file: not file.is_elsewhere)
    sums = {guild_id: sum(file.size for file in theirs) for guild_id, theirs in by_server.items()}
    giving: list[Evictable] = []
    while lacking > 0 and any(by_server.values()):
        guild_id = max((one for one in sums if by_server[one]), key=lambda one: sums[one])
        file = by_server[guild_id].pop(0)
        sums[guild_id] -= file.size
        lacking -= file.size
        giving.append(file)
    return giving if lacking <= 0 and sum(sums.values()) >= spared else []


class Spool:
    """Files named after their jobs, bounded in bytes (`max_bytes`). Disk work is done in threads.

    It knows the size of each file, so that no decision about room walks through the folder. A file is claimed
    before it is written, settled when its size is known, and not counted once it is removed. The folder is
    made again, before a file is written, if it was removed (`make`).
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._sizes: dict[Claim, tuple[int, int]] = {}  # server and bytes
        self._servers: Counter[int] = Counter()  # bytes
        self._expected: set[Claim] = set()  # files that are being written
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
    def used(self) -> int:
        """Return the size of all files, also of those that are being written, in bytes."""
        return self._servers.total()

    def source_size(self, job_id: str) -> int:
        """Return the size of a job's photo in bytes, 0 if there is none."""
        return self._sizes.get((job_id, _SOURCE), (0, 0))[1]

    def output_size(self, job_id: str) -> int:
        """Return the size of a job's output, in bytes; 0 if it is not there."""
        return self._sizes.get((job_id, _OUTPUT), (0, 0))[1]

    @property
    def for_photos(self) -> int:
        """Return how many bytes of photos there may be."""
        return int(self.max_bytes * (1 - FOR_OUTPUTS))

    def claim_source(self, job_id: str, guild_id: int, size: int) -> int:
        """Claim room for a job's photo. Return 0, or the bytes that must go before it may be kept."""
        before = self.source_size(job_id)
        left = self.for_photos - (self.used - before) - size
        own = self._servers[guild_id] - before
        lacking = max(0, -left)
        if own > 0:  # a server that has nothing here needs no share
            lacking = max(lacking, int((own + size) / SHARE) - left)
        return lacking or self._claim((job_id, _SOURCE), guild_id, size)

    def claim_output(self, job_id: str, guild_id: int, size: int) -> int:
        """Claim room for a job's output. Return 0, or the missing bytes if there is no room."""
        lacking = max(0, self.used - self.output_size(job_id) + size - self.max_bytes)
        return lacking or self._claim((job_id, _OUTPUT), guild_id, size)

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
        if claim in self._sizes:
            self._put(claim, self._sizes[claim][0], size)
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
            self._drop(claim)
        self._notify()

    async def sweep(self, needed: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        """Remove the files of jobs that are not in `needed` (job id to server), and count the others."""
        # Listed before `needed` is called, so that files that arrive meanwhile are kept.
        before = self._sizes.keys() - self._expected
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
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # photos are for no one else to see

    def _list(self) -> dict[Path, int]:
        self._make()
        return file_sizes(self._folder)

    def _claim(self, claim: Claim, guild_id: int, size: int) -> int:
        if claim not in self._sizes:
            self._expected.add(claim)
        self._put(claim, guild_id, size)
        return 0

    def _put(self, claim: Claim, guild_id: int, size: int) -> None:
        self._drop(claim)
        self._sizes[claim] = guild_id, size
        self._servers[guild_id] += size

    def _drop(self, claim: Claim) -> None:
        guild_id, size = self._sizes.pop(claim, (0, 0))
        self._servers[guild_id] -= size

    def _count(self, files: Mapping[Path, int], before: set[Claim], servers: Mapping[str, int]) -> None:
        """Count files of an earlier life, and no longer those that others removed."""
        sizes: Counter[Claim] = Counter()
        for path, size in files.items():
            sizes[_claim_of(path)] += size
        for claim in sizes.keys() - before - self._sizes.keys():
            self._put(claim, servers[claim[0]], sizes[claim])
        for claim in before - sizes.keys() - self._expected:
            self._drop(claim)

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


def _claim_of(path: Path) -> Claim:
    """Return the job id and role in a file's name. A job has one file of each role."""
    job_id, _, rest = path.name.partition(".")
    return job_id, rest.partition(".")[0]
