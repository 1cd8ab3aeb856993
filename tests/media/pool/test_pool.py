"""What opens files runs in processes of their own, and their end is nobody else's concern."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from bot.media import PhotoKind, pool, sniff
from bot.media.decoder_answers import ProbeResult
from bot.media.decoder_process import DecoderProcess
from bot.media.kinds import HEAD_BYTES
from bot.media.photo import DecoderFailed, PhotoRefused, PictureBroken
from bot.media.pool import DecoderPool, TimeLimits
from tests.media.pool.stopped import gone, is_alive, stop_at
from tests.support.simulated.people import until


class Hasty(TimeLimits):
    """Gives every file a third of a second."""

    @classmethod
    def of(cls, pixels: int) -> TimeLimits:
        return TimeLimits(1, 0.3)


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


@pytest.mark.promise
async def test_a_photo_that_takes_too_long_fails_and_its_process_ends(
    decoder: DecoderPool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = stop_at(monkeypatch, "inspect")
    monkeypatch.setattr(pool, "TimeLimits", Hasty)
    with pytest.raises(DecoderFailed):
        await decoder.inspect(photo)
    await gone(await stopped)


@pytest.mark.promise
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
