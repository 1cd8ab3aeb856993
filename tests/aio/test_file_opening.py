import asyncio
import time
from pathlib import Path
from threading import Event
from typing import IO, Any

import pytest

from bot.aio.file_opening import opened
from tests.support.patience import PATIENCE


async def test_a_file_is_opened_for_writing_and_reading(tmp_path: Path) -> None:
    with await opened(tmp_path / "a", "wb") as file:
        file.write(b"bytes")
    with await opened(tmp_path / "a", "rb") as file:
        assert file.read() == b"bytes"
    with pytest.raises(FileNotFoundError):
        await opened(tmp_path / "b", "rb")


@pytest.mark.parametrize("already_open", [False, True])
async def test_no_file_stays_open_for_a_caller_who_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, already_open: bool
) -> None:
    opens, asked, goes_on = Path.open, Event(), Event()
    files: list[IO[Any]] = []

    def slow(path: Path, mode: str) -> IO[Any]:
        asked.set()
        if not already_open:
            goes_on.wait()
        files.append(opens(path, mode))
        return files[-1]

    monkeypatch.setattr(Path, "open", slow)
    opening = asyncio.create_task(opened(tmp_path / "a", "wb"))
    await asyncio.sleep(0)  # it begins
    while not (files if already_open else asked.is_set()):
        time.sleep(0.001)  # noqa: ASYNC251 # the loop must not hear of it before the cancellation
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    goes_on.set()

    def closed() -> None:
        while not (files and files[0].closed):
            time.sleep(0.001)

    await asyncio.wait_for(asyncio.to_thread(closed), PATIENCE)
