"""Processes that burn the cores beside a bot."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def hogs(number: int, core: str | None = None) -> Generator[None]:
    """Keep the cores busy with `number` processes, all on one core if it is named."""
    pinned = ("taskset", "-c", core) if core is not None else ()
    burning = [subprocess.Popen([*pinned, sys.executable, "-c", "while True: pass"]) for _ in range(number)]  # noqa: S603
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()
