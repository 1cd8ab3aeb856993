"""Watch what a bot's process and its decoders hold in memory, from the outside (Linux only)."""

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
    """Resident bytes; within `watching`, the most since it began."""

    own: int = 0
    decoders: int = 0
    together: int = 0


def held(bot: int | None = None) -> Held:
    """Return what is resident now; `bot` is the id of the bot's process, by default this one."""
    pid = os.getpid() if bot is None else bot
    own, decoders = _resident(pid), sum(_resident(one) for one in decoders_of(pid))
    return Held(own, decoders, own + decoders)


@contextmanager
def watching(bot: int | None = None) -> Generator[Held]:
    """Keep the figures at the most that was seen, within the context."""
    most, ended = held(bot), threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY):
            now = held(bot)
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


def decoders_of(bot: int) -> list[int]:
    """Return the ids of the processes in which that process opens pictures, and of their forks."""
    parents: dict[int, int] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if _PROGRAM in (process / "cmdline").read_text():
                    parents[int(process.name)] = parent
            except (OSError, IndexError):
                continue  # the process ended meanwhile
    return [one for one, parent in parents.items() if bot in {parent, parents.get(parent)}]


def _resident(pid: int) -> int:
    """Return the bytes without the pages of files, which processes share."""
    try:
        _, resident, shared = (int(pages) for pages in Path(f"/proc/{pid}/statm").read_text().split()[:3])
    except OSError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
