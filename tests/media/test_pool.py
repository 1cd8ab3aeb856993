"""What opens files runs in processes of its own, and their end is nobody else's concern.

They have nothing of the bot's, tell nothing of a photo, and end with the bot.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.cli.doctor import WARN, pictures
from bot.media import PhotoKind, pool, sniff
from bot.media.kinds import HEAD_BYTES
from bot.media.photo import DecoderFailed, PhotoRefused
from bot.media.pool import LARGE_LANE, SMALL_LANE, DecoderPool, DecoderProcess, ProcessDied
from tests.support.patience import PATIENCE, until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="read in Linux's /proc")
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


ROOT = Path(__file__).parents[2]
BUSY = "from bot.media.decoder import serve; serve._limit(1 << 30, 1)\nwhile True: pass"


def small(folder: Path) -> Path:
    path = folder / "small"
    Image.new("RGB", (30, 20)).save(path, "PNG")
    return path


def large(folder: Path) -> Path:
    """A picture of more memory than a small one may take."""
    path = folder / "large"
    Image.new("L", (6000, 5000)).save(path, "GIF")
    return path


async def test_one_process_opens_one_photo_after_the_other_and_is_replaced_when_it_died(
    decoder: DecoderPool, tmp_path: Path, asking: Asking
) -> None:
    for _ in range(3):
        assert (await decoder.inspect(small(tmp_path))).width == 30
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
        ):  # which the system tells everybody: the bot's to follow
            os.kill(asking.asked[0][0].pid, number)
    assert len({process for process, _ in asking.asked}) == 1
    os.kill(asking.asked[0][0].pid, signal.SIGKILL)
    assert (await decoder.inspect(small(tmp_path))).width == 30


def slow(request: Request) -> Request:
    """Let what is opened as a small picture take longer than one may."""
    if request["seconds"] == SMALL_LANE.seconds:
        raise ProcessDied("no answer", is_of_bound=True)
    return request


async def test_a_file_that_kills_what_opens_it_is_given_up_after_two_tries(
    photo: Path, asking: Asking
) -> None:
    died: list[str] = []
    async with DecoderPool(died=lambda: died.append("died")) as decoder:
        asking.change = lambda request: {**request, "memory": "no number"}  # which it does not survive
        with pytest.raises(DecoderFailed):
            await decoder.inspect(photo)
        assert len(asking.asked) == len(died) == 2
        asking.change = lambda request: (
            {**request, "memory": "no number"} if request["seconds"] == SMALL_LANE.seconds else request
        )
        assert (await decoder.inspect(photo)).width == 300  # what dies once is opened all the same
        assert len({process for process, _ in asking.asked}) == 1  # it outlives what it forks
        asking.change = slow  # a large picture is known by that
        assert (await decoder.inspect(photo)).width == 300
    assert len(died) == 3


@pytest.mark.promise
async def test_a_photo_that_takes_too_long_fails_and_its_process_ends(
    decoder: DecoderPool, tmp_path: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.stop_at = LARGE_LANE.seconds
    monkeypatch.setattr(pool, "BUSY", 0)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(large(tmp_path))
    await until(lambda: not is_alive(asking.stopped.result()), "the end of a decoder")


@LINUX
def test_a_decoder_that_is_busy_for_longer_is_killed_by_the_kernel() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", BUSY], env=environment, timeout=PATIENCE, check=False)  # noqa: S603
    # On a busy machine, the time that has passed may end it first.
    assert done.returncode in {-signal.SIGXCPU, -signal.SIGALRM}


@pytest.mark.promise
async def test_a_photo_that_takes_more_memory_than_it_may_fails(
    decoder: DecoderPool, tmp_path: Path, asking: Asking
) -> None:
    asking.change = lambda request: {**request, "memory": 1_000_000, "room": 1 << 40}
    with pytest.raises((DecoderFailed, PhotoRefused)):
        await decoder.inspect(large(tmp_path))


async def test_a_cancelled_photo_ends_its_process_at_once(
    decoder: DecoderPool, photo: Path, asking: Asking
) -> None:
    asking.stop_at = SMALL_LANE.seconds
    inspecting = asyncio.create_task(decoder.inspect(photo))
    pid, half = await asking.stopped, photo.with_name("photo.converted")
    half.write_bytes(b"half of it")
    inspecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inspecting
    await until(lambda: not is_alive(pid), "the end of a decoder")
    assert not half.exists()
    assert sniff((await asyncio.to_thread(photo.read_bytes))[:HEAD_BYTES]) is PhotoKind.BMP


_PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
{before}
from bot.media.decoder import serve
sys.platform = {platform!r}
serve.serve()
"""


@pytest.mark.promise
@pytest.mark.parametrize(
    ("platform", "before", "missing"),
    [
        ("win32", "sys.modules['resource'] = None", ("memory", "processor time")),
        ("darwin", "", ("memory",)),
    ],
)
async def test_without_limits_pictures_are_opened_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, before: str, missing: tuple[str, ...]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM.format(root=str(ROOT), before=before, platform=platform))
    monkeypatch.setattr(pool, "_PROGRAM", program)
    Image.effect_noise((300, 200), 60).convert("RGB").save(tmp_path / "photo", "AVIF")
    async with DecoderPool() as decoder:
        assert await decoder.missing() == missing
        photo = await decoder.inspect(tmp_path / "photo")
        assert (photo.kind, photo.content_type) == (PhotoKind.AVIF, "image/jpeg")
        await decoder.check(tmp_path / "photo")
        assert await decoder.fit(tmp_path / "photo", 100_000)
    (finding,) = [one async for one in pictures(cast("Any", None))]
    assert finding.verdict == WARN
    assert f"can't limit the {' and '.join(missing)} of a process" in finding.words


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


@LINUX
@pytest.mark.promise
@pytest.mark.parametrize("who", STARTS)
def test_other_processes_of_the_same_user_can_read_neither_memory_nor_environment(who: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", STARTS[who]], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == ("1" if who == "neither" else "0")


@LINUX
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


@LINUX
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
