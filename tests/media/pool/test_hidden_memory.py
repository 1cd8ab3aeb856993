"""What a hostile file can reach that has taken over a decoder: not the memory of other processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_SHOW = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
STARTS = {
    "the bot": "import asyncio, types; from bot import process; process._serve = lambda *_: asyncio.sleep(0);"
    f"asyncio.run(process.run(types.SimpleNamespace())); {_SHOW}",
    "a decoder": f"import os; from bot.media.decoder import serve;serve._prepare(os.getppid()); {_SHOW}",
    "neither": _SHOW,
}


@pytest.mark.promise
@pytest.mark.skipif(sys.platform != "linux", reason="a setting of Linux")
@pytest.mark.parametrize("who", STARTS)
def test_other_processes_of_the_same_user_can_read_neither_memory_nor_environment(who: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", STARTS[who]], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == ("1" if who == "neither" else "0")
