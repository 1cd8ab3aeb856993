"""A pool of decoders, a photo that it has to convert, and the processes that were asked."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from bot.media.pool import DecoderPool, DecoderProcess

Request = Mapping[str, object]


@dataclass
class Asking:
    """What processes are asked for, in order: `change` is what becomes of it, and the first that is given
    `stop_at` seconds stands still."""

    asked: list[tuple[DecoderProcess, Request]] = field(default_factory=list[tuple[DecoderProcess, Request]])
    change: Callable[[Request], Request] = lambda request: request
    stop_at: int = 0
    stopped: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


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
async def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    asking, real = Asking(), DecoderProcess.ask

    async def ask(self: DecoderProcess, request: Request, within: float) -> object:
        asking.asked.append((self, request))
        if request["seconds"] == asking.stop_at and not asking.stopped.done():
            os.kill(self.pid, signal.SIGSTOP)
            asking.stopped.set_result(self.pid)
        return await real(self, asking.change(request), within)

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    return asking


def is_alive(pid: int) -> bool:
    """Return whether there is such a process that is more than a remainder for its parent to look at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
