"""What opens files runs in processes of their own, and what becomes of those is nobody else's concern."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from PIL import Image

from bot.media import DecoderFailed, PhotoKind, PhotoRefused, PictureBroken, pool, sniff
from bot.media.answers import ProbeResult
from bot.media.decoder_process import DecoderProcess, environment
from bot.media.kinds import HEAD_BYTES
from bot.media.memory import MemoryBudget
from bot.media.pool import DecoderPool, TimeLimits
from tests.support.simulated.people import until

ROOT = Path(__file__).parents[2]


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


class Hasty(TimeLimits):
    """Gives every file a third of a second."""

    @classmethod
    def of(cls, pixels: int) -> TimeLimits:
        return TimeLimits(1, 0.3)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is more than a remainder for its parent to look at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def belongings(process: Path) -> tuple[list[Path], bytes]:
    """The files that a process has open, and its environment."""
    return [link.readlink() for link in (process / "fd").iterdir()], (process / "environ").read_bytes()


async def gone(pid: int) -> None:
    """Wait until the process is no more."""
    await until(lambda: not is_alive(pid), "the end of a decoder")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_photo_that_is_opened_again_at_once_keeps_what_it_is_made_into(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine removes what the first time left over only when the second has begun."""
    begins = asyncio.Event()
    remove = pool._remove  # pyright: ignore[reportPrivateUsage]

    async def later(path: Path) -> None:
        await begins.wait()
        await remove(path)

    monkeypatch.setattr(pool, "_remove", later)
    before = await asyncio.to_thread(photo.read_bytes)
    await decoder.inspect(photo)
    await asyncio.to_thread(photo.write_bytes, before)
    again = asyncio.create_task(decoder.inspect(photo))
    done, _ = await asyncio.wait({again}, timeout=0.3)
    begins.set()
    assert not done  # nothing is opened while something may be removed from under it
    assert (await again).kind is PhotoKind.BMP
    assert sniff((await asyncio.to_thread(photo.read_bytes))[:HEAD_BYTES]) is not PhotoKind.BMP


async def test_one_process_opens_one_photo_after_the_other(
    decoder: DecoderPool, photo: Path, asked: list[DecoderProcess]
) -> None:
    for _ in range(3):
        Image.new("RGB", (30, 20)).save(photo, "PNG")
        assert (await decoder.inspect(photo)).width == 30
    assert len(set(asked)) == 1


async def test_a_process_that_died_between_two_photos_is_replaced_without_a_word(
    decoder: DecoderPool, photo: Path, asked: list[DecoderProcess]
) -> None:
    await decoder.check(photo)
    os.kill(asked[0].pid, signal.SIGKILL)
    assert (await decoder.inspect(photo)).width == 300


async def test_a_process_that_dies_on_a_file_is_the_files_failure_and_the_next_file_has_another(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: dict[str, object], within: float) -> object:
        return await real(self, {**request, "memory": "no number"}, within)  # which it does not survive

    with monkeypatch.context() as patch:
        patch.setattr(DecoderProcess, "ask", ask)
        with pytest.raises(DecoderFailed):
            await decoder.inspect(photo)
    assert (await decoder.inspect(photo)).width == 300


async def test_a_photo_that_takes_too_long_fails_and_its_process_ends(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, "inspect")
    monkeypatch.setattr(pool, "TimeLimits", Hasty)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(photo)
    await gone(await stopped)


async def test_a_photo_that_takes_more_memory_than_it_may_fails(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo"
    Image.new("RGB", (6000, 5000)).save(path, "PNG")
    real = pool.probe_result_of

    def small(answer: Mapping[str, object]) -> ProbeResult:
        return real({**answer, "memory": 1_000_000})

    monkeypatch.setattr(pool, "probe_result_of", small)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(path)


async def test_a_cancelled_photo_ends_its_process_at_once(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, "inspect")
    inspecting = asyncio.create_task(decoder.inspect(photo))
    pid = await stopped
    inspecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inspecting
    await gone(pid)


async def test_closing_does_not_wait_for_photos_that_are_being_opened(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, "inspect")
    async with DecoderPool() as decoder:
        inspecting = asyncio.create_task(decoder.inspect(photo))
        pid = await stopped
    assert not is_alive(pid)
    with pytest.raises((DecoderFailed, OSError)):
        await inspecting


async def test_a_small_photo_that_takes_long_makes_room_for_others_and_is_opened_all_the_same(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SMALL_PICTURE_SECONDS", 0.1)
    stopped = stop_at(monkeypatch, "inspect")
    async with DecoderPool(small_at_once=1) as decoder:
        slow = asyncio.create_task(decoder.inspect(photo))
        await stopped
        other = photo.with_name("other")
        Image.new("RGB", (30, 20)).save(other, "PNG")
        assert (await decoder.inspect(other)).width == 30
        assert (await slow).width == 300


async def test_a_stop_that_the_system_tells_everybody_is_the_bots_to_make(
    decoder: DecoderPool, photo: Path, asked: list[DecoderProcess]
) -> None:
    await decoder.check(photo)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(asked[0].pid, number)
    await decoder.check(photo)
    assert len(set(asked)) == 1


_BOT = """
import asyncio, sys
from pathlib import Path
from bot.media.pool import DecoderPool

async def main():
    async with DecoderPool() as decoder, decoder._processes.one() as process:
        print(process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


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
    await until(lambda: not is_running(pid), "the end of the decoder")


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


async def test_a_picture_that_is_cut_off_is_broken_and_a_whole_one_is_left_as_it_is(
    decoder: DecoderPool, tmp_path: Path
) -> None:
    path = tmp_path / "output"
    Image.effect_noise((300, 200), 60).save(path, "PNG")
    whole = path.read_bytes()
    await decoder.check(path)
    assert path.read_bytes() == whole
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureBroken):
        await decoder.check(path)


async def test_what_is_no_picture_is_never_opened(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "output.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n")
    await decoder.check(path)
    assert await decoder.fit(path, 100_000) is None
    with pytest.raises(PhotoRefused, match="photo_unknown_kind"):
        await decoder.inspect(path)


async def test_a_conversion_that_failed_leaves_the_photo_and_nothing_else(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, "inspect")
    inspecting = asyncio.create_task(decoder.inspect(photo))
    half = photo.with_name("photo.converted")
    half.write_bytes(b"half of it")
    await stopped
    inspecting.cancel()
    await asyncio.wait({inspecting})
    await until(lambda: not half.exists(), "the removal of half a conversion")
    assert sniff((await asyncio.to_thread(photo.read_bytes))[:HEAD_BYTES]) is PhotoKind.BMP


async def test_a_process_knows_none_of_the_bots_secrets_and_has_no_files_of_the_bot(
    decoder: DecoderPool, photo: Path, asked: list[DecoderProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "DISCORD_TOKEN" not in environment({"DISCORD_TOKEN": "secret", "PATH": "/bin"})
    monkeypatch.setenv("ENCRYPTION_KEYS", "secret")
    with photo.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        await decoder.check(photo)
    if sys.platform != "linux":
        pytest.skip("there is no /proc here")
    held_open, own = await asyncio.to_thread(belongings, Path(f"/proc/{asked[0].pid}"))
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


async def test_large_pictures_come_one_at_a_time_and_small_ones_beside_them() -> None:
    memory = MemoryBudget(100)
    order: list[str] = []

    async def large(name: str) -> None:
        async with memory.large(80):
            order.append(name)
            await release.wait()

    release = asyncio.Event()
    tasks = [asyncio.create_task(large("first")), asyncio.create_task(large("second"))]
    await asyncio.sleep(0)
    async with memory.small(20):
        assert order == ["first"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), memory.small(1):
                pass
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "second"]
    async with memory.small(100):
        pass


async def test_smaller_ones_among_the_large_go_first_but_not_for_ever() -> None:
    memory = MemoryBudget(1_000_000_000)
    order: list[str] = []

    async def large(name: str, size: int) -> None:
        async with memory.large(size):
            order.append(name)
            await asyncio.sleep(0)

    async with memory.large(1):
        tasks = [asyncio.create_task(large("largest", 560_000_000))]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(large("larger", 150_000_000)) for _ in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert 3 < order.index("largest") < 10


async def test_a_large_picture_gets_its_turn_among_many_small_ones() -> None:
    memory = MemoryBudget(100)
    done: list[str] = []

    async def small() -> None:
        async with memory.small(60):
            done.append("small")
            await asyncio.sleep(0)

    async def large() -> None:
        async with memory.large(80):
            done.append("large")

    async with memory.small(60):
        tasks = [asyncio.create_task(large())]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(small()) for _ in range(5)]
        await asyncio.sleep(0)
        assert done == []
    await asyncio.gather(*tasks)
    assert done[0] == "large"
