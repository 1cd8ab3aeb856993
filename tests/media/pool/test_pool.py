"""What opens files runs in processes of its own, and their end is nobody else's concern."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.cli.doctor import Verdict, pictures
from bot.media import PhotoKind, pool, sniff
from bot.media.kinds import HEAD_BYTES
from bot.media.photo import DecoderFailed, PhotoRefused
from bot.media.pool import LARGE_LANE, SMALL_LANE, DecoderPool
from tests.engine.world import PHOTO_URL, engine_world, with_photo
from tests.media.pool.conftest import Asking, is_alive
from tests.support.patience import PATIENCE, until

ROOT = Path(__file__).parents[3]
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
    assert len(died) == 3


@pytest.mark.promise
async def test_a_photo_that_takes_too_long_fails_and_its_process_ends(
    decoder: DecoderPool, tmp_path: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.stop_at = LARGE_LANE.seconds
    monkeypatch.setattr(pool, "_BUSY", 0)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(large(tmp_path))
    await until(lambda: not is_alive(asking.stopped.result()), "the end of a decoder")


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read in /proc")
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


@pytest.mark.promise
async def test_a_stop_waits_for_no_photo_that_is_being_opened(
    tmp_path: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_SLACK_SECONDS", 10 * PATIENCE)  # it would be waited for until then
    asking.stop_at = SMALL_LANE.seconds
    async with engine_world(tmp_path) as world:
        world.decoder = decoder = DecoderPool()  # type: ignore[assignment]
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: small(tmp_path).read_bytes()}
        async with asyncio.timeout(PATIENCE):
            async with decoder, world.running():
                await world.accept(with_photo(1))
                pid = await asking.stopped
    assert not is_alive(pid)


async def test_a_large_picture_and_one_that_takes_long_hold_up_no_small_one(
    decoder: DecoderPool, tmp_path: Path, asking: Asking
) -> None:
    asking.stop_at = LARGE_LANE.seconds
    held = asyncio.create_task(decoder.inspect(large(tmp_path)))
    await asking.stopped
    next_one = asyncio.create_task(decoder.inspect(tmp_path / "large"))
    for _ in range(3):
        assert (await decoder.inspect(small(tmp_path))).width == 30
    assert not next_one.done()  # no two large ones at once
    os.kill(await asking.stopped, signal.SIGCONT)
    await asyncio.wait({held, next_one})


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
    assert finding.verdict is Verdict.WARN
    assert f"can't limit the {' and '.join(missing)} of a process" in finding.words
