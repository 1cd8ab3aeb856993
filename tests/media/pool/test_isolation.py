"""A decoder has nothing of the bot's, tells nothing of a photo, and ends with the bot."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from bot.media.photo import PhotoRefused
from bot.media.pool import DecoderPool
from tests.media.pool.conftest import Asked, is_alive
from tests.support.simulated.people import until

ROOT = Path(__file__).parents[3]


def belongings(process: Path) -> tuple[list[Path], bytes]:
    """The files that a process has open, and its environment."""
    return [link.readlink() for link in (process / "fd").iterdir()], (process / "environ").read_bytes()


async def test_a_stop_that_the_system_tells_everybody_is_the_bots_to_make(
    decoder: DecoderPool, photo: Path, asked: Asked
) -> None:
    await decoder.check(photo)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(asked[0][0].pid, number)
    await decoder.check(photo)
    assert len({process for process, _ in asked}) == 1


_BOT = """
import asyncio, sys
from pathlib import Path
from bot.media.pool import DecoderPool

async def main():
    async with DecoderPool() as decoder, decoder._process() as process:
        print(process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.promise
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a decoder ends when it next reads its pipe")
async def test_no_decoder_outlives_a_bot_that_is_killed() -> None:
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BOT, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
    )
    assert bot.stdout is not None
    pid = int(await bot.stdout.readline())
    os.kill(pid, signal.SIGSTOP)  # as if it were busy
    bot.kill()
    await bot.wait()
    await until(lambda: not is_alive(pid), "the end of the decoder")


@pytest.mark.skipif(sys.platform != "linux", reason="read from Linux's /proc")
async def test_a_decoder_runs_what_is_compiled_for_the_bot() -> None:
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-OO", "-c", _BOT),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert bot.stdout is not None
    pid = int(await bot.stdout.readline())
    words = (await asyncio.to_thread(Path(f"/proc/{pid}/cmdline").read_bytes)).split(b"\0")
    bot.kill()
    await bot.wait()
    assert words[1:4] == [b"-I", b"-B", b"-OO"]


@pytest.mark.promise
async def test_a_process_knows_none_of_the_bots_secrets_and_has_no_files_of_the_bot(
    decoder: DecoderPool, photo: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "secret")
    with photo.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        await decoder.check(photo)
    if sys.platform != "linux":
        pytest.skip("there is no /proc here")
    held_open, own = await asyncio.to_thread(belongings, Path(f"/proc/{asked[0][0].pid}"))
    assert photo not in held_open
    assert b"secret" not in own


async def test_nothing_of_a_photo_reaches_the_log_or_standard_error(
    decoder: DecoderPool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    exif = Image.Exif()
    exif[0x010F] = "A camera of mine"
    path = tmp_path / "photo"
    Image.effect_noise((64, 64), 60).save(path, "TIFF", exif=exif, compression="tiff_adobe_deflate")
    path.write_bytes(path.read_bytes()[:-2000])  # libtiff complains
    caplog.clear()
    with pytest.raises(PhotoRefused):
        await decoder.inspect(path)
    assert "camera" not in caplog.text
    Image.new("RGB", (30, 20)).save(path, "JPEG", exif=exif)
    caplog.clear()
    await decoder.inspect(path)
    assert "camera" not in caplog.text
    assert capfd.readouterr().err == ""
