"""A file that keeps a decoder's processor busy for too long is ended by the kernel, whatever the bot does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[3]
BUSY = "from bot.media.decoder import serve; serve._limit(1 << 30, 1)\nwhile True: pass"


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read in /proc")
def test_a_decoder_that_is_busy_for_longer_is_killed() -> None:
    done = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", BUSY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=PATIENCE,
        check=False,
    )
    # On a busy machine, the time that has passed may end it first.
    assert done.returncode in {-signal.SIGXCPU, -signal.SIGALRM}
