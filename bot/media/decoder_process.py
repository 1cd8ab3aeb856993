"""One process of the decoder, from the bot's side: start it, send requests, kill it."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast

_PROGRAM = Path(__file__).with_name("decoder")
_MAX_ANSWER_BYTES = 4096
START_WITHIN = 60.0  # seconds; a tenth of one is usual
REAPED_WITHIN = 2.0
_LAST_WORDS = 2000  # bytes of what a process said before it was ready
# The only variables of the bot's environment that a decoder gets.
_NEEDED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    # Memory of large pictures is returned to the system at once.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}


class ProcessDied(Exception):
    """The process ended, gave an invalid answer, or was killed because it was too slow."""


class RequestNotTaken(Exception):
    """The process had ended before it took the request."""


class DecoderProcess:
    """A process that opens pictures, one at a time. Unusable after `ProcessDied` or a cancelled call.

    `missing` are the limits that the system can't set. `resting` is the memory in bytes that the process had
    after its latest answer.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.missing: tuple[str, ...] = ()
        self.resting = 0
        self.resting_at_start = 0

    @classmethod
    async def start(cls) -> Self:
        """Start a process. Raises OSError if that fails or the process does not become ready."""
        flags = ("-I", "-B")  # isolated from PYTHON* settings and the current folder; writes no bytecode
        if sys.flags.optimize:  # what is compiled is for that alone, in the image
            flags = (*flags, "-" + sys.flags.optimize * "O")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *flags,
            str(_PROGRAM),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MAX_ANSWER_BYTES,
            env=environment(os.environ),
            start_new_session=True,
        )
        started = cls(process)
        try:
            async with asyncio.timeout(START_WITHIN):
                ready = await started._answer()
        except (ProcessDied, TimeoutError):
            started.kill()
            raise OSError(f"the decoder doesn't start: {await started._last_words()}") from None
        except BaseException:
            started.kill()
            raise
        started.missing = tuple(str(one) for one in cast("list[object]", ready.get("missing") or []))
        started.resting_at_start = started.resting
        return started

    @property
    def is_alive(self) -> bool:
        """Return whether the process runs, as far as is known."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def processor_seconds(self) -> float:
        """Return the processor time that it has used, in seconds; 0 if the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError):
            return 0.0

    async def ask(self, request: Mapping[str, object], within: float) -> tuple[dict[str, Any], bytes]:
        """Return the answer to a request, and the bytes after it.

        Raises `ProcessDied`, or `RequestNotTaken` if the process had ended before.

        The process is killed if it needs longer than `within` seconds, and when the call is cancelled.
        """
        try:
            async with asyncio.timeout(within):
                return await self._ask(request)
        except TimeoutError:
            self.kill()
            raise ProcessDied(f"no answer within {within:.0f} s") from None
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the process. `reaped` waits for its end."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def reaped(self) -> None:
        """Wait for the end of a killed process, for `REAPED_WITHIN` seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REAPED_WITHIN):
                await self._process.wait()

    async def _ask(self, request: Mapping[str, object]) -> tuple[dict[str, Any], bytes]:
        pipe = self._process.stdin
        if pipe is None:
            raise RequestNotTaken
        try:
            pipe.write(json.dumps(request).encode() + b"\n")
            await pipe.drain()
            await self._answer()  # "taken"
        except (BrokenPipeError, ConnectionResetError, ProcessDied):
            raise RequestNotTaken from None
        answer = await self._answer()
        size = answer.get("bytes", 0)
        if not isinstance(size, int) or not 0 <= size <= int(cast("int", request.get("limit", 0))):
            raise ProcessDied("an answer of the wrong size")
        try:
            data = await self._pipe().readexactly(size) if size else b""
        except asyncio.IncompleteReadError:
            raise ProcessDied(await self._how_it_ended()) from None
        return answer, data

    async def _answer(self) -> dict[str, Any]:
        try:
            line = await self._pipe().readline()
            # A hostile file may control the process, so its answer is untrusted.
            answer = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            raise ProcessDied("an answer that can't be read") from None
        if not isinstance(answer, dict):
            raise ProcessDied(await self._how_it_ended())
        words = cast("dict[str, Any]", answer)
        resting = words.get("resting")
        self.resting = resting if isinstance(resting, int) else 0
        return words

    def _pipe(self) -> asyncio.StreamReader:
        if self._process.stdout is None:
            raise ProcessDied
        return self._process.stdout

    async def _how_it_ended(self) -> str:
        await self.reaped()
        code = self._process.returncode
        return "no answer" if code is None else f"signal {-code}" if code < 0 else f"exit status {code}"

    async def _last_words(self) -> str:
        """Return the last line that it printed before it was ready, when it had not opened any file."""
        await self.reaped()
        if self._process.stderr is None or self._process.returncode is None:
            return "no answer"
        said = (await self._process.stderr.read(_LAST_WORDS)).decode(errors="replace").strip()
        return said.rpartition("\n")[2] or f"exit status {self._process.returncode}"


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a decoder, without the bot's settings and secrets."""
    return {**{name: own[name] for name in _NEEDED if name in own}, **_ENVIRONMENT}
