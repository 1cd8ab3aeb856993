"""A decoder that stands still, and whether one is still there."""

import asyncio
import os
import signal

import pytest

from bot.media.decoder_process import DecoderProcess
from tests.support.simulated.people import until


def stop_at(monkeypatch: pytest.MonkeyPatch, what: str) -> "asyncio.Future[int]":
    """Have the next process that is asked for `what` stand still; its id comes as soon as it is asked."""
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: dict[str, object], within: float) -> object:
        if request["do"] == what and not stopped.done():
            os.kill(self.pid, signal.SIGSTOP)
            stopped.set_result(self.pid)
        return await real(self, request, within)

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    return stopped


async def gone(pid: int) -> None:
    """Wait until the process is no more."""
    await until(lambda: not is_alive(pid), "the end of a decoder")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
