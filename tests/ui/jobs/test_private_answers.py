"""What is private and comes late stays private, though all were told that an answer will come.

So it is when a changed app presses a private job's button in a public message: whose it is isn't known before
the database answers.
"""

from pathlib import Path

import discord
import pytest
from simcord import InteractionResult

from bot.jobs.models import FailureCode, Job, JobState, Progress
from bot.ui.jobs.results.buttons import AgainButton
from tests.reactions.taps import jobs_of
from tests.support.desk import Desk, texts
from tests.support.presses import press
from tests.ui.jobs.late import all_answered, begin_answering, keep, kept, killed, late, restarted


async def a_button_of_a_private_job(desk: Desk) -> discord.Message:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite", private=True)
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    custom_id = AgainButton.of(job).item.custom_id
    assert custom_id is not None
    return await desk.channel_message(custom_id)


async def pressed(desk: Desk, message: discord.Message) -> tuple[InteractionResult, Job]:
    (row,) = message.components
    assert isinstance(row, discord.ActionRow)
    shown = await press(desk, desk.maya, message, str(row.children[0].custom_id))
    _, job = await jobs_of(desk)
    return shown, job


async def test_a_private_card_after_a_public_deferral_is_its_persons_alone_and_goes_on_being_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        message = await a_button_of_a_private_job(desk)
        shown, job = await pressed(desk, message)
        assert job.private
        assert [one.id for one in desk.channel.history()] == [message.id]
        (card,) = shown.followups
        assert card.ephemeral
        assert "A kite" in texts(card)
        assert job.card_message_id == card.id
        assert kept(tmp_path) == []
        running = await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
        assert await desk.delivery.show_card(running, Progress()) is None
        assert "Studii is working on it" in texts(shown.followups[0])


async def test_if_it_cannot_be_shown_the_job_goes_on_and_it_is_shown_when_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        begin_answering(desk)
        message = await a_button_of_a_private_job(desk)
        desk.env.inject_error("POST", "/webhooks/*/*", status=403, code=50013, times=1)
        shown, _ = await pressed(desk, message)
        await all_answered(tmp_path)
        (card,) = shown.followups
        assert card.ephemeral
        assert "A kite" in texts(card)
        assert [one.id for one in desk.channel.history()] == [message.id]


@pytest.mark.promise
async def test_after_a_kill_it_is_not_shown_in_the_public_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        message = await a_button_of_a_private_job(desk)
        with monkeypatch.context() as patch:
            patch.setattr("bot.ui.jobs.start.show_card", killed)
            shown, _ = await pressed(desk, message)
        assert len(desk.channel.history()) == 2  # the bot is thinking
        await restarted(desk, journal)
        assert [one.id for one in desk.channel.history()] == [message.id]
        (card,) = shown.followups
        assert card.ephemeral
        assert "A kite" in texts(card)
        assert kept(tmp_path) == []
