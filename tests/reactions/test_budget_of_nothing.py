"""On a budget of 0, nothing is accepted, and whoever asks is told why."""

import pytest

from bot.catalog import Catalog
from bot.domain.guilds import Period
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support import spending
from tests.support.desk import PNG, Desk, texts
from tests.support.settings import admin


@pytest.mark.promise
async def test_no_command_is_accepted(desk: Desk) -> None:
    said = texts(await admin(desk, "budget", credits=0))
    assert "0" in said
    for tool in Catalog.load().tools.values():
        options = {"prompt": "A red kite"} if tool.slug == "studio" else {"image": ("room.png", PNG)}
        answer = await desk.maya.slash(desk.channel, tool.slug, **options)
        assert answer.ephemeral
        assert "budget of 0 credits is below the price" in texts(answer), tool.slug
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_no_tap_is_accepted(desk: Desk) -> None:
    await ready(desk)
    await spending.set_budget(desk.services, desk.guild.id, 0, Period.DAY)
    await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
    (told,) = desk.tom.user.dm_channel.history()
    assert "budget of 0 credits is below the price" in texts(told)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_no_photo_in_a_channel_for_photos_is_accepted(desk: Desk) -> None:
    await spending.set_budget(desk.services, desk.guild.id, 0, Period.DAY)
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=rustic")
    await post(desk, desk.maya, ROOM)
    (told,) = desk.maya.user.dm_channel.history()
    assert "budget of 0 credits is below the price" in texts(told)
    assert await jobs_of(desk) == []
