"""A file that keeps a decoder's processor busy for too long is ended by the kernel, whatever the bot does."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bot.media import pool
from bot.media.decoder_process import DecoderProcess
from bot.media.pool import DecoderPool, TimeLimits
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[3]
BUSY = """
import os
from bot.media.decoder.process_limits import ProcessLimits
ProcessLimits(os.getppid()).renew(1 << 30, 0)
while True: pass
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are read in /proc")


def test_a_decoder_that_is_busy_for_longer_is_killed() -> None:
    done = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", BUSY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == -signal.SIGXCPU


async def test_each_file_has_the_seconds_that_fit_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: dict[str, object], within: float) -> object:
        answer = await real(self, request, within)
        if request["do"] == "check":
            asked.append(processor_seconds(self.pid))
        return answer

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    path = tmp_path / "photo"
    Image.new("RGB", (300, 200)).save(path, "PNG")
    async with DecoderPool() as decoder:
        for seconds in (100, 300, 200):
            monkeypatch.setattr(pool, "TimeLimits", limits_of(seconds))
            await decoder.check(path)
    # Beside those that the process had used before, which are rounded up.
    assert [seconds // 10 * 10 for seconds in asked] == [100, 300, 200]


def limits_of(seconds: int) -> type[TimeLimits]:
    class Given(TimeLimits):
        @classmethod
        def of(cls, pixels: int) -> TimeLimits:
            return TimeLimits(seconds, PATIENCE)

    return Given


def processor_seconds(pid: int) -> int:
    """The processor time after which the kernel ends a process."""
    found = re.search(r"^Max cpu time +(\d+) ", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
