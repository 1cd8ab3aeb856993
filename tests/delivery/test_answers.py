"""Progress is shown in the interaction's answer as long as its token lives, and nobody is left waiting."""

import asyncio
from datetime import timedelta
from typing import Any

import discord
import pytest
from simcord import InteractionResult

from bot.delivery.answers import LEFT_UNANSWERED
from bot.jobs import results
from bot.jobs.models import JobState, Progress
from bot.ui.jobs.progress import NOT_UPDATED_ANY_MORE
from bot.ui.kit import answers as kit_answers
from tests.reactions.taps import jobs_of
from tests.support.database import holding
from tests.support.desk import Desk, keep_answers, texts
from tests.ui.jobs.late import (
    announced,
    answering,
    asked,
    at_once,
    keep_at_once,
    kept,
    killed,
    left_unanswered,
    restarted,
    rows,
    until,
)
from tests.ui.jobs.test_sets import offered


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_at_once(monkeypatch)


@pytest.fixture
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer that waits for the database is late."""
    monkeypatch.setattr(kit_answers, "_later", at_once)


RUNNING = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)


async def begun(desk: Desk, **options: Any) -> InteractionResult:
    """A command that has started a job, whose progress its person sees."""
    shown = await desk.maya.slash(desk.channel, "studio", prompt="A kite", **options)
    assert shown.ephemeral
    return shown


async def shows(shown: InteractionResult, words: str) -> None:
    await until(lambda: words in texts(shown.response))


async def forgotten(desk: Desk) -> None:
    """Wait until no answer is kept any more."""

    async def none() -> bool:
        return not await rows(desk)

    await until(none)


async def ended(desk: Desk, message_id: int | None = 77, **changes: Any) -> None:
    """Let the job end, with a result that is posted."""
    job = await desk.job()
    if job.state is JobState.WAITING:
        job = await desk.move(job, *RUNNING, submitted_at=desk.clock.now())
    job = await desk.move(job, JobState.SUCCEEDED, finished_at=desk.clock.now(), **changes)
    await desk.change(job, announced_at=desk.clock.now(), result_message_id=message_id)


@pytest.mark.promise
async def test_progress_follows_the_job_to_the_link_of_its_result(desk: Desk) -> None:
    shown = await begun(desk)
    assert "Waiting to start" in texts(shown.response)
    async with answering(desk):
        await desk.move(await desk.job(), *RUNNING, submitted_at=desk.clock.now())
        await shows(shown, "Studii is working on it")
        await ended(desk)
        await shows(shown, "[see the result](https://discord.com/channels/")

        await forgotten(desk)  # nothing more is to be shown
    assert desk.channel.history() == []


@pytest.mark.promise
async def test_progress_goes_on_after_a_restart(desk: Desk) -> None:
    shown = await begun(desk)
    keep_answers(desk)
    async with answering(desk):
        await ended(desk)
        await shows(shown, "[see the result]")


@pytest.mark.promise
async def test_progress_shows_the_place_in_the_queue_and_how_it_moves(desk: Desk) -> None:
    place = 3

    async def progress_of(_job_id: str) -> Progress:
        return Progress(position=place)

    keep_answers(desk, progress_of)
    shown = await begun(desk)
    async with answering(desk):
        desk.clock.advance(1)
        desk.bot.answers.look_again()
        await shows(shown, "Number 3 in the queue")
        place = 1
        desk.clock.advance(20)
        desk.bot.answers.look_again()
        await shows(shown, "Next in the queue")


@pytest.mark.promise
async def test_progress_whose_estimate_has_passed_says_so(desk: Desk) -> None:
    late = False

    async def progress_of(_job_id: str) -> Progress:
        return Progress(late=late) if late else Progress(ends_at=desk.clock.now() + timedelta(seconds=9))

    keep_answers(desk, progress_of)
    shown = await begun(desk)
    async with answering(desk):
        await desk.move(await desk.job(), *RUNNING, submitted_at=desk.clock.now())
        await shows(shown, "expected <t:")
        late = True
        desk.clock.advance(20)
        desk.bot.answers.look_again()
        await shows(shown, "taking longer than usual")


@pytest.mark.promise
async def test_changes_are_shown_once_in_five_seconds_and_an_end_at_once(desk: Desk) -> None:
    shown = await begun(desk)
    async with answering(desk):
        job = await desk.move(await desk.job(), *RUNNING, submitted_at=desk.clock.now())
        await shows(shown, "Studii is working on it")
        await desk.change(job, visible=True, studii_status="queued")
        await asyncio.sleep(0.05)
        assert "Queued at Studii" not in texts(shown.response)
        desk.clock.advance(5)
        desk.bot.answers.look_again()
        await shows(shown, "Queued at Studii")
        await desk.move(await desk.job(), JobState.FAILED, finished_at=desk.clock.now())
        await shows(shown, "The job failed.")


@pytest.mark.promise
async def test_the_last_edit_at_minute_14_names_where_to_look(desk: Desk) -> None:
    shown = await begun(desk)
    async with answering(desk):
        desk.clock.advance(14 * 60)
        desk.bot.answers.look_again()
        await shows(shown, str(NOT_UPDATED_ANY_MORE))
        await ended(desk)
        await asyncio.sleep(0.05)
    assert "see the result" not in texts(shown.response)
    assert await rows(desk) == []


@pytest.mark.promise
async def test_a_press_lets_progress_be_shown_for_another_quarter_of_an_hour(desk: Desk) -> None:
    shown = await begun(desk)
    assert shown.response is not None
    desk.clock.advance(14 * 60)
    async with answering(desk):
        desk.bot.answers.look_again()
        await shows(shown, str(NOT_UPDATED_ANY_MORE))
        await desk.maya.click(shown.response, label="Cancel job")
        await shows(shown, "Cancelled.")
    assert "Not charged." in texts(shown.response)


@pytest.mark.promise
@pytest.mark.parametrize(("status", "passed"), [(401, 10), (404, 10), (401, -600), (401, -3600)])
async def test_an_answer_that_was_closed_or_expired_is_edited_no_more_whatever_the_wall_clock_says(
    desk: Desk, status: int, passed: float
) -> None:
    shown = await begun(desk)
    desk.clock.set(desk.clock.now() + timedelta(seconds=passed))
    path = "/webhooks/*/*/messages/@original"
    desk.env.inject_error("PATCH", path, status=status, code=10008, times=None)
    async with answering(desk):
        await desk.move(await desk.job(), *RUNNING, submitted_at=desk.clock.now())

        await forgotten(desk)
    assert "Waiting to start" in texts(shown.response)


@pytest.mark.promise
async def test_an_edit_that_discord_cannot_make_now_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await begun(desk)
    edit, tries = discord.Webhook.edit_message, 0

    async def fails_first(hook: discord.Webhook, *args: Any, **given: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionResetError
        return await edit(hook, *args, **given)

    monkeypatch.setattr(discord.Webhook, "edit_message", fails_first)
    async with answering(desk):
        await desk.move(await desk.job(), *RUNNING, submitted_at=desk.clock.now())

        async def failed() -> bool:
            return [one.tries for one in await rows(desk)] == [1]

        await until(failed)
        desk.clock.advance(3)
        desk.bot.answers.look_again()
        await shows(shown, "Studii is working on it")


@pytest.mark.promise
@pytest.mark.usefixtures("_late")
async def test_a_set_is_one_progress(desk: Desk) -> None:
    form = await offered(desk, desk.maya)
    shown = await desk.maya.submit_modal(form, {"image": ["first 6"]})
    assert shown.ephemeral
    async with answering(desk):
        first, *_ = await jobs_of(desk)
        await desk.move(first, JobState.CANCELLED, finished_at=desk.clock.now())
        await shows(shown, "1 cancelled")
    assert len(await rows(desk)) == 1


async def test_tokens_are_sealed(desk: Desk) -> None:
    await begun(desk)
    (row,) = await rows(desk)
    (token,) = {one.token for one in desk.env.backend.interactions.values()}
    assert token.encode() not in row.sealed


@pytest.mark.promise
@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.usefixtures("_late")
async def test_after_a_kill_nobody_is_left_with_an_announcement(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, accepted: bool
) -> None:
    if accepted:
        with monkeypatch.context() as patch:
            patch.setattr("bot.ui.jobs.start.show_progress", killed)
            shown = await asked(desk, desk.maya)
    else:
        shown = await left_unanswered(desk, monkeypatch)
    assert len(await kept(desk)) == 1
    await restarted(desk)
    said = "A kite" if accepted else str(LEFT_UNANSWERED)
    assert said in texts(shown.response)
    assert shown.ephemeral
    assert [one.subject for one in await rows(desk)] == [one.id for one in await jobs_of(desk)]
    await restarted(desk)  # another start finds nothing


@pytest.mark.promise
@pytest.mark.usefixtures("_late")
async def test_after_a_kill_an_admin_is_told_to_check_the_change(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(discord.Interaction, "edit_original_response", killed)
        async with holding(desk.db):
            asking = asyncio.create_task(desk.admin.slash(desk.channel, "studii grant", credits=5))
            await announced(desk)
        shown = await asking
    await restarted(desk)
    assert str(LEFT_UNANSWERED) in texts(shown.response)


@pytest.mark.promise
@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.usefixtures("_late")
async def test_an_answer_that_discord_did_not_take_is_given_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, accepted: bool
) -> None:
    async with answering(desk):
        with monkeypatch.context() as patch:
            for name in ("edit_original_response", "original_response"):
                patch.setattr(discord.Interaction, name, lost)
            if not accepted:
                await desk.forbid("kite")
            shown = await asked(desk, desk.maya)
        desk.clock.advance(1)
        desk.bot.answers.look_again()
        said = "A kite" if accepted else str(LEFT_UNANSWERED)
        await shows(shown, said)
    assert desk.channel.history() == []


async def lost(*_: object, **__: object) -> None:
    raise ConnectionResetError


@pytest.mark.parametrize("taken", [True, False])
async def test_an_answer_that_discord_may_not_have_taken_tells_nobody_of_a_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    if not taken:
        monkeypatch.setattr(discord.InteractionResponse, "send_message", lost)
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    job = await desk.move(await desk.job(), JobState.FAILED, finished_at=desk.clock.now())
    job = await desk.settle(job, 0)
    told, _ = await desk.db.read(results.to_say, job.nonce, job.id, desk.clock.now())
    assert [one.id for one in told] == ([] if taken else [job.id])


@pytest.mark.parametrize("by_dm", [True, False])
async def test_an_answer_that_is_lost_lets_those_be_told_of_a_failure_who_were_not(
    desk: Desk, by_dm: bool
) -> None:
    await begun(desk)
    job = await desk.move(await desk.job(), JobState.FAILED, finished_at=desk.clock.now())
    await desk.change(job, announced_at=desk.clock.now(), result_by_dm=by_dm)
    desk.clock.advance(15 * 60)
    async with answering(desk):
        await forgotten(desk)
    assert ((await desk.job()).announced_at is not None) == by_dm
