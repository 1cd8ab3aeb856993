"""The outputs of finished jobs, fetched from the addresses that Studii gives."""

from pathlib import Path

import pytest

from bot import posts
from bot.jobs.models import FailureCode
from bot.servers.notices import NoticeKind
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, Output, faults
from tests.engine.world import GUILD, STUDIO, a_job, ends_badly, engine_world


@pytest.mark.promise
async def test_an_output_in_a_private_network_is_not_fetched_and_fails_with_its_charge(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        private = {"output_url": "http://169.254.169.254/latest/meta-data/"}
        world.studii.fail("status", faults.WrongShape(without=frozenset(), replaced=private), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert "the result's address isn't safe to open" in reason_words(failed.failure_text)
        assert failed.output_url is None
        assert world.studii.requests.count("output") == 0


@pytest.mark.promise
async def test_an_output_that_stays_gone_fails_with_its_charge(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.gone(), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert "It may still be in the Studii account" in reason_words(failed.failure_text)
        assert failed.output_url is None  # an address that leads nowhere is shown to nobody
        assert await world.db.read(posts.known, GUILD, NoticeKind.RESULT_LOST, job.id)
        assert world.studii.requests.count("status") == 2
        assert world.studii.requests.count("output") == 1 + world.tuning.download_tries


async def test_an_output_that_is_too_large_fails_with_its_charge(tmp_path: Path) -> None:
    async with engine_world(tmp_path, max_output_bytes=100) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert "larger" in reason_words(failed.failure_text)
        assert world.spooled() == []


async def test_bytes_that_nobody_names_are_the_video_that_the_tool_makes(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(output=Output(b"\x00" * 50, "application/octet-stream")))
        job = await world.accept(a_job(inputs={**STUDIO, "mode": "video"}))
        async with world.running():
            said = await world.announced(job.id)
        assert (said.output, said.kind) == (b"\x00" * 50, "video")
