"""A pool of decoders, and a photo that it has to convert."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.media.decoder_process import DecoderProcess
from bot.media.pool import DecoderPool


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
def asked(monkeypatch: pytest.MonkeyPatch) -> "list[DecoderProcess]":
    """The processes that were asked for something, in order."""
    processes: list[DecoderProcess] = []
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: dict[str, object], within: float) -> object:
        processes.append(self)
        return await real(self, request, within)

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    return processes
