"""Check, convert and reduce pictures in processes without secrets (`bot.media.decoder`)."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple, Self, cast

import msgspec
from msgspec import Meta, Struct

from bot.aio.tasks import shielded
from bot.media.decoder import BUSY, LARGE, MEBIBYTE, SMALL
from bot.media.kinds import PhotoKind
from bot.media.photo import MAX_PIXELS, DecoderFailed, Photo, PhotoRefused, PictureBroken
from bot.reasons import Reason, ReasonCode

_log = logging.getLogger(__name__)

MAX_PHOTO_BYTES = 25_000_000
"""The most bytes of a photo that is converted, where the settings don't say otherwise."""
MAX_THUMBNAIL_BYTES = 16_000  # some 4,000 are usual
MAX_DEATHS = 2  # of processes on one file, before it is given up
MAX_STARTS = 3
AT_ONCE = 2  # pictures that are open at the same time, of which one may be large
_PROGRAM = Path(__file__).with_name("decoder")
_BESIDE = 24 * MEBIBYTE  # memory for what is no picture
_MAX_LINE_BYTES = 4096
_START_SECONDS = 60.0  # a fifth of one is usual
_END_SECONDS = 2.0
_SLACK_SECONDS = 5.0
# The only variables of the bot's environment that a decoder gets.
_NEEDED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
_ACCEPTED = frozenset(kind.content_type for kind in PhotoKind if kind.is_accepted)
_AGAIN = frozenset({"room", "broken"})  # out of memory, some libraries call a file broken
_BOUNDS = frozenset(getattr(signal, name, None) for name in ("SIGXCPU", "SIGALRM"))
_REFUSALS = {
    "broken": ReasonCode.PHOTO_BROKEN,
    "structure": ReasonCode.PHOTO_BUILT_ODDLY,
    "pixels": ReasonCode.PHOTO_TOO_MANY_PIXELS,
}


_Number = Annotated[int, Meta(ge=0, lt=1 << 50)]


class DecoderLimits(NamedTuple):
    """The bytes of memory and the seconds of processor time that a picture may take."""

    memory: int
    seconds: int


# A photo of 64 megapixels takes up to 14 s of one core; this allows for a machine that is five times slower.
SMALL_LANE, LARGE_LANE = DecoderLimits(SMALL, 2), DecoderLimits(LARGE, 70)


class Answer(Struct, frozen=True):
    """A process's answer, which is not trusted: a hostile file may have made it.

    `refused` is one of `bot.media.decoder.pictures.Refusal`, and `error` the number of an OSError.
    """

    refused: str | None = None
    error: int | None = None
    kind: str = ""
    type: str = ""
    width: _Number = 0
    height: _Number = 0
    most: _Number = 0

    @property
    def photo_kind(self) -> PhotoKind:
        """Return the kind of the picture. Raises `DecoderFailed` if there is none such."""
        if self.kind not in PhotoKind.__members__:
            raise DecoderFailed
        return PhotoKind[self.kind]

    @property
    def refusal(self) -> PhotoRefused:
        """Return the error of a photo that was refused."""
        if self.refused not in _REFUSALS:
            return PhotoRefused()
        arguments: dict[str, str | int] = {"kind": self.photo_kind.label}
        if self.refused == "pixels":
            arguments = {"width": self.width, "height": self.height, "most": self.most}
        return PhotoRefused(Reason(_REFUSALS[self.refused], arguments))


class DecoderPool:
    """Opens pictures in processes without secrets, with limits on memory, processor time and time.

    Two are open at once, of which one may be large, so that a large picture holds up no small one. What takes
    more than a small picture may is tried again as a large one. Each method raises `DecoderFailed` if a
    process died on the file twice or the file exceeded a bound, and calls `died` before; and OSError if a
    process can't be started or the file can't be read or written. A cancelled call ends its process, and
    nothing waits for that.
    """

    def __init__(
        self,
        *,
        max_photo_bytes: int = MAX_PHOTO_BYTES,
        died: Callable[[], None] = lambda: None,
    ) -> None:
        self._max_photo_bytes = max_photo_bytes
        self._died = died
        self._open = asyncio.Semaphore(AT_ONCE)
        self._large = asyncio.Lock()
        self._idle: list[DecoderProcess] = []
        self._processes: set[DecoderProcess] = set()
        self._ending: set[asyncio.Task[None]] = set()  # of killed processes
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        for process in list(self._processes):
            self._end(process)
        await asyncio.gather(*self._ending)

    async def missing(self) -> tuple[str, ...]:
        """Return the limits that this system can't set. Raises OSError if no process can be started."""
        async with self._process() as process:
            return process.missing

    async def inspect(self, path: Path) -> Photo:
        """Decode the photo. A kind that Studii does not accept is converted to JPEG, PNG or WebP in place.

        Raises `PhotoRefused` if it can't be used.
        """
        into = path.with_name(f"{path.name}.converted")
        try:
            most = self._max_photo_bytes
            answer, _ = await self._ask("inspect", path, into=str(into), most=most, pixels=MAX_PIXELS)
            if answer.refused:
                raise answer.refusal
            kind = answer.photo_kind
            if answer.type not in _ACCEPTED:
                raise DecoderFailed
            if not kind.is_accepted:
                size = (await asyncio.to_thread(into.stat)).st_size
                if size > most:
                    told = {"kind": kind.label, "size": size, "most": most}
                    raise PhotoRefused(Reason(ReasonCode.PHOTO_GROWN_TOO_LARGE, told))
                await asyncio.to_thread(into.replace, path)
            return Photo(kind, answer.type, answer.width, answer.height)
        finally:
            # At once, or a conversion that begins anew could lose what it makes.
            with contextlib.suppress(OSError):
                into.unlink(missing_ok=True)

    async def check(self, path: Path) -> bytes:
        """Decode a picture completely. Raises `PictureBroken` if it is broken or incomplete.

        Return a thumbnail, or nothing if none can be made. What is no picture, as a video, passes, and what
        is too large to be opened.
        """
        answer, thumbnail = await self._ask("check", path, limit=MAX_THUMBNAIL_BYTES)
        if answer.refused in {"broken", "structure"}:
            raise PictureBroken
        return thumbnail

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that.

        One that is `made` by AI says so.
        """
        return await self._made("fit", path, limit, made=made)

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy of a picture made by AI with words in a corner, as `fit` returns one."""
        return await self._made("label", path, limit, words=words, corner=corner)

    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None:
        """Return one picture of both halves (see `bot.media.drawing.draw_halves`), as `fit` returns one; or a
        WebP that `moves` from one to the other (see `bot.media.drawing.draw_wipe`)."""
        return await self._made("split", after, limit, before=str(before), labels=labels, moves=moves)

    async def _made(self, do: str, path: Path, limit: int, **more: object) -> bytes | None:
        try:
            _, data = await self._ask(do, path, limit=limit, pixels=MAX_PIXELS, **more)
        except OSError:
            return None
        return data or None

    async def _ask(self, do: str, path: Path, **more: object) -> tuple[Answer, bytes]:
        """Have the picture opened as a small one, and, if that does not do, as a large one.

        Raises `DecoderFailed` and OSError.
        """
        request = {"do": do, "path": str(path), **more}
        lane, deaths = SMALL_LANE, 0
        while True:
            try:
                answer, data = await self._answer(request, lane)
            except ProcessDied as death:
                deaths += 1
                # In the bounds of a small picture it is no news that a large one ends.
                if lane is LARGE_LANE or not death.is_of_bound:
                    _log.warning("A decoder died: %s (%s of %s)", death, do, path.name)
                    self._died()
                if deaths == MAX_DEATHS or (lane is LARGE_LANE and death.is_of_bound):
                    raise DecoderFailed from None
            else:
                if lane is LARGE_LANE or answer.refused not in _AGAIN:
                    break
            lane = LARGE_LANE
        if answer.error is not None:
            raise OSError(answer.error, os.strerror(answer.error))
        return answer, data

    async def _answer(self, request: Mapping[str, object], lane: DecoderLimits) -> tuple[Answer, bytes]:
        """Have one process answer. Raises `ProcessDied` and OSError."""
        asked = {**request, "room": lane.memory, "memory": lane.memory + _BESIDE, "seconds": lane.seconds}
        turn = self._large if lane is LARGE_LANE else contextlib.nullcontext()
        async with turn, self._open:
            for _ in range(MAX_STARTS):
                # One that had ended before has not touched the file, and no one can tell why.
                with contextlib.suppress(ConnectionError):
                    async with self._process() as process:
                        return await process.ask(asked, BUSY * lane.seconds + _SLACK_SECONDS)
        raise OSError("no decoder stays running")

    @asynccontextmanager
    async def _process(self) -> AsyncGenerator["DecoderProcess"]:
        """Take a process for one request. It is ended if it can't answer another, as after a cancellation."""
        if self._is_closed:
            raise OSError("the decoders are stopped")
        process = self._idle.pop() if self._idle else await DecoderProcess.start()
        self._processes.add(process)
        try:
            yield process
        finally:
            if process.can_answer and not self._is_closed and not self._idle:
                self._idle.append(process)
            else:
                self._end(process)

    def _end(self, process: "DecoderProcess") -> None:
        process.kill()
        ending = asyncio.get_running_loop().create_task(process.ended(), name="end of a decoder")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        self._processes.discard(process)


class ProcessDied(Exception):
    """Raised if the process that opened the picture died, gave no answer, or ran into a bound."""

    def __init__(self, why: str, *, is_of_bound: bool = False) -> None:
        super().__init__(why)
        self.is_of_bound = is_of_bound


class DecoderProcess:
    """A process that opens pictures, one at a time.

    `can_answer`: it takes another request, as far as is known. `missing` are the limits that the system can't
    set.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        # Of a process that was started with pipes.
        self._requests = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self._forks = False
        self.can_answer = True
        self.missing: tuple[str, ...] = ()

    @classmethod
    async def start(cls) -> Self:
        """Start a process. Raises OSError if that fails or the process does not become ready."""
        flags = ["-I", "-B"]  # isolated from PYTHON* settings and the current folder; writes no bytecode
        if sys.flags.optimize:  # what is compiled is for that alone, in the image
            flags.append("-" + sys.flags.optimize * "O")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *flags, str(_PROGRAM), str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MAX_LINE_BYTES,
            env={**{name: os.environ[name] for name in _NEEDED if name in os.environ}, **_ENVIRONMENT},
            start_new_session=True,
        )
        started = cls(process)
        try:
            await started.get_ready()
        except BaseException:
            started.kill()
            await shielded(started.ended())
            raise
        return started

    async def get_ready(self) -> None:
        """Wait until it takes requests. Raises OSError if it does not."""
        said = ""
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = await self._answers.readline()
                if not line:  # it has opened no file yet, so what it says is its own
                    errors = cast("asyncio.StreamReader", self._process.stderr)
                    said = (await errors.read(_MAX_LINE_BYTES)).decode(errors="replace")
            ready = json.loads(line)
        except (TimeoutError, ValueError):
            raise OSError(
                f"the decoder doesn't start: {said.strip().rpartition(chr(10))[2] or 'no answer'}"
            ) from None
        self._forks, self.missing = ready["forks"], tuple(ready["missing"])

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    async def ask(self, request: Mapping[str, object], within: float) -> tuple[Answer, bytes]:
        """Return the answer to a request, and the bytes after it.

        Raises `ProcessDied`, or ConnectionError if the process had ended before.
        """
        answers, self.can_answer = self._answers, False
        try:
            async with asyncio.timeout(within):
                self._requests.write(json.dumps(request).encode() + b"\n")
                head = await answers.readline()
                if not head and self._forks:
                    raise ConnectionError
                status, size = (json.loads(head)[name] for name in ("status", "bytes"))
                data = await answers.readexactly(size)
        except TimeoutError:
            raise ProcessDied(f"no answer within {within:.0f} s", is_of_bound=True) from None
        except (ValueError, asyncio.IncompleteReadError):
            raise ProcessDied("no answer") from None
        self.can_answer = self._forks
        line, _, made = data.partition(b"\n")
        if status:
            raise ProcessDied(f"status {status}", is_of_bound=-status in _BOUNDS)
        try:
            answer = msgspec.json.decode(line, type=Answer)
        except msgspec.MsgspecError:
            raise ProcessDied("no answer that can be read") from None
        if answer.refused == "memory":
            raise ProcessDied("out of memory", is_of_bound=True)
        return answer, made

    def kill(self) -> None:
        """Kill the process and its forks."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._forks:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self._process.kill()

    async def ended(self) -> None:
        """Wait for the end of a killed process, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
