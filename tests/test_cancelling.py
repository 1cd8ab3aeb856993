"""A member changes their mind while the photo travels to Studii."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.delivery import answers
from bot.jobs import queries
from bot.jobs.models import JobState
from sandbox.photos import empty_room
from sandbox.studii import Options, StudiiServer, faults
from tests.support import spending
from tests.support.simulated.people import Person, answer_of, text_of, until
from tests.support.simulated.stage import Stage, open_stage

ROOM = ("room.jpg", empty_room((320, 240)))


class SlowRefusal:
    """Studii thinks until it is let go on, and could not take it then."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def apply(self, request: web.Request, effect: faults.Effect) -> web.StreamResponse | None:
        await self.go_on.wait()
        return await faults.error(500).apply(request, effect)


async def state_of_the_first(stage: Stage) -> JobState:
    return (await stage.app.db.read(queries.in_states, list(JobState)))[0].state


@pytest.mark.promise
async def test_a_job_cancelled_while_its_photo_travels_is_neither_made_nor_charged(tmp_path: Path) -> None:
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya, tom = (
            Person(stage, actor) for actor in (stage.world.admin, stage.world.maya, stage.world.tom)
        )
        await admin.set_key(studii.add_key().secret)
        studii.fail("put", faults.Slow(1.0))
        shown = await maya.command("virtual-staging", image=ROOM)
        message = answer_of(shown)

        async def travels() -> bool:
            return await state_of_the_first(stage) is JobState.UPLOADING

        await until(travels, "the photo to be on its way")
        pressed = await maya.press(message, "Cancel job")
        assert pressed.acknowledged
        assert not pressed.followups

        def told() -> bool:
            return "Cancelled." in text_of(shown.response)

        await until(told, "the progress to say that it is cancelled")
        assert "Not charged." in text_of(shown.response)
        assert "Cancel job" not in text_of(shown.response).splitlines()
        # The lane goes on, and what was cancelled does not come after all.
        await tom.result_of(await tom.command("studio", prompt="A red kite"))
        (made,) = studii.jobs.values()
        assert made.request.tool == "studio"
        budget = await spending.budget(stage.app.services, stage.world.guild.id)
        assert (budget.usage.settled, budget.usage.reserved) == (made.charged, 0)


@pytest.mark.promise
async def test_who_cancels_a_moment_too_late_is_told_that_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOMENT", timedelta(minutes=1))  # so that the button is there still
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya = Person(stage, stage.world.admin), Person(stage, stage.world.maya)
        await admin.set_key(studii.add_key().secret)
        studii.fail("create", faults.Slow(4.0))
        shown = await maya.command("virtual-staging", image=ROOM)
        message = answer_of(shown)

        async def handed_over() -> bool:
            return await state_of_the_first(stage) is JobState.SUBMITTING

        await until(handed_over, "the job to be handed to Studii")
        button = await maya.press(message, "Cancel job")
        (told,) = button.followups
        assert told.ephemeral
        assert "If Studii takes it, the result will arrive." in text_of(told)
        await maya.result_of(shown)
        (made,) = studii.jobs.values()
        budget = await spending.budget(stage.app.services, stage.world.guild.id)
        assert (budget.usage.settled, budget.usage.reserved) == (made.charged, 0)


@pytest.mark.promise
async def test_a_cancellation_while_it_is_sent_counts_if_studii_does_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOMENT", timedelta(minutes=1))  # so that the button is there still
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya = Person(stage, stage.world.admin), Person(stage, stage.world.maya)
        await admin.set_key(studii.add_key().secret)
        refusal = SlowRefusal()
        studii.fail("create", refusal)
        shown = await maya.command("studio", prompt="A red kite")
        message = answer_of(shown)

        async def handed_over() -> bool:
            return await state_of_the_first(stage) is JobState.SUBMITTING

        await until(handed_over, "the job to be handed to Studii")
        (told,) = (await maya.press(message, "Cancel job")).followups
        refusal.go_on.set()
        assert "If Studii doesn't take it, it will be cancelled and cost nothing." in text_of(told)

        def cancelled() -> bool:
            said = text_of(shown.response)
            return "ancelled." in said and "Not charged." in said

        await until(cancelled, "the progress to say that it is cancelled")
        assert stage.world.channel.history() == []
        assert (studii.jobs, studii.requests.count("create")) == ({}, 1)
        budget = await spending.budget(stage.app.services, stage.world.guild.id)
        assert (budget.usage.settled, budget.usage.reserved) == (0, 0)


@pytest.mark.promise
async def test_the_progress_of_what_waits_behind_it_moves_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("EVERY", "PACE"):
        monkeypatch.setattr(answers, pause, timedelta(seconds=0.05))
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya = Person(stage, stage.world.admin), Person(stage, stage.world.maya)
        await admin.set_key(studii.add_key().secret)
        studii.fail("create", faults.rate_limited(retry_after=60), times=2)
        first = await maya.command("studio", prompt="A red kite")
        message = answer_of(first)
        await until(lambda: "Next in the queue" in text_of(first.response), "the first to be next in line")
        second = await maya.command("studio", prompt="A blue kite")
        await until(lambda: "Number 2 in the queue" in text_of(second.response), "the second to be behind it")
        await maya.press(message, "Cancel job")
        await until(lambda: "Next in the queue" in text_of(second.response), "the second to move up")
        assert studii.jobs == {}
