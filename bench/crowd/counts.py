"""Statements, commits and calls into SQLite's thread, counted into a file that another process can read."""

import mmap
import struct
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import aiosqlite.core
from sqlalchemy import event
from sqlalchemy.engine import Engine

_LAYOUT = struct.Struct("qqq")


class Counts(NamedTuple):
    """Statements, commits, and calls into SQLite's thread."""

    statements: int
    commits: int
    hops: int

    def since(self, before: "Counts") -> "Counts":
        """Return what has come since."""
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))


def new_counts(file: Path) -> None:
    """Make the file."""
    file.write_bytes(_LAYOUT.pack(0, 0, 0))


def read_counts(file: Path) -> Counts:
    """Return what stands in the file now."""
    return Counts(*_LAYOUT.unpack(file.read_bytes()))


def count_into(file: Path) -> None:
    """Count from now on."""
    with file.open("r+b") as opened:
        shared = mmap.mmap(opened.fileno(), _LAYOUT.size)
    numbers = [0, 0, 0]

    def add(which: int) -> None:
        numbers[which] += 1
        _LAYOUT.pack_into(shared, 0, *numbers)

    class CountingQueue(SimpleQueue[Any]):
        """What aiosqlite hands its thread work through."""

        def put_nowait(self, item: Any) -> None:
            add(2)
            super().put_nowait(item)

    aiosqlite.core.SimpleQueue = CountingQueue  # type: ignore[misc]
    event.listen(Engine, "before_cursor_execute", lambda *_: add(0))
    event.listen(Engine, "commit", lambda *_: add(1))
