"""A process that ended between Discord's answer and its storage: what it posted is told from what it has yet
to post."""

from typing import Any

from bot.delivery import DiscordDelivery
from bot.jobs.models import Job, JobState
from tests.support.desk import Desk, make_bot
from tests.support.posts import tell_end

RUNNING = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)


async def restarted(desk: Desk) -> DiscordDelivery:
    desk.clock.advance(1)
    bot, delivery = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    return delivery


async def lost(desk: Desk, **options: Any) -> tuple[Job, DiscordDelivery]:
    """A job, in a life that has never heard of what was posted of it."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options)
    return await desk.job(), await restarted(desk)


async def test_a_result_is_found_that_was_posted_in_an_earlier_life(desk: Desk) -> None:
    job, delivery = await lost(desk)
    given = {"finished_at": desk.clock.now(), "output_url": "https://files.example/out.png"}
    job = await desk.move(job, *RUNNING, JobState.SUCCEEDED, **given)
    told = await tell_end(delivery, job, None)
    count = len(desk.channel.history())
    desk.clock.advance(3600)  # longer than Discord remembers a nonce
    assert await tell_end(await restarted(desk), job, None) == told
    assert len(desk.channel.history()) == count
