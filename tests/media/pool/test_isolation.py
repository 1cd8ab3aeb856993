"""A decoder has nothing of the bot's, tells nothing of a photo, and ends with the bot."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bot.media.photo import PhotoRefused
from bot.media.pool import DecoderPool
from tests.media.pool.conftest import Asking, is_alive
from tests.support.patience import until

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from Linux's /proc")
BOT = """
import asyncio, sys
from pathlib import Path
from bot.media.pool import DecoderPool

async def main():
    async with DecoderPool() as decoder, decoder._process() as process:
        print(process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
SHOW = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
STARTS = {
    "the bot": "import asyncio, types; from bot import app; app._serve = lambda *_: asyncio.sleep(0);"
    f"asyncio.run(app.run(types.SimpleNamespace())); {SHOW}",
    "a decoder": f"import os; from bot.media.decoder import serve;serve._prepare(os.getppid()); {SHOW}",
    "neither": SHOW,
}


@pytest.mark.promise
@pytest.mark.parametrize("who", STARTS)
def test_other_processes_of_the_same_user_can_read_neither_memory_nor_environment(who: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", STARTS[who]], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == ("1" if who == "neither" else "0")


@pytest.mark.promise
async def test_no_decoder_outlives_a_bot_that_is_killed() -> None:
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-OO", "-c", BOT),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert bot.stdout is not None
    pid = int(await bot.stdout.readline())
    words = (await asyncio.to_thread(Path(f"/proc/{pid}/cmdline").read_bytes)).split(b"\0")
    os.kill(pid, signal.SIGSTOP)  # as if it were busy
    bot.kill()
    await bot.wait()
    await until(lambda: not is_alive(pid), "the end of the decoder")
    assert words[1:4] == [b"-I", b"-B", b"-OO"]  # what is compiled for the bot is for it, too


def belongings(process: Path) -> tuple[list[Path], bytes]:
    """The files that a process has open, and its environment."""
    return [link.readlink() for link in (process / "fd").iterdir()], (process / "environ").read_bytes()


@pytest.mark.promise
async def test_a_process_knows_none_of_the_bots_secrets_and_has_no_files_of_the_bot(
    decoder: DecoderPool, photo: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "secret")
    with photo.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        await decoder.check(photo)
    held_open, own = await asyncio.to_thread(belongings, Path(f"/proc/{asking.asked[0][0].pid}"))
    assert photo not in held_open
    assert b"secret" not in own


async def test_nothing_of_a_photo_reaches_the_log_or_standard_error(
    decoder: DecoderPool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    exif, path = Image.Exif(), tmp_path / "photo"
    exif[0x010F] = "A camera of mine"
    Image.effect_noise((64, 64), 60).save(path, "TIFF", exif=exif, compression="tiff_adobe_deflate")
    path.write_bytes(path.read_bytes()[:-2000])  # libtiff complains
    caplog.clear()
    with pytest.raises(PhotoRefused):
        await decoder.inspect(path)
    assert "camera" not in caplog.text
    assert capfd.readouterr().err == ""
