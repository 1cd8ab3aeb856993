"""A process that ended between Discord's answer and its storage: what it posted is told from what it has yet
to post."""

from pathlib import Path
from typing import Any

import pytest

from bot.delivery import DiscordDelivery
from bot.jobs import cards, transitions
from bot.jobs.delivery import Posted as CardPosted
from bot.jobs.models import Job, JobState, Progress
from bot.posts import Stands
from bot.servers.notices import NoticeKind
from tests.support.desk import Desk, make_bot, open_desk, texts
from tests.support.posts import Posted, a_post, deliver, tell_end

RUNNING = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
ENDS: dict[str, tuple[JobState, ...]] = {
    "succeeded": (*RUNNING, JobState.SUCCEEDED),
    "failed": (*RUNNING, JobState.FAILED),
    "unknown": (JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN),
}


async def restarted(desk: Desk) -> DiscordDelivery:
    desk.clock.advance(1)
    bot, delivery = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    return delivery


async def lost(desk: Desk, **options: Any) -> tuple[Job, DiscordDelivery]:
    """A job whose card stands in the channel, in a life that has never heard of that."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options)
    job = await desk.job()
    async with desk.storage.write() as transaction:
        await transaction.run(transitions.change, job.id, card_message_id=None, card_version=0)
    return await desk.job(), await restarted(desk)


def end_of(name: str, desk: Desk) -> dict[str, Any]:
    given: dict[str, Any] = {"finished_at": desk.clock.now()}
    return given | ({"output_url": "https://files.example/out.png"} if name == "succeeded" else {})


@pytest.mark.parametrize("end", ENDS)
async def test_a_card_is_not_taken_for_the_last_word(tmp_path: Path, end: str) -> None:
    async with open_desk(tmp_path) as desk:
        job, delivery = await lost(desk)
        job = await desk.move(job, *ENDS[end], **end_of(end, desk))
        card = desk.channel.history()[-1]
        told = await tell_end(delivery, job, None)
        said = desk.channel.history()[-1]
        assert said.id != card.id
        assert told == Posted(said.id)
        assert f"<@{desk.maya.id}>, your" in texts(said)


@pytest.mark.parametrize("end", ENDS)
async def test_the_last_word_is_found_though_the_card_is_not_known(tmp_path: Path, end: str) -> None:
    async with open_desk(tmp_path) as desk:
        job, delivery = await lost(desk)
        job = await desk.move(job, *ENDS[end], **end_of(end, desk))
        told = await tell_end(delivery, job, None)
        count = len(desk.channel.history())
        desk.clock.advance(3600)  # longer than Discord remembers a nonce
        assert await tell_end(await restarted(desk), job, None) == told
        assert len(desk.channel.history()) == count


async def test_a_notice_about_the_job_in_the_same_channel_is_not_its_last_word(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job, delivery = await lost(desk)
        job = await desk.move(job, *ENDS["unknown"])
        notice = a_post(desk.guild.id, NoticeKind.UNKNOWN, job.id, desk.clock.now(), job_id=job.id)
        noted = await deliver(desk, notice, desk.channel.id, job)
        assert isinstance(noted, Stands)
        assert await tell_end(delivery, job, None) != Posted(noted.message_id)
        assert "has an unknown outcome" in texts(desk.channel.history()[-1])


async def test_the_card_is_found_and_follows_its_job(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job, delivery = await lost(desk)
        card = desk.channel.history()[-1]
        job = await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
        await tell_end(delivery, job, None)
        assert await delivery.find_card(job) == CardPosted(card.id)
        async with desk.storage.write() as transaction:
            await transaction.run(cards.found, job.id, card.id)
            (stale,) = await transaction.run(cards.stale, 5)
        assert await delivery.show_card(stale, Progress()) is None
        assert "Waiting to start" in texts(card)
        assert "Waiting to start" not in texts(desk.channel.history()[-2])


async def test_a_card_that_never_came_is_not_found(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job, delivery = await lost(desk, private=True)  # what Maya alone sees is in no history
        assert await delivery.find_card(job) == CardPosted(None)
