"""Reactions count where an admin turned them on, and nowhere else."""

from pathlib import Path

import pytest

from bot.features import photo_rules
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import Desk, open_desk
from tests.support.servers import come, leave
from tests.support.services import sweep
from tests.support.settings import admin


@pytest.mark.promise
async def test_reactions_spend_nothing_until_an_admin_turns_them_on(desk: Desk) -> None:
    message = await post(desk, desk.maya, ROOM)
    calls = len(desk.env.http_requests)
    await desk.tom.react(message, STAGING)
    assert await jobs_of(desk) == []
    assert len(desk.env.http_requests) == calls


@pytest.mark.promise
async def test_reactions_can_be_on_in_one_channel_alone_and_its_threads(desk: Desk) -> None:
    other = desk.guild.create_text_channel("photos")
    await admin(desk, "reactions on", channel=other)
    await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
    assert await jobs_of(desk) == []
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
    (job,) = await jobs_of(desk)
    assert job.channel_id == other.id
    await admin(desk, "reactions off", channel=other)
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
async def test_where_the_bot_could_not_post_the_result_nothing_is_spent(desk: Desk) -> None:
    await ready(desk)
    closed = desk.channel_for_the_bot("closed", attach_files=False)
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=closed), STAGING)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_the_rules_hold_after_a_restart(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
    async with open_desk(tmp_path) as desk:
        await desk.services.photo_rules.load()
        # Another simulated Discord has other ids, so the rule is asked for by the old one.
        (kept,) = (await desk.services.db.read(photo_rules.all_rules)).values()
        assert kept.everywhere
        assert desk.services.photo_rules.rules(kept.guild_id) == kept


async def test_in_a_server_that_takes_the_bot_back_after_a_long_time_everything_is_off(
    desk: Desk,
) -> None:
    await ready(desk)
    await leave(desk)
    desk.clock.advance(31 * 86400)
    await sweep(desk.services)
    await come(desk)
    assert not desk.services.photo_rules.rules(desk.guild.id).everywhere
    assert desk.services.photo_rules.tap(desk.guild.id, STAGING.replace("\ufe0f", "")) is None
