"""Check, convert and reduce pictures in a pool of decoder processes."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from bot.media.decoder_answers import (
    DecoderRefusal,
    ProbeResult,
    broken,
    photo_of,
    probe_result_of,
    refusal_of,
    too_large,
)
from bot.media.decoder_process import DecoderProcess, ProcessDied, RequestNotTaken
from bot.media.kinds import PhotoKind
from bot.media.memory import MemoryBudget
from bot.media.photo import MAX_PIXELS, DecoderFailed, Photo, PictureBroken
from bot.media.process_supervisor import ProcessSupervisor

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
TOTAL_BYTES = 660 * MEBIBYTE
"""The most memory for pictures that are open at the same time."""
MAX_PICTURE_MEMORY_BYTES = 560 * MEBIBYTE
"""The most for one picture: a small one has room beside it."""
SMALL_BYTES = 140 * MEBIBYTE
"""A picture of 12 megapixels of any kind is small: it does not wait for a large one."""

MAX_CHECKED_PIXELS = 160_000_000
"""The most pixels of a result that is decoded to see whether it is whole, where its kind has the memory."""
MAX_PHOTO_BYTES = 25_000_000
"""The most bytes of a transparent photo that is converted to PNG; a larger one becomes a WebP."""
SMALL_AT_ONCE = 2
SMALL_PICTURE_SECONDS = 1.5
"""Of the processor: after these a small picture makes room for others that wait, and is tried again with the
large ones."""
_BUSY = 4  # how much longer it may take than the seconds of the processor that it uses
_CHECK_AGAIN = 0.2
_TRIES = 3
_MAPPED = 32 * MEBIBYTE  # address space beside the picture itself
_MAPPED_BY_THREADS = 112 * MEBIBYTE  # where the library has threads, and each of them its arena and stack
_THREADED = frozenset({PhotoKind.HEIC, PhotoKind.AVIF})
_PROBE_BYTES = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The time limits of a request, in seconds of processor time and of real time.

    A photo of 64 megapixels takes up to 14 s of one core. The limits allow for a machine that is five times
    slower, or shared with others.
    """

    processor: int
    passing: float

    @classmethod
    def of(cls, pixels: int) -> "TimeLimits":
        processor = 10 + pixels // 1_000_000
        return cls(processor, 20.0 + 3 * processor)


class _Overtaken(Exception):
    """A small picture took too long while others waited."""


class DecoderPool:
    """Opens pictures in processes without secrets, with limits on memory, processor time and time.

    Two small pictures are open at once, and one large one beside them. Each method raises `DecoderFailed` if
    its process died on the file or exceeded a bound, and calls `died` before; and OSError if a process can't
    be started or the file can't be read or written. A cancelled call ends its process, and nothing waits for
    that.
    """

    def __init__(
        self,
        *,
        small_at_once: int = SMALL_AT_ONCE,
        max_pixels: int = MAX_PIXELS,
        max_photo_bytes: int = MAX_PHOTO_BYTES,
        died: Callable[[], None] = lambda: None,
    ) -> None:
        self._died = died
        self._max_pixels = max_pixels
        self._max_photo_bytes = max_photo_bytes
        self._memory = MemoryBudget(TOTAL_BYTES)
        self._slots = asyncio.Semaphore(small_at_once)
        self._waiting = 0
        self._processes = ProcessSupervisor()
        self._removals: dict[Path, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._processes.close()

    async def inspect(self, path: Path) -> Photo:
        """Decode the photo. A kind that Studii does not accept is converted to JPEG, PNG or WebP in place.

        Raises `PhotoRefused` if it can't be used.
        """
        into = path.with_name(f"{path.name}.converted")
        if (removal := self._removals.get(into)) is not None:
            await asyncio.wait({removal})  # what an earlier call left; it must not take what this one makes
        try:
            most = self._max_photo_bytes
            answer, _ = await self._open("inspect", path, into=str(into), most=most)
            if answer.get("heavy"):
                answer, _ = await self._open("lighten", path, into=str(into), most=most)
            photo = photo_of(answer)
            if not photo.kind.is_accepted:
                await asyncio.to_thread(into.replace, path)
        except DecoderRefusal as refusal:
            raise refusal.photo from None
        finally:
            self._removals[into] = removal = self._processes.later(_remove(into))
            removal.add_done_callback(lambda _: self._removals.pop(into, None))
        return photo

    async def check(self, path: Path) -> None:
        """Decode a picture completely. Raises `PictureBroken` if it is broken or incomplete.

        Files that are not pictures (videos) pass. Of pictures that are too large to be opened only the
        structure is read.
        """
        try:
            await self._open("check", path)
        except DecoderRefusal as refusal:
            if refusal.why in {"broken", "structure"}:
                raise PictureBroken from None

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that.

        One that is `made` by AI says so.
        """
        return await _made(self._open("fit", path, limit=limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy of a picture made by AI with words in a corner, as `fit` returns one."""
        return await _made(self._open("label", path, limit=limit, words=words, corner=corner))

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        """Return one picture of both halves (see `bot.media.drawing.draw_halves`), as `fit` returns one."""

        async def halves() -> tuple[dict[str, Any], bytes]:
            other = await self._admit("fit", before)
            more = {"before": str(before), "before_pixels": other.pixels, "labels": labels}
            return await self._open("split", after, extra=other.memory, limit=limit, **more)

        return await _made(halves())

    async def missing(self) -> tuple[str, ...]:
        """Return the limits that this system can't set. Raises OSError if no process can be started."""
        async with self._processes.one() as process:
            return process.missing

    async def _open(
        self, what: str, path: Path, *, extra: int = 0, **more: object
    ) -> tuple[dict[str, Any], bytes]:
        """Send the request `what` when there is room for the picture's memory, and for `extra` bytes.

        Raises `DecoderRefusal`.
        """
        probed = await self._admit(what, path)
        memory = probed.memory + extra
        request = {"do": what, "path": str(path), "pixels": probed.pixels, **more}
        if what == "inspect":
            request["room"] = memory
        allowed = memory + (_MAPPED_BY_THREADS if probed.kind in _THREADED else _MAPPED)
        return await self._ask(request, memory, allowed, TimeLimits.of(probed.pixels))

    async def _admit(self, what: str, path: Path) -> ProbeResult:
        """Look at a picture that is to be opened. Raises `DecoderRefusal`."""
        request = {"do": "probe", "what": what, "path": str(path)}
        answer, _ = await self._ask(request, 0, _PROBE_BYTES, TimeLimits.of(0))
        probed = probe_result_of(answer)
        max_pixels = max(self._max_pixels, MAX_CHECKED_PIXELS) if what == "check" else self._max_pixels
        most = min(max_pixels, probed.pixels * MAX_PICTURE_MEMORY_BYTES // max(probed.memory, 1))
        is_too_large = probed.pixels > most
        if not probed.is_whole and (what == "check" or not is_too_large):
            raise broken(probed.kind)
        if is_too_large:
            raise too_large(probed, _rounded(most) if most < max_pixels else most)
        return probed

    async def _ask(
        self, request: dict[str, Any], size: int, allowed: int, limits: TimeLimits
    ) -> tuple[dict[str, Any], bytes]:
        request |= {"memory": allowed, "seconds": limits.processor}
        answer, data = await self._in_turn(request, size, limits)
        error = answer.get("error")
        if isinstance(error, int):
            raise OSError(error, os.strerror(error))
        if (refusal := refusal_of(answer)) is not None:
            raise refusal
        if "failed" in answer:
            _log.warning(
                "A decoder ran out of its %d MB (%s)", allowed // MEBIBYTE, Path(request["path"]).name
            )
            self._died()
            raise DecoderFailed
        return answer, data

    async def _in_turn(
        self, request: dict[str, Any], size: int, limits: TimeLimits
    ) -> tuple[dict[str, Any], bytes]:
        if size <= SMALL_BYTES:
            try:
                async with self._small(size):
                    return await self._answer(request, limits, is_small=True)
            except _Overtaken:
                _log.info(
                    "A small picture takes long while others wait: it is tried on a process for large ones"
                )
        async with self._memory.large(size):
            return await self._answer(request, limits)

    @asynccontextmanager
    async def _small(self, size: int) -> AsyncGenerator[None]:
        self._waiting += 1
        is_waiting = True
        try:
            async with self._memory.small(size), self._slots:
                self._waiting -= 1
                is_waiting = False
                yield
        finally:
            self._waiting -= is_waiting

    async def _answer(
        self, request: dict[str, Any], limits: TimeLimits, *, is_small: bool = False
    ) -> tuple[dict[str, Any], bytes]:
        for _ in range(_TRIES):
            try:
                async with self._processes.one() as process:
                    asking = process.ask(request, limits.passing)
                    return await (self._unless_overtaken(process, asking) if is_small else asking)
            except RequestNotTaken:
                continue  # it had ended before: nobody can tell why, and the file was not touched
            except ProcessDied as error:
                if self._processes.is_closed:
                    break  # by us
                _log.warning(
                    "A decoder died: %s (%s of %s)", error, request["do"], Path(request["path"]).name
                )
                self._died()
                raise DecoderFailed from None
        raise OSError("no decoder stays running")

    async def _unless_overtaken(self, process: DecoderProcess, asking: Coroutine[Any, Any, _T]) -> _T:
        """Wait for the answer. Raises `_Overtaken` if it takes long while others wait.

        Measured in processor time, as every picture takes longer on a busy machine.
        """
        task, loop = asyncio.ensure_future(asking), asyncio.get_running_loop()
        latest = loop.time() + _BUSY * SMALL_PICTURE_SECONDS
        spent: float | None = None
        try:
            while not (await asyncio.wait({task}, timeout=_CHECK_AGAIN))[0]:
                now = process.processor_seconds()
                if spent is None:
                    spent = now  # counted from here: most pictures are done by then, and need no look
                is_long = now - spent > SMALL_PICTURE_SECONDS or loop.time() > latest
                if is_long and self._waiting:
                    raise _Overtaken
            return task.result()
        finally:
            task.cancel()


async def _made(asked: Awaitable[tuple[dict[str, Any], bytes]]) -> bytes | None:
    """Return the picture that was asked for, or None if there is no way to it."""
    try:
        _, data = await asked
    except (DecoderRefusal, OSError):
        return None
    return data or None


def _rounded(pixels: int) -> int:
    return pixels // 1_000_000 * 1_000_000 or pixels


async def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        await asyncio.to_thread(path.unlink)
