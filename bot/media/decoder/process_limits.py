"""Resource limits of the decoder's process, and its end with its parent."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

MAX_WRITTEN_BYTES = 512 * 1024 * 1024  # that may be written
OPEN_FILES = 64
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_STATUS = Path("/proc/self/statm")
_STOPS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGXFSZ")


class ProcessLimits:
    """The limits of this process, set for each request. `missing` names those that the system lacks."""

    def __init__(self, parent: int) -> None:
        self.missing: list[str] = []
        # A stop of the bot is the parent's to make: systemd and a terminal tell everybody.
        for name in _STOPS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        if sys.platform == "linux":
            _end_with(parent)
            with suppress(OSError):
                # If memory runs out, the kernel is to end this process and not the bot.
                Path("/proc/self/oom_score_adj").write_text("1000")
        hide_memory()
        if resource is None:
            self.missing = ["memory", "processor time"]
            return
        self._lower(resource.RLIMIT_CORE, 0)
        self._lower(resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES)
        self._lower(resource.RLIMIT_NOFILE, OPEN_FILES)
        if sys.platform != "linux":
            self.missing.append("memory")  # macOS takes the figure and does not keep to it

    def renew(self, memory: int, seconds: int) -> None:
        """Limit memory to `memory` bytes more than now, and processor time to `seconds` from now."""
        if resource is None:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._set(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)
        if (taken := _pages(0)) is not None:
            self._set(resource.RLIMIT_AS, taken + memory)

    @staticmethod
    def resting() -> int:
        """Return the bytes of memory that the process holds; 0 where the system does not tell."""
        return _pages(1) or 0

    def _set(self, which: int, most: int) -> None:
        if resource is None:
            return
        hardest = resource.getrlimit(which)[1]
        if hardest != resource.RLIM_INFINITY:
            most = min(most, hardest)
        resource.setrlimit(which, (most, hardest))

    @staticmethod
    def _lower(which: int, most: int) -> None:
        if resource is None:
            return
        hardest = resource.getrlimit(which)[1]
        if hardest == resource.RLIM_INFINITY or hardest > most:
            resource.setrlimit(which, (most, most))


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory and environment.

    A file that has taken over a decoder could otherwise read the bot's secrets there, or other files.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _pages(field: int) -> int | None:
    if resource is None:
        return None
    try:
        return int(_STATUS.read_text().split()[field]) * resource.getpagesize()
    except OSError:
        return None


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
