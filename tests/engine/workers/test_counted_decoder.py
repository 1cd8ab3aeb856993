"""A file that ends what decodes it is not opened any more, and costs nobody else anything."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine import CountedDecoder, Engine
from bot.engine.counted_decoder import MAX_DECODE_TRIES, Undecodable
from bot.jobs import transitions
from bot.jobs.models import FailureCode, JobState
from bot.media import PhotoKind
from bot.media.photo import DecoderFailed, Photo
from bot.ui.kit.reasons import reason_words
from tests.engine.world import EngineWorld, a_staging_job, engine_world

PNG = Photo(PhotoKind.PNG, "image/png", 64, 64)


class Dying:
    """A decoder that gives up some files."""

    def __init__(self, dies_on: Callable[[Path], bool]) -> None:
        self.dies_on = dies_on
        self.opened: list[str] = []
        self.hangs = False

    async def inspect(self, path: Path) -> Photo:
        await self._open(path)
        return PNG

    async def check(self, path: Path) -> None:
        await self._open(path)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        await self._open(path)
        return b"x" * limit

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        await self._open(path)
        return b"x" * limit

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        await self._open(after)
        return b"x" * limit

    async def _open(self, path: Path) -> None:
        self.opened.append(path.name)
        while self.hangs:  # noqa: ASYNC110 - until the test ends it
            await asyncio.sleep(0.01)
        if self.dies_on(path):
            raise DecoderFailed


def with_decoder(world: EngineWorld, decoder: Dying) -> Engine:
    world.decoder = decoder  # type: ignore[assignment]
    return world.engine()


async def tries_of(world: EngineWorld, job_id: str) -> int:
    return await world.db.read(transitions.decode_tries, job_id)


@pytest.mark.promise
async def test_a_photo_that_is_given_up_fails_unpaid_with_a_sentence(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.running(with_decoder(world, Dying(lambda _: True))):
            said = (await world.announced(job.id)).job
        assert (said.state, said.failure, said.settled) == (JobState.FAILED, FailureCode.PHOTO, 0)
        assert "Use another one" in reason_words(said.failure_text)
        assert not world.studii.jobs
        assert world.spooled() == []
        await world.balanced()


async def test_a_stop_takes_the_try_back(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        decoder = Dying(lambda _: False)
        decoder.hangs = True
        job = await world.accept(a_staging_job())
        async with world.running(with_decoder(world, decoder)):

            async def is_open() -> bool:
                return bool(decoder.opened) and await tries_of(world, job.id) == 1

            await world.until(is_open, "the photo to be opened")
        assert await tries_of(world, job.id) == 0


async def test_of_those_that_were_open_when_the_bot_died_one_is_tried_at_a_time(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        jobs = [await world.accept(a_staging_job()) for _ in range(3)]
        for job, tries in zip(jobs, (1, 1, MAX_DECODE_TRIES), strict=True):
            await world.db.write(transitions.set_decode_tries, job.id, tries)
        decoder = Dying(lambda _: False)
        decoder.hangs = True
        counted = CountedDecoder(world.db, decoder)
        opening = [asyncio.create_task(counted.inspect(tmp_path / f"{job.id}.source")) for job in jobs]

        async def is_open() -> bool:
            return bool(decoder.opened) and opening[2].done()

        await world.until(is_open, "the first to be opened")
        assert isinstance(opening[2].exception(), Undecodable)
        assert sorted([await tries_of(world, job.id) for job in jobs]) == [1, 2, 2]
        decoder.hangs = False
        await asyncio.wait(opening)
        assert [await tries_of(world, job.id) for job in jobs] == [0, 0, MAX_DECODE_TRIES]
