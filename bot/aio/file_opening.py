"""Opens files without holding up the event loop."""

import asyncio
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal


async def opened(path: Path, mode: Literal["rb", "wb"]) -> BinaryIO:
    """Open the file in a thread. If the caller is cancelled meanwhile, the file doesn't stay open.

    Raises OSError as `open` does.
    """
    lock, abandoned, held = Lock(), False, list[BinaryIO]()

    def work() -> BinaryIO:
        file = path.open(mode)
        with lock:
            held.append(file)
            if abandoned:
                file.close()
        return file

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        # A thread can't be cancelled: it may have opened the file already, or do so later.
        with lock:
            abandoned = True
            for file in held:
                file.close()
        raise
