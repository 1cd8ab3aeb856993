"""Temporary files in memory, where a machine offers a place for them: nothing waits for its disk."""

import os
import shutil
import tempfile
from pathlib import Path

ROOM = 6 << 30  # bytes; what all workers write takes less than half of it
_MEMORY = Path("/dev/shm")  # noqa: S108


def files_in_memory() -> None:
    """Let temporary files of this process and of those it starts be in memory, unless `TMPDIR` is set."""
    place = place_in_memory()
    if place is not None and os.name == "posix" and not os.statvfs(place).f_flag & os.ST_NOEXEC:
        os.environ.setdefault("TMPDIR", str(place))
        tempfile.__dict__["tempdir"] = None  # found anew


def place_in_memory() -> Path | None:
    """Return a folder in memory with room for tests, or None if there is none."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < ROOM:
        return None
    return _MEMORY
