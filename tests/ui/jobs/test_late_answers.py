"""Nobody is turned away because the database takes long: the answer comes later, to whom it concerns."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import discord
import pytest
from simcord import InteractionResult

from bot.client.bot import StudiiBot, StudiiTree
from bot.delivery import Answers
from bot.jobs.models import FailureCode, JobState
from bot.ui.kit import answers as kit_answers
from tests.cogs.test_jobs import button
from tests.reactions.taps import jobs_of
from tests.support import spending
from tests.support.database import holding
from tests.support.desk import Desk, keep_answers, labelled, open_desk, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_press
from tests.support.settings import control, opened
from tests.ui.jobs.late import announced, asked, kept, late, slow_to_read
from tests.ui.jobs.results import staged


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_progress_comes_late_in_place_of_what_announced_it_to_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await asked(desk, desk.maya, **({"private": True} if private else {}))
        assert shown.ephemeral
        assert "A kite" in texts(shown.response)
        assert desk.channel.history() == []
        assert await kept(desk) == []


@pytest.mark.promise
async def test_a_late_refusal_is_for_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await spending.set_budget(desk.services, desk.guild.id, 1, None)
        shown = await asked(desk, desk.maya)
        assert desk.channel.history() == []
        assert shown.ephemeral
        assert "1 of 1 credit left today" in texts(shown.response)
        assert await kept(desk) == []


@pytest.mark.promise
async def test_an_answer_in_time_is_not_announced(desk: Desk) -> None:
    keep_answers(desk)
    shown = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    assert not shown.deferred
    assert await kept(desk) == []


ADMINS: dict[str, tuple[dict[str, object], str]] = {
    "studii budget": ({"credits": 70}, "70"),
    "studii grant": ({"credits": 5}, "5"),
}


@pytest.mark.parametrize("command", ADMINS)
async def test_admins_too_get_their_answer_late_rather_than_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    options, words = ADMINS[command]
    async with late(tmp_path, monkeypatch) as desk:
        async with holding(desk.db):
            asking = asyncio.create_task(desk.admin.slash(desk.channel, command, **options))
            await announced(desk)
        shown = await asking
        assert shown.ephemeral
        assert words.lower() in texts(shown.response).lower()
        assert await kept(desk) == []


async def test_a_button_of_a_panel_is_answered_late_with_a_panel_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await opened(desk, "results")
        assert shown.response is not None
        async with holding(desk.db):
            turns = control(shown, "studii:put:results:in_threads")
            pressing = asyncio.create_task(desk.admin.click(shown.response, custom_id=turns))
            await announced(desk)
        told = await pressing
        assert "changed from off to on" in texts(told.response)
        assert await kept(desk) == []


async def test_what_can_not_be_answered_any_more_is_neither_kept_nor_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        desk.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062, times=None)
        forgotten, forget = asyncio.Event(), Answers.answered

        async def noted(answers: Answers, interaction: discord.Interaction) -> None:
            await forget(answers, interaction)
            forgotten.set()

        monkeypatch.setattr(Answers, "answered", noted)
        async with holding(desk.db):
            asking = asyncio.create_task(desk.maya.slash(desk.channel, "studio", prompt="A kite"))
            async with asyncio.timeout(PATIENCE):
                await forgotten.wait()
        await asking
        assert await kept(desk) == []
        assert desk.channel.history() == []
        assert await jobs_of(desk) == []  # the person will ask again


async def test_an_answer_is_announced_while_what_a_job_needs_is_still_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.maya.slash(desk.channel, "studio", prompt="A boat")
        job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
        listed = await desk.maya.slash(desk.channel, "jobs")
        shown = listed.response
        assert shown is not None
        desk.clock.advance(60)
        for number, ask in enumerate(
            (
                lambda: desk.maya.slash(desk.channel, "studio", prompt="A kite"),
                lambda: desk.maya.click(shown, custom_id=button(listed, "Run again")),
            )
        ):
            go_on = slow_to_read(monkeypatch)
            asking = asyncio.create_task(ask())
            await announced(desk)
            go_on.set()
            await asking
            assert (await desk.job()).id != job.id
            assert len(await jobs_of(desk)) == 2 + number
            assert await kept(desk) == []


async def test_the_wait_for_an_answer_counts_from_its_interactions_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float]()

    def noted(seconds: float, call: Callable[[], None]) -> asyncio.Handle:
        waits.append(seconds)
        return asyncio.get_running_loop().call_later(seconds, call)

    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        monkeypatch.setattr(kit_answers, "_later", noted)
        check = StudiiTree.interaction_check

        async def after_a_while(tree: StudiiTree, interaction: discord.Interaction[StudiiBot]) -> bool:
            desk.clock.advance(1.2)  # the loop was busy with others
            return await check(tree, interaction)

        monkeypatch.setattr(StudiiTree, "interaction_check", after_a_while)
        await desk.maya.slash(desk.channel, "studio", prompt="A kite")
        assert waits == [pytest.approx(0.3)]


@pytest.mark.promise
async def test_a_double_click_before_a_slow_database_is_one_job_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        message = await staged(desk, tmp_path)
        desk.clock.advance(60)
        before = len(await jobs_of(desk))
        go_on = slow_to_read(monkeypatch)
        clicks = [send_press(desk, desk.tom, message, labelled(message, "Run again")) for _ in range(2)]
        await announced(desk, 2)
        go_on.set()
        await desk.env.settle()
        shown = [InteractionResult(desk.env, click) for click in clicks]
        said = [
            texts(one) for click in shown for one in (*click.followups, click.response) if one is not None
        ]
        assert len(await jobs_of(desk)) == before + 1
        assert not any("Something went wrong" in words for words in said)
        assert await kept(desk) == []
