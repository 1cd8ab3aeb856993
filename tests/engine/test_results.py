"""The last word on a job reaches its person: results, failures, sets, and outputs on their way."""

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.engine.posts import STAYS_THERE
from bot.jobs import answers, queries, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.results import EndOfJobs
from bot.media.spool import Spool
from bot.posts import Later, Never, NotHere, Post, Stands, TooMuch
from bot.reasons import Reason, ReasonCode
from bot.servers.notices import NoticeKind
from bot.studii import JobReport, NoAnswer, StudiiClient, Timeouts
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, Output, faults
from tests.engine.world import GUILD, MB, STUDIO, EngineWorld, a_job, a_staging_job, ends_badly, engine_world
from tests.support.patience import PATIENCE

PRIVATE = faults.WrongShape(
    without=frozenset(), replaced={"output_url": "http://169.254.169.254/latest/meta-data/"}
)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("fault", "without", "most", "words", "fetched"),
    [
        (("status", PRIVATE), False, MB, "the result's address isn't safe to open", 0),
        (("output", faults.gone()), False, MB, "It may still be in the Studii account", 4),
        (None, True, MB, "never said where the result is", 0),
        (None, False, 100, "larger", 1),
    ],
    ids=["private address", "gone", "no address", "too large"],
)
async def test_an_output_that_cannot_be_had_fails_with_its_charge(
    tmp_path: Path,
    fault: Any,
    most: int,
    words: str,
    fetched: int,
    *,
    without: bool,
) -> None:
    async with engine_world(tmp_path, max_output_bytes=most) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(without_url=without))
        if fault is not None:
            world.studii.fail(fault[0], fault[1], 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT
        assert words in reason_words(failed.failure_text)
        # An address that leads nowhere is shown to nobody.
        assert (failed.output_url is None) is (most == MB)
        assert world.spooled() == []
        assert world.studii.requests.count("output") == fetched


async def test_a_fresh_address_is_asked_for_once_also_if_studii_does_not_answer_at_first(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, polls = StudiiClient.job_status, list[str]()

    async def every_other_fails(self: StudiiClient, secret: str, job_id: str, *more: Any) -> JobReport:
        polls.append(job_id)
        if len(polls) % 2 == 0:
            raise NoAnswer
        return await real(self, secret, job_id, *more)

    monkeypatch.setattr(StudiiClient, "job_status", every_other_fails)
    world.studii.fail("output", faults.gone(), 99)
    job = await world.accept(a_job())
    await world.db.write(transitions.change, job.id, attempts=1)  # of an earlier version's submission
    async with world.running():
        await ends_badly(world, job, 8)
    assert world.studii.requests.count("output") == 1 + world.tuning.download_tries


async def test_an_output_of_a_job_that_has_run_for_a_day_is_tried_as_often_as_others(
    world: EngineWorld,
) -> None:
    world.studii.next_job(Outcome(duration=0.5))
    world.studii.fail("output", faults.error(500), 99)
    job = await world.accept(a_job())
    async with world.running():
        await world.reaches(job.id, JobState.RUNNING)
        told = Reason(ReasonCode.RUNNING_FOR_A_DAY)
        await world.db.write(transitions.change, job.id, held=told)
        await ends_badly(world, job, 8)
    assert world.studii.requests.count("output") == 2 * world.tuning.download_tries


@pytest.mark.world(held_bound=0.3, room_pause=0.05)
async def test_an_output_that_finds_no_room_for_long_is_given_to_its_person_as_a_link(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> int:
        return 1

    monkeypatch.setattr(Spool, "claim_output", lacking)
    job = await world.accept(a_job())
    async with world.running():
        failed = await ends_badly(world, job, 8)
    assert (failed.failure, failed.output_url is None) == (FailureCode.OUTPUT, False)
    assert world.studii.requests.count("output") > 1


@pytest.mark.world(room_pause=0.05)
async def test_an_output_of_a_job_that_ran_over_a_weekend_waits_for_room_as_others_do(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, lacks = Spool.claim_output, iter((1, 1, 1))

    def claimed(*about: Any) -> int:
        return next(lacks, None) or claim(*about)

    monkeypatch.setattr(Spool, "claim_output", claimed)
    world.studii.next_job(Outcome(duration=0.5))
    job = await world.accept(a_job())
    async with world.running():
        running = await world.reaches(job.id, JobState.RUNNING)
        await world.db.write(transitions.change, job.id, changed_at=running.changed_at - timedelta(days=3))
        await world.announced(job.id)
    assert (await world.job(job.id)).failure is None


async def test_bytes_that_nobody_names_are_the_video_that_the_tool_makes(world: EngineWorld) -> None:
    world.studii.next_job(Outcome(output=Output(b"\x00" * 50, "application/octet-stream")))
    job = await world.accept(a_job(inputs={**STUDIO, "mode": "video"}))
    async with world.running():
        said = await world.announced(job.id)
    assert (said.output, said.kind) == (b"\x00" * 50, "video")


OTHER = GUILD + 1
NEVER = 10 * PATIENCE  # seconds: a test has failed by then
MANY_FAULTS = 99


@pytest.mark.promise
async def test_a_server_whose_results_take_long_leaves_room_for_those_of_another(tmp_path: Path) -> None:
    timeouts = Timeouts(connect=60, read=NEVER, total=NEVER, transfer=NEVER)
    async with engine_world(tmp_path, timeouts=timeouts, downloads_at_once=4) as world:
        for guild_id in (GUILD, OTHER):
            await world.use_key(world.studii.add_key(), guild_id)
        world.studii.fail("output", faults.Slow(NEVER), MANY_FAULTS)
        jobs = [await world.accept(a_job(user_id=400 + number)) for number in range(6)]
        async with world.running():

            async def finished() -> bool:
                ended = [(await world.job(job.id)).output_url is not None for job in jobs]
                return all(ended) and world.studii.failures.left("output") <= MANY_FAULTS - 2

            await world.until(finished, "two downloads of six results")
            await asyncio.sleep(0.2)  # in which more could begin
            world.studii.failures.clear()
            other = await world.accept(a_job(guild_id=OTHER))
            assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
            assert {(await world.job(job.id)).state for job in jobs} == {JobState.RUNNING}


@pytest.mark.promise
async def test_what_cannot_be_posted_now_is_posted_later(world: EngineWorld) -> None:
    world.discord.answers = [Later(0.05), Later(0.05), Stands(1234)]
    job = await world.accept(a_job())
    async with world.running():
        said = await world.announced(job.id)
    assert said.output is not None
    assert world.discord.attempts == 3
    assert (await world.job(job.id)).result_message_id == 1234


@pytest.mark.promise
async def test_an_output_that_nobody_fetched_for_a_month_is_dropped(world: EngineWorld) -> None:
    world.discord.answers = [Never("no permission")]
    job = await world.accept(a_job())
    async with world.running():
        await world.over(job.id)
    kept = await world.db.write(queries.get, job.id)
    assert kept is not None
    assert kept.announced_at is not None
    long_ago = kept.announced_at.replace(year=kept.announced_at.year - 1)
    await world.db.write(transitions.change, job.id, announced_at=long_ago)
    async with world.running():
        await world.until(lambda: world.spooled() == [], "an empty spool")
    assert (await world.job(job.id)).output_file is None


@pytest.mark.promise
async def test_results_in_a_channel_come_in_the_order_in_which_jobs_ended(world: EngineWorld) -> None:
    world.discord.answers = [Later(0.05)]
    jobs = [await world.accept(a_job()) for _ in range(5)]
    for job in jobs:
        await world.put(job, JobState.UNKNOWN)
    async with world.running():
        for job in jobs:
            await world.announced(job.id)
    assert [said.job.id for said in world.discord.said] == [job.id for job in jobs]


@pytest.mark.promise
async def test_a_result_that_cannot_be_posted_holds_up_no_other_channel(world: EngineWorld) -> None:
    world.discord.answers = [Later(2 * PATIENCE)]
    stuck = await world.accept(a_job(channel_id=1))
    async with world.running():
        await world.until(lambda: world.discord.attempts, "the first to be told to wait")
        other = await world.accept(a_job(channel_id=2))
        assert (await world.announced(other.id)).place == "c2"
    assert (await world.job(stuck.id)).announced_at is None


async def without_its_file(world: EngineWorld) -> Job:
    """A job whose result could not be posted, is asked for again, and is gone from the disk."""
    world.discord.answers = [Never("no permission")]
    job = await world.accept(a_job())
    async with world.running():
        await world.over(job.id)
    (file,) = world.spooled()
    (world.spool_folder / file).unlink()
    world.discord.said.clear()
    assert await world.db.write(transitions.repost, job.id, job.channel_id, world.clock.now())
    return await world.job(job.id)


@pytest.mark.promise
async def test_a_result_that_is_nowhere_any_more_is_told_without_a_link_that_leads_nowhere(
    world: EngineWorld,
) -> None:
    job = await without_its_file(world)
    world.studii.fail("output", faults.gone(), 99)
    async with world.running():
        said = await world.announced(job.id)
        assert (said.output, said.job.output_url) == (None, None)
        assert said.job.state is JobState.SUCCEEDED

        await world.until(lambda: world.discord.notices, "the admins to be told")
    ((notice, _, told),) = world.discord.notices
    assert notice.kind == NoticeKind.RESULT_LOST
    assert told is not None
    assert told.settled == job.settled > 0


async def test_who_can_not_be_shown_a_result_outside_of_its_channel_is_told_that_it_ended(
    world: EngineWorld,
) -> None:
    world.discord.answers = [NotHere("the channel is gone"), STAYS_THERE]
    job = await world.accept(a_job())
    async with world.running():

        async def told() -> bool:
            kinds = [notice.kind for notice, _, _ in world.discord.notices]
            return kinds == [NoticeKind.ENDED] and (await world.job(job.id)).announced_at is not None

        await world.until(told, "the person to be told")
        kept = await world.job(job.id)
    assert world.spooled() == [kept.output_file]
    assert world.discord.notices[0][0].place == f"u{job.user_id}"


INTERACTION = 900


async def with_answer(world: EngineWorld, job: Job, age: float = 0.0) -> None:
    """Let the person have been answered that many seconds ago, and the answer be edited."""
    now = world.clock.now()
    await world.db.write(
        answers.keep,
        INTERACTION,
        guild_id=job.guild_id,
        user_id=job.user_id,
        sealed=b"",
        life=1,
        created_at=now - timedelta(seconds=age),
        due_at=now + timedelta(days=1),
        subject=answers.subject_of(job),
        shown="its state",
    )


@pytest.mark.promise
@pytest.mark.parametrize(("age", "told"), [(5.0, False), (90.0, True)])
async def test_an_unpaid_failure_is_told_by_dm_only_if_its_person_was_answered_long_ago(
    world: EngineWorld, age: float, *, told: bool
) -> None:
    world.studii.fail("create", faults.error(400))
    job = await world.accept(a_job())
    await with_answer(world, job, age)
    async with world.running():
        assert (await world.over(job.id)).state is JobState.FAILED
        if told:
            await world.announced(job.id)
    assert len(world.discord.said) == told


@pytest.mark.promise
async def test_a_charged_failure_is_told_by_dm_in_any_case(world: EngineWorld) -> None:
    world.studii.next_job(Outcome(fails="No.", refunded=False))
    job = await world.accept(a_job())
    await with_answer(world, job)
    async with world.running():
        said = await world.announced(job.id)
    assert said.job.settled > 0


@pytest.mark.promise
async def test_whose_direct_messages_are_closed_is_told_of_it_in_the_channel_once_an_hour(
    world: EngineWorld,
) -> None:
    world.discord.closed = True
    world.studii.fail("create", faults.error(400), 3)
    jobs = [await world.accept(a_job()) for _ in range(2)]
    private = await world.accept(replace(a_job(), private=True))
    async with world.running():
        for job in (*jobs, private):
            await world.over(job.id)
        await world.announced(jobs[0].id)

        await world.all_posted()
    assert [(one.job.id, one.place) for one in world.discord.said] == [(jobs[0].id, f"c{jobs[0].channel_id}")]


@pytest.mark.promise
async def test_an_hourglass_stands_on_a_photos_message_while_jobs_of_it_go_on(world: EngineWorld) -> None:
    world.studii.next_job(Outcome(never_ends=True))
    world.studii.next_job(Outcome(never_ends=True))
    first, second = [await world.accept(replace(a_staging_job(), origin_message_id=55)) for _ in range(2)]
    async with world.running():
        for job in (first, second):
            await world.reaches(job.id, JobState.RUNNING)

        await world.until(lambda: world.discord.hourglasses == ["55"], "an hourglass")
        code = (second.id, JobState.RUNNING)
        await world.db.write(transitions.change, *code, studii_status="rendering", visible=True)
        assert not world.discord.deleted
        world.finish()

        await world.until(lambda: [post.key for post in world.discord.deleted] == ["55"], "no hourglass")
        for job in (first, second):
            assert (await world.job(job.id)).terminal
    assert world.discord.hourglasses == ["55"]


@pytest.mark.promise
async def test_an_address_is_asked_for_anew_and_the_last_one_is_given_where_studii_says_none(
    world: EngineWorld,
) -> None:
    job = await world.accept(a_job())
    async with world.running() as engine:
        done = (await world.announced(job.id)).job
        old = replace(done, output_url="https://files.example/old")
        assert await engine.fresh_link(old) == done.output_url
        assert await engine.fresh_link(replace(old, studii_id="0" * 32)) == old.output_url
        assert await engine.fresh_link(replace(old, studii_id=None)) == old.output_url


SET = "5e75e75e75e75e75"


async def a_set(
    world: EngineWorld, count: int = 3, *, like: Job | None = None, origin: int | None = None
) -> list[Job]:
    jobs: list[Job] = []
    for _ in range(count):
        one = replace(like or a_staging_job(), id=secrets.token_hex(8), set_id=SET, origin_message_id=origin)
        jobs.append(await world.accept(one))
    return jobs


async def all_of(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    return [await world.job(job.id) for job in jobs]


async def posted(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    """The jobs, once all of them are announced."""

    async def there() -> bool:
        return all(job.announced_at is not None for job in await all_of(world, jobs))

    await world.until(there, "a set that is posted")
    return await all_of(world, jobs)


def of(posting: tuple[Post, EndOfJobs]) -> list[int]:
    return [part.number for part in posting[1].parts]


async def test_a_message_that_is_too_large_becomes_two(world: EngineWorld) -> None:
    world.discord.set_answers = [TooMuch()]
    jobs = await a_set(world, 4)
    async with world.running():
        await posted(world, jobs)
    assert [(posting[0].nonce, of(posting)) for posting in world.discord.postings] == [
        (f"{SET}-0", [1, 2]),
        (f"{SET}-1", [3, 4]),
    ]
