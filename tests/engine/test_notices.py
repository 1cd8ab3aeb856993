"""What admins and moderators are told and asked, once each."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot import posts
from bot.engine.posts import _about  # pyright: ignore[reportPrivateUsage]
from bot.features.words import WordEffect, WordRule
from bot.jobs import best_results, transitions
from bot.jobs.models import Approval, FailureCode, Job, JobState
from bot.posts import Later, Never, NotHere, Outcome, Post
from bot.reasons import Reason, ReasonCode
from bot.servers import settings, settings as server_settings
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, EngineWorld, a_job, a_staging_job, engine_world
from tests.support import jobs
from tests.support.database import given
from tests.support.posts import open_posts
from tests.support.resources import erase

TOLD_IN = 555


async def tell(world: EngineWorld, kind: NoticeKind, key: str = "1", job_id: str | None = None) -> None:
    await world.db.write(posts.want, GUILD, kind, key, at=world.clock.now(), job_id=job_id)


async def use_log(world: EngineWorld, *, results: bool = False) -> None:
    await world.db.write(server_settings.set_log, GUILD, TOLD_IN, results=results)


def posted(world: EngineWorld) -> list[tuple[str, int | None]]:
    return [(notice.kind, channel) for notice, channel, _ in world.discord.notices]


@pytest.mark.promise
async def test_a_notice_is_posted_once_also_over_a_restart(world: EngineWorld) -> None:
    await use_log(world)
    await tell(world, NoticeKind.BUDGET_80)
    async with world.running():
        await world.all_posted()
    await tell(world, NoticeKind.BUDGET_80)
    async with world.running():
        await world.all_posted()
    assert posted(world) == [(NoticeKind.BUDGET_80, TOLD_IN)]


async def test_a_message_whose_row_is_damaged_keeps_no_other_from_being_posted(world: EngineWorld) -> None:
    await use_log(world)
    await tell(world, NoticeKind.BUDGET_80)
    await world.db.write(lambda session: session.execute(text("UPDATE posts SET details = '{'")))
    await tell(world, NoticeKind.BUDGET_100)
    async with world.running():
        await world.until(lambda: _any_posted(world), "the other message")
    assert posted(world) == [(NoticeKind.BUDGET_100, TOLD_IN)]


async def _any_posted(world: EngineWorld) -> bool:
    return bool(posted(world))


B80, B100, REFUSED = NoticeKind.BUDGET_80, NoticeKind.BUDGET_100, NoticeKind.KEY_REFUSED
LOST = (NoticeKind.LOG_LOST, None)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("log", "answers", "kinds", "told"),
    [
        (True, [Later(0.02), Later(0.02)], [B80, B100], [(B80, TOLD_IN)] * 3 + [(B100, TOLD_IN)]),
        (False, [], [B80, REFUSED, NoticeKind.OUT_OF_CREDITS], [REFUSED, NoticeKind.OUT_OF_CREDITS]),
        (True, [NotHere("gone")] * 2, [B80, B100], [(B80, TOLD_IN), (B100, TOLD_IN), LOST]),
        (True, [NotHere("gone")], [REFUSED], [(REFUSED, TOLD_IN), REFUSED, LOST]),
    ],
    ids=["later", "without a log channel", "it is gone", "it is gone and all stops"],
)
async def test_a_notice_goes_to_the_log_channel_and_to_the_owner_what_stops_everything(
    world: EngineWorld, answers: list[Outcome], kinds: list[NoticeKind], told: list[Any], *, log: bool
) -> None:
    if log:
        await use_log(world)
    world.discord.notice_answers = [*answers]
    for kind in kinds:
        await tell(world, kind)
    async with world.running():
        await world.all_posted()
    assert posted(world) == [(one, None) if isinstance(one, NoticeKind) else one for one in told]


CHANNEL = 556
EFFECTS = {"blimp": WordEffect.APPROVE, "gull": WordEffect.REFUSE}


@asynccontextmanager
async def asking(folder: Path, *, channel: int | None = CHANNEL) -> AsyncGenerator[tuple[EngineWorld, Job]]:
    """A world with a job that needs approval."""
    async with engine_world(folder) as world:
        await world.use_key(world.studii.add_key())
        await world.db.write(settings.change, GUILD, approval_channel=channel)
        rules = [WordRule(GUILD, word, word, effect) for word, effect in EFFECTS.items()]
        await world.db.write(lambda session: session.add_all(rules))
        job = await world.accept(replace(a_staging_job(), approval=Approval.WANTED))
        yield world, job


@pytest.mark.promise
@pytest.mark.parametrize("channel", [CHANNEL, None])
async def test_without_its_channel_a_request_ends_unpaid(tmp_path: Path, channel: int | None) -> None:
    async with asking(tmp_path, channel=channel) as (world, job):
        world.discord.notice_answers += [Later(0.0), NotHere("deleted")]
        async with world.running():
            ended = (await world.announced(job.id)).job
        assert (ended.state, ended.reserved) == (JobState.FAILED, 0)
        assert ended.failure_text is not None
        assert ended.failure_text.code == ReasonCode.APPROVALS_GONE
        await world.balanced()


@pytest.mark.promise
async def test_a_question_that_may_have_been_posted_without_our_knowing_is_looked_for_when_it_is_over(
    tmp_path: Path,
) -> None:
    async with asking(tmp_path) as (world, job):
        world.discord.notice_answers += [Later(0.2)] * 1000  # the answer of Discord's that is lost
        async with world.running():
            await world.until(lambda: world.discord.notices, "the request is tried")
        world.discord.standing[world.discord.notices[0][0].id] = 7001
        assert await world.db.write(transitions.cancel, job.id, world.clock.now(), told=True)
        async with world.running():
            await world.until(lambda: _reduced(world), "the request is reduced")
        (asked,) = world.discord.edited
        assert (asked.kind, asked.key, asked.message_id) == (NoticeKind.APPROVAL, job.id, 7001)
        assert asked.place == f"c{CHANNEL}"


async def test_a_set_whose_first_photo_was_cancelled_is_shown_as_the_others_were_decided(
    world: EngineWorld,
) -> None:
    now, wanted = world.clock.now(), replace(a_staging_job(), approval=Approval.WANTED, set_id="5" * 16)
    first, second = [await world.accept(replace(wanted, id=one * 16)) for one in "ab"]
    for job in (first, second):
        await world.db.write(transitions.make_ready, job.id, None, now)
    assert await world.db.write(transitions.cancel, first.id, now, told=True)
    declined = FailureCode.DECLINED, Reason(ReasonCode.NOT_APPROVED), now
    assert await world.db.write(transitions.fail_unpaid, second.id, JobState.PENDING, *declined)
    decided, _ = await world.db.read(_about, NoticeKind.APPROVAL, first.id)
    assert [job.id for job in decided] == [second.id]


async def _reduced(world: EngineWorld) -> bool:
    return bool(world.discord.edited) and not await world.db.read(open_posts)


async def set_rules(world: EngineWorld, *, channel: int | None = CHANNEL, results: bool = True) -> None:
    await world.db.write(settings.change, GUILD, approval_channel=channel, approval_results=results)


def a_watched_job(*, private: bool = False, set_id: str | None = None) -> Job:
    """A job whose request was approved and whose result has to be."""
    given, wanted = Approval.GIVEN, Approval.WANTED
    return replace(a_staging_job(), approval=given, result_approval=wanted, private=private, set_id=set_id)


@asynccontextmanager
async def made(
    folder: Path, *, private: bool = False, **tuning: object
) -> AsyncGenerator[tuple[EngineWorld, Job]]:
    """A world in which results wait, with a job that is covered."""
    async with engine_world(folder, **tuning) as world:  # type: ignore[arg-type]
        await world.use_key(world.studii.add_key())
        await set_rules(world)
        yield world, await world.accept(a_watched_job(private=private))


async def waits(world: EngineWorld, job: Job) -> Job:
    """The job, once moderators see its result."""

    async def shown() -> bool:
        return bool(world.discord.notices) and not await world.db.read(open_posts)

    waiting = await world.reaches(job.id, JobState.REVIEWING)
    await world.until(shown, "its result is shown to moderators")
    return waiting


async def release(world: EngineWorld, job: Job) -> None:
    assert await world.db.write(transitions.release_result, job.id, world.clock.now()) is not None


@pytest.mark.promise
async def test_a_withheld_result_goes_after_a_month(tmp_path: Path) -> None:
    async with made(tmp_path, undelivered_bound=0.0) as (world, job):
        async with world.running():
            waiting = await waits(world, job)
            await world.db.write(transitions.withhold_result, waiting.id, None, world.clock.now())
            await world.announced(job.id)
        async with world.running():
            await world.until(lambda: _unkept(world, job), "the file to go")


@pytest.mark.promise
@pytest.mark.parametrize("answers", [[Later(0.0), NotHere("deleted")], [Never("it may not post there")]])
async def test_without_its_channel_a_result_is_not_posted_and_its_person_is_told_the_cost(
    tmp_path: Path, answers: list[Outcome]
) -> None:
    async with made(tmp_path) as (world, job):
        world.discord.notice_answers += answers
        async with world.running():
            ended = (await world.announced(job.id)).job
        assert ended.failure_text == Reason(ReasonCode.RESULT_REVIEWS_GONE)
        assert (ended.state, ended.settled) == (JobState.WITHHELD, ended.charged)
        await world.balanced()


async def test_a_full_spool_gives_up_withheld_results_and_then_those_that_can_be_fetched_again(
    tmp_path: Path,
) -> None:
    async with made(tmp_path) as (world, job):
        async with world.running():
            waiting = await waits(world, job)
            declined = await world.accept(a_watched_job())
            withheld = await world.reaches(declined.id, JobState.REVIEWING)
            await world.db.write(transitions.withhold_result, withheld.id, None, world.clock.now())
            await world.announced(declined.id)
        await set_rules(world, results=False)
        for given_up in (withheld, waiting):
            assert str(given_up.output_file) in world.spooled()
            # There is no room for one more result.
            world.spool_bytes = sum(path.stat().st_size for path in world.spool_folder.iterdir()) + 1
            other = await world.accept(a_job())
            async with world.running():
                assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
            assert str(given_up.output_file) not in world.spooled()
        # Nobody was told anything of them, and what waits is fetched again when it is needed.
        assert (await world.job(declined.id)).output_file is None
        assert len(world.discord.said) == 3
        assert await world.job(job.id) == waiting
        await release(world, job)
        async with world.running():
            said = await world.announced(job.id)
        assert said.output == world.discord.shown[0][0]


async def test_a_member_who_is_forgotten_meanwhile_gets_no_result_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    async with made(tmp_path) as (world, job):
        async with world.running():
            await waits(world, job)
        await erase(world.resources, job.user_id)
        async with world.running():
            await world.until(lambda: _reduced(world), "the moderators' message to be reduced")
        (asked,) = world.discord.edited
        assert (asked.place, asked.message_id, asked.kind) == (f"c{CHANNEL}", 7001, NoticeKind.REVIEW)
        gone = await world.job(job.id)
        assert (gone.state, gone.output_file, dict(gone.inputs)) == (JobState.WITHHELD, None, {})
        assert world.spooled() == []
        await world.balanced()


async def _unkept(world: EngineWorld, job: Job) -> bool:
    return (await world.job(job.id)).output_file is None


MAYA, MESSAGE, PLACE = 3, 7, 9
BOTH = (MESSAGE, MESSAGE + 1)


async def starred(world: EngineWorld, *messages: int, ago: timedelta = timedelta()) -> None:
    """Store results that got the stars so long ago, in a server that shows its best ones."""
    now = world.clock.now() - ago
    await world.db.write(settings.change, GUILD, best_channel_id=PLACE)
    for one in messages:
        made = {"state": JobState.SUCCEEDED, "announced_at": now, "result_message_id": one}
        job = replace(jobs.a_job(guild_id=GUILD, user_id=MAYA), **made)
        await world.db.write(given(jobs.keep_job, job))
        await world.db.write(best_results.want, job.id, 2, one, now)


async def answers(world: EngineWorld, *, agreed: bool) -> None:
    await world.db.write(best_results.answer, MAYA, world.clock.now(), agreed=agreed)


async def row(world: EngineWorld, message: int = MESSAGE) -> Post | None:
    return await world.db.read(best_results.get, GUILD, message)


async def standing(world: EngineWorld) -> int:
    """Return how many of both results are shown."""
    rows = [await row(world, one) for one in BOTH]
    return sum(one is not None and one.message_id is not None for one in rows)


async def asked(world: EngineWorld) -> bool:
    return await world.db.read(lambda session: session.get(best_results.BestConsent, MAYA)) is not None


def sent(world: EngineWorld, kind: str) -> list[str]:
    """Return where messages of that kind were sent."""
    return [post.place for post, _, _ in world.discord.notices if post.kind == kind]


@pytest.mark.promise
async def test_admins_are_told_once_of_a_channel_for_the_best_that_is_lost(world: EngineWorld) -> None:
    await answers(world, agreed=True)
    await starred(world, *BOTH)
    world.discord.closed_places.add(f"c{PLACE}")

    async def told() -> bool:
        left = [await row(world), await row(world, MESSAGE + 1)]
        return left == [None, None] and bool(sent(world, NoticeKind.BEST_LOST))

    async with world.running():
        await world.until(told, "the admins to be told")
    assert len(sent(world, NoticeKind.BEST_LOST)) == 1
