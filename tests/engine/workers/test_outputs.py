"""The outputs of finished jobs, fetched from the addresses that Studii gives."""

import logging
from pathlib import Path

import pytest

from bot import posts
from bot.jobs.models import FailureCode, JobState
from bot.posts import Later
from bot.servers.notices import NoticeKind
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Fault, Outcome, Output, faults
from tests.engine.world import GUILD, STUDIO, a_job, ends_badly, engine_world, png

HALF = Output(png(size=256)[:300], "image/png")


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


async def test_an_output_that_is_gone_is_asked_for_once_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.gone())
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert world.studii.requests.count("status") == 2
    assert f"Job {job.id}: its output can't be fetched from Studii (status 404)" in caplog.messages


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


async def test_a_fresh_address_is_asked_for_once_also_over_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path, download_pause=0.1) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.gone(), 99)
        job = await world.accept(a_job())
        async with world.running():

            async def was_asked() -> bool:
                return world.studii.requests.count("output") >= 2

            await world.until(was_asked, "the fresh address to lead nowhere, too")
        async with world.running():
            await ends_badly(world, job, 8)
        assert world.studii.requests.count("status") == 2


async def test_an_output_that_was_announced_too_early_is_waited_for(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.gone(), world.tuning.download_tries)
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert said.output is not None


async def test_an_output_that_can_not_be_fetched_is_left_with_its_link_and_its_charge(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.error(500), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert failed.output_url is not None
        assert world.studii.requests.count("status") == 2  # a fresh address might have helped


@pytest.mark.parametrize("fault", [faults.error(500), faults.DropBefore(), faults.Truncated()])
async def test_a_download_that_breaks_off_is_made_again(tmp_path: Path, fault: Fault) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", fault, 3)
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        (theirs,) = world.studii.jobs.values()
        assert said.output == (await world.studii.output_of(theirs.id)).data


async def test_an_output_that_is_too_large_fails_with_its_charge(tmp_path: Path) -> None:
    async with engine_world(tmp_path, max_output_bytes=100) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert "larger" in reason_words(failed.failure_text)
        assert world.spooled() == []


async def test_a_web_page_in_the_place_of_an_output_is_no_result(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(output=Output(b"<html>Sorry</html>", "text/html")))
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT


async def test_bytes_that_nobody_names_are_the_video_that_the_tool_makes(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(output=Output(b"\x00" * 50, "application/octet-stream")))
        job = await world.accept(a_job(inputs={**STUDIO, "mode": "video"}))
        async with world.running():
            said = await world.announced(job.id)
        assert (said.output, said.kind) == (b"\x00" * 50, "video")


async def test_half_a_picture_whose_length_agrees_is_fetched_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("output", faults.Malformed(), times=2)
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        (made,) = world.studii.jobs.values()
        assert said.output == (await world.studii.output_of(made.id)).data
        assert world.studii.requests.count("output") == 3


@pytest.mark.parametrize("output", [Output(b"\x00" * 50, "application/octet-stream"), HALF])
async def test_what_is_no_whole_picture_is_never_posted_and_its_charge_and_link_are_told(
    tmp_path: Path, output: Output
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(output=output))
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert "keeps arriving damaged" in reason_words(failed.failure_text)
        assert failed.output_url is not None
        assert world.studii.requests.count("output") == 2 * world.tuning.download_tries
        assert world.spooled() == []


async def test_a_result_that_is_fetched_again_before_it_is_posted_is_whole_as_well(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        world.discord.delay = 0.0
        world.discord.answers = [Later(0.5)]
        async with world.running():
            await world.reaches(job.id, JobState.SUCCEEDED)
            world.studii.fail("output", faults.Malformed(), times=1)
            for path in world.spool_folder.iterdir():
                path.unlink()
            said = await world.announced(job.id)
        (made,) = world.studii.jobs.values()
        assert said.output == (await world.studii.output_of(made.id)).data
