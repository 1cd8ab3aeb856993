"""A decoder that dies costs its file one more attempt, and then the file is not opened any more."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bot.domain import DecodeRecord, FailureCode, FileRole, JobState
from bot.engine import Engine, GuardedDecoder
from bot.engine.workers.guarded_decoder import AloneGate
from bot.media import PhotoKind
from bot.media.photo import DecoderFailed, Photo
from bot.ui.kit.reasons import reason_words
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.patience import PATIENCE

PNG = Photo(PhotoKind.PNG, "image/png", 64, 64)


class Dying:
    """A decoder that dies on some files, some times."""

    def __init__(self, dies_on: Callable[[Path], bool], times: int = 99) -> None:
        self.dies_on = dies_on
        self.times = times
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
        if self.dies_on(path) and self.times > 0:
            self.times -= 1
            raise DecoderFailed


def with_decoder(world: EngineWorld, decoder: Dying) -> Engine:
    world.decoder = decoder  # type: ignore[assignment]
    return world.engine()


async def remembered(world: EngineWorld, job_id: str, role: FileRole) -> DecodeRecord:
    async with world.storage.read() as transaction:
        return await transaction.decodes.get(job_id, role)


@pytest.mark.promise
@pytest.mark.parametrize(("times", "state"), [(1, JobState.SUCCEEDED), (2, JobState.FAILED)])
async def test_a_photo_whose_decoder_dies_twice_fails_unpaid_with_a_sentence(
    tmp_path: Path, times: int, state: JobState
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        decoder = Dying(lambda path: path.name.endswith(".source"), times)
        job = await world.accept(a_staging_job())
        async with world.running(with_decoder(world, decoder)):
            said = (await world.announced(job.id)).job
        assert said.state is state
        if state is JobState.FAILED:
            assert (said.failure, said.settled) == (FailureCode.PHOTO, 0)
            assert "Use another one" in reason_words(said.failure_text)
            assert not world.studii.jobs
        assert len([name for name in decoder.opened if name.endswith(".source")]) == 2
        assert world.spooled() == []
        await world.balanced()


async def test_the_second_attempt_on_a_photo_keeps_no_other_waiting(tmp_path: Path) -> None:
    class Slow(Dying):
        """The second attempt on the deadly photo takes as long as the test likes."""

        deadly = ""

        async def inspect(self, path: Path) -> Photo:
            if path.name.startswith(self.deadly) and path.name in self.opened:
                await asyncio.Event().wait()
            return await super().inspect(path)

    async with engine_world(tmp_path, intake_at_once=1) as world:
        await world.use_key(world.studii.add_key())
        deadly = await world.accept(a_staging_job())
        innocent = await world.accept(a_staging_job())
        decoder = Slow(lambda path: path.name.startswith(deadly.id))
        decoder.deadly = deadly.id
        async with world.running(with_decoder(world, decoder)):
            assert (await world.announced(innocent.id)).job.state is JobState.SUCCEEDED
            assert (await world.job(deadly.id)).state is JobState.RECEIVED


async def test_the_record_of_a_whole_result_goes_with_its_success(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        decoder = Dying(lambda _: False)
        async with world.running(with_decoder(world, decoder)):
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(decoder.opened) == 1
        assert await remembered(world, job.id, FileRole.OUTPUT) == DecodeRecord()


async def test_a_result_whose_decoder_dies_is_delivered_as_it_is(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        decoder = Dying(lambda path: True)
        async with world.running(with_decoder(world, decoder)):
            said = await world.announced(job.id)
            (made,) = world.studii.jobs.values()
            assert said.output == (await world.studii.output_of(made.id)).data
            assert len(decoder.opened) == 2
            assert (await remembered(world, job.id, FileRole.OUTPUT)).counted == 2
        # It is forgotten with its file.
        async with world.storage.write() as transaction:
            await transaction.decodes.tidy()
        assert await remembered(world, job.id, FileRole.OUTPUT) == DecodeRecord()


async def test_a_stop_takes_the_attempt_back(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        decoder = Dying(lambda path: False)
        decoder.hangs = True
        job = await world.accept(a_staging_job())
        async with world.running(with_decoder(world, decoder)):

            async def in_progress() -> bool:
                return (await remembered(world, job.id, FileRole.SOURCE)).in_progress

            await world.until(in_progress, "the attempt to be written down")
        assert await remembered(world, job.id, FileRole.SOURCE) == DecodeRecord()
        decoder.hangs = False
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


async def test_a_stop_while_the_attempt_is_being_written_down_takes_it_back(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_staging_job())
        decoder = Dying(lambda path: False)
        guarded = GuardedDecoder(world.storage, decoder, world.clock)
        async with world.storage.write():
            opening = asyncio.create_task(guarded.inspect(tmp_path / f"{job.id}.source"))
            await asyncio.sleep(0.05)
            opening.cancel()
        await asyncio.wait({opening})
        assert opening.cancelled()
        assert decoder.opened == []
        assert await remembered(world, job.id, FileRole.SOURCE) == DecodeRecord()


async def test_what_is_given_up_is_not_made_to_fit_either(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_job())
        decoder = Dying(lambda path: True)
        guarded = GuardedDecoder(world.storage, decoder, world.clock)
        path = tmp_path / f"{job.id}.output.png"
        assert await guarded.fit(path, 10) is None
        assert await guarded.fit(path, 10) is None
        assert decoder.opened == [path.name] * 2
        assert await guarded.fit(tmp_path / f"{job.id}.source.png", 10) is None


async def test_attempts_go_with_their_job_when_a_server_is_erased(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_job())
        async with world.storage.write() as transaction:
            await transaction.decodes.put(job.id, FileRole.OUTPUT, DecodeRecord(1))
            await transaction.privacy.erase_guild(job.guild_id)
        assert await remembered(world, job.id, FileRole.OUTPUT) == DecodeRecord()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=12))
def test_whoever_is_to_be_alone_is_alone_and_all_come_through(visits: list[tuple[bool, int]]) -> None:
    inside: list[bool] = []
    through = 0

    async def visit(gate: AloneGate, alone: bool, rounds: int) -> None:
        nonlocal through
        async with gate.enter(alone=alone):
            inside.append(alone)
            for _ in range(rounds):
                assert inside == [True] or not any(inside)
                await asyncio.sleep(0)
            inside.remove(alone)
        through += 1

    async def all_of_them() -> None:
        gate = AloneGate()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(visit(gate, alone, rounds) for alone, rounds in visits))

    asyncio.run(all_of_them())
    assert through == len(visits)


async def test_one_who_stops_waiting_to_be_alone_holds_up_nobody() -> None:
    gate = AloneGate()
    async with gate.enter(alone=False):
        waiting = asyncio.create_task(gate.enter(alone=True).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        async with asyncio.timeout(PATIENCE), gate.enter(alone=False):
            pass


async def test_a_photo_that_is_opened_alone_is_not_taken_by_the_other_worker_as_well(tmp_path: Path) -> None:
    async with engine_world(tmp_path, reread_every=0.5) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.storage.write() as transaction:
            await transaction.decodes.put(job.id, FileRole.SOURCE, DecodeRecord(suspect=True))
        decoder = Dying(lambda _: False)
        decoder.hangs = True
        async with world.running(with_decoder(world, decoder)):
            async with asyncio.timeout(PATIENCE):
                while not decoder.opened:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            # As after a start that counts an attempt of the life before, while a worker has the job already.
            async with world.storage.write() as transaction:
                record = await transaction.decodes.get(job.id, FileRole.SOURCE)
                await transaction.decodes.put(job.id, FileRole.SOURCE, replace(record, counted=1))
            await asyncio.sleep(3 * world.tuning.reread_every)
            decoder.hangs = False
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.album.fetched) == 1
