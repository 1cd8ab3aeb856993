"""What opens files runs in processes of its own, and their end is nobody else's concern."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from bot.media import PhotoKind, pool, sniff
from bot.media.kinds import HEAD_BYTES
from bot.media.photo import DecoderFailed, PhotoRefused, PictureBroken
from bot.media.pool import LARGE_LANE, SMALL_LANE, DecoderPool
from tests.media.pool.conftest import Asked, change_requests, is_alive, stop_at
from tests.support.simulated.people import until


def small(folder: Path) -> Path:
    path = folder / "small"
    Image.new("RGB", (30, 20)).save(path, "PNG")
    return path


def large(folder: Path) -> Path:
    """A picture of more memory than a small one may take."""
    path = folder / "large"
    Image.new("L", (6000, 5000)).save(path, "GIF")
    return path


async def test_one_process_opens_one_photo_after_the_other(
    decoder: DecoderPool, tmp_path: Path, asked: Asked
) -> None:
    for _ in range(3):
        assert (await decoder.inspect(small(tmp_path))).width == 30
    assert len({process for process, _ in asked}) == 1


async def test_a_process_that_died_between_two_photos_is_replaced_without_a_word(
    decoder: DecoderPool, photo: Path, asked: Asked
) -> None:
    await decoder.check(photo)
    os.kill(asked[0][0].pid, signal.SIGKILL)
    assert (await decoder.inspect(photo)).width == 300


async def test_a_file_that_kills_what_opens_it_is_given_up_after_two_tries(
    photo: Path, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    died: list[str] = []
    async with DecoderPool(died=lambda: died.append("died")) as decoder:
        with monkeypatch.context() as patch:  # which it does not survive
            change_requests(patch, lambda request: {**request, "memory": "no number"})
            with pytest.raises(DecoderFailed):
                await decoder.inspect(photo)
        assert len(asked) == len(died) == 2
        assert (await decoder.inspect(photo)).width == 300
        assert len({process for process, _ in asked}) == 1  # it outlives what it forks
    assert len(died) == 2


async def test_what_dies_once_is_opened_all_the_same(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(request: Mapping[str, object]) -> Mapping[str, object]:
        is_first = request["seconds"] == SMALL_LANE.seconds
        return {**request, "memory": "no number"} if is_first else request

    change_requests(monkeypatch, once)
    assert (await decoder.inspect(photo)).width == 300


@pytest.mark.promise
async def test_a_photo_that_takes_too_long_fails_and_its_process_ends(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, LARGE_LANE.seconds)
    monkeypatch.setattr(pool, "_BUSY", 0)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(large(tmp_path))
    await until(lambda: not is_alive(stopped.result()), "the end of a decoder")


@pytest.mark.promise
async def test_a_photo_that_takes_more_memory_than_it_may_fails(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_requests(monkeypatch, lambda request: {**request, "memory": 1_000_000, "room": 1 << 40})
    with pytest.raises((DecoderFailed, PhotoRefused)):
        await decoder.inspect(large(tmp_path))


async def test_a_cancelled_photo_ends_its_process_at_once(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, SMALL_LANE.seconds)
    inspecting = asyncio.create_task(decoder.inspect(photo))
    pid = await stopped
    half = photo.with_name("photo.converted")
    half.write_bytes(b"half of it")
    inspecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inspecting
    await until(lambda: not is_alive(pid), "the end of a decoder")
    assert not half.exists()
    assert sniff((await asyncio.to_thread(photo.read_bytes))[:HEAD_BYTES]) is PhotoKind.BMP


async def test_closing_does_not_wait_for_photos_that_are_being_opened(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, SMALL_LANE.seconds)
    async with DecoderPool() as decoder:
        inspecting = asyncio.create_task(decoder.inspect(photo))
        pid = await stopped
    assert not is_alive(pid)
    with pytest.raises((DecoderFailed, OSError)):
        await inspecting


async def test_a_large_picture_and_one_that_takes_long_hold_up_no_small_one(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    stopped = stop_at(monkeypatch, LARGE_LANE.seconds)
    held = asyncio.create_task(decoder.inspect(large(tmp_path)))
    await stopped
    next_one = asyncio.create_task(decoder.inspect(tmp_path / "large"))
    for _ in range(3):
        assert (await decoder.inspect(small(tmp_path))).width == 30
    assert not next_one.done()  # no two large ones at once
    os.kill(await stopped, signal.SIGCONT)
    await asyncio.wait({held, next_one})


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
