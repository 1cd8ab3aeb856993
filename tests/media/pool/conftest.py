"""A pool of decoders, a photo that it has to convert, and the processes that were asked."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from bot.media.pool import DecoderPool, DecoderProcess

Asked = list[tuple[DecoderProcess, Mapping[str, object]]]
Change = Callable[[Mapping[str, object]], Mapping[str, object]]


@pytest.fixture
async def decoder() -> AsyncIterator[DecoderPool]:
    async with DecoderPool() as decoder:
        yield decoder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo"
    Image.effect_noise((300, 200), 60).convert("RGB").save(path, "BMP")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The processes that were asked for something, each with the request, in order."""
    requests: Asked = []
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: Mapping[str, object], within: float) -> object:
        requests.append((self, request))
        return await real(self, request, within)

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    return requests


def change_requests(patch: pytest.MonkeyPatch, change: Change) -> None:
    """Have processes asked for something else than the pool asks for."""
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: Mapping[str, object], within: float) -> object:
        return await real(self, change(request), within)

    patch.setattr(DecoderProcess, "ask", ask)


def stop_at(patch: pytest.MonkeyPatch, seconds: int) -> "asyncio.Future[int]":
    """Have the next process stand still that is given so many seconds; return its id when it is asked."""
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: Mapping[str, object], within: float) -> object:
        if request["seconds"] == seconds and not stopped.done():
            os.kill(self.pid, signal.SIGSTOP)
            stopped.set_result(self.pid)
        return await real(self, request, within)

    patch.setattr(DecoderProcess, "ask", ask)
    return stopped


def is_alive(pid: int) -> bool:
    """Return whether there is such a process that is more than a remainder for its parent to look at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
