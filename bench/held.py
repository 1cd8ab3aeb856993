"""Watches what a process and its decoders hold in memory, from the outside (Linux alone)."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
_EVERY = 0.01  # seconds
_PROGRAM = "bot/media/decoder"


@dataclass
class Held:
    """Bytes that are resident: at most, since the watch began."""

    own: int = 0
    decoders: int = 0
    together: int = 0


def held() -> Held:
    """What is resident now."""
    own, decoders = _resident(os.getpid()), sum(_resident(pid) for pid in _decoders())
    return Held(own, decoders, own + decoders)


@contextmanager
def watching() -> Generator[Held]:
    """Within: the figures rise to the most that was seen."""
    most, ended = held(), threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY):
            now = held()
            most.own = max(most.own, now.own)
            most.decoders = max(most.decoders, now.decoders)
            most.together = max(most.together, now.together)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _decoders() -> list[int]:
    own, found = os.getpid(), list[int]()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == own and _PROGRAM in (process / "cmdline").read_text():
                    found.append(int(process.name))
            except (OSError, IndexError):
                continue  # it ended meanwhile
    return found


def _resident(pid: int) -> int:
    """Pages of files are shared with others, and counted for nobody."""
    try:
        _, resident, shared = (int(pages) for pages in Path(f"/proc/{pid}/statm").read_text().split()[:3])
    except OSError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
