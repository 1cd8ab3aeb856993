"""Answer the bot's requests, each in a fork of this process with limits of its own.

The kernel enforces the limits, so nothing here has to predict what a file takes. A request is a line of JSON.
An answer begins with such a line, which says how the fork ended and how many bytes follow: a line of JSON and
the picture, if one was made. Without forks there is one answer, and the process ends.
"""

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from bot.media.decoder import BUSY, hide_memory, pictures

try:
    import resource
except ImportError:  # Windows
    resource = None

MAX_WRITTEN_BYTES = 512 * 1024 * 1024  # that may be written
MAX_OPEN_FILES = 64
WORDS_BYTES = 4096  # at most, of an answer's line
_MEMORY = Path("/proc/self/statm")
_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Answer requests until the pipe is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    forks = sys.platform == "linux"
    missing = _prepare(parent=int(sys.argv[1]))
    answers.write(json.dumps({"forks": forks, "missing": missing}).encode() + b"\n")
    answers.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)  # for what libraries print; before this, the bot reads it
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        status, answer = _forked(request, answers) if forks else (0, _answer(request))
        answers.write(json.dumps({"status": status, "bytes": len(answer)}).encode() + b"\n" + answer)
        answers.flush()
        if not forks:
            break


def _prepare(parent: int) -> list[str]:
    """Prepare the process and its forks; return the limits that the system lacks."""
    # A stop of the bot is the parent's to make: systemd and a terminal tell everyone.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if sys.platform == "linux":
        _end_with(parent)
        with suppress(OSError):
            # If memory runs out, the kernel is to end this process and not the bot.
            Path("/proc/self/oom_score_adj").write_text("1000")
    Image.preinit()  # imports what each fork would import for itself, which took it a third of its time
    hide_memory()
    if resource is None:
        return ["memory", "processor time"]
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    return [] if sys.platform == "linux" else ["memory"]  # macOS takes the figure and does not keep to it


def _forked(request: dict[str, Any], answers: BinaryIO) -> tuple[int, bytes]:
    """Return how a fork ended that answered, and its answer. It can reach neither of the bot's pipes."""
    reading, writing = os.pipe()
    own, child = os.getpid(), os.fork()
    if not child:
        _end_with(own)
        for fd in (0, answers.fileno(), reading):
            os.close(fd)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_answer(request))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read(WORDS_BYTES + int(request.get("limit", 0)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer


def _answer(request: dict[str, Any]) -> bytes:
    made = b""
    try:
        size = Path(request["path"]).stat().st_size  # some libraries hold all of it
        _limit(request.pop("memory") + 2 * size, request.pop("seconds"))
        words = pictures.OPERATIONS[request.pop("do")](**request)
        if isinstance(words, bytes):
            made, words = words, {}
    except pictures.Refusal as refusal:
        words = {"refused": refusal.why, **refusal.facts}
    except MemoryError:
        words = {"refused": "memory"}
    except OSError as error:
        words = {"error": error.errno}
    return json.dumps(words).encode() + b"\n" + made


def _limit(memory: int, seconds: int) -> None:
    """Limit memory to so many bytes more than now, and processor time; the time that passes as well."""
    if resource is None:
        return
    if sys.platform == "linux":
        pages = int(_MEMORY.read_text().split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)  # a signal that tells what ended it, then another
    signal.alarm(BUSY * seconds)  # which ends the process


def _lower(which: int, most: int, hard: int | None = None) -> None:
    if resource is None:
        return
    hardest = resource.getrlimit(which)[1]
    limits = [one if hardest == resource.RLIM_INFINITY else min(one, hardest) for one in (most, hard or most)]
    resource.setrlimit(which, (limits[0], limits[1]))


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
