"""Processes that burn the cores beside a bot."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def hogs(number: int, cores: str | None = None) -> Generator[None]:
    """Burn with so many processes, on those cores if some are named."""
    pinned = ("taskset", "-c", cores) if cores is not None else ()
    burning = [subprocess.Popen([*pinned, sys.executable, "-c", "while True: pass"]) for _ in range(number)]  # noqa: S603
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()
