"""Whoever is refused in Discord learns why, how much is left, when it renews, and who can change it."""

from datetime import timedelta
from typing import Any

import discord
import pytest

from bot.credits.limits import AllowanceScope
from bot.jobs.models import JobState
from bot.servers import settings
from bot.servers.settings import Period, PhotoScope
from tests.reactions.taps import jobs_of
from tests.support import spending
from tests.support.desk import PNG, Desk, answer_of, started, texts
from tests.support.settings import change, pressed

OWN_ONLY = "In this server you can only use Career portrait on your own photos. Someone else posted that one."
THEIR_WORD = "The person who posted that photo doesn't want others to use it. Only they can change this."
CHANGE_LIMIT = "An admin can change this with `/studii credits`."
PRICE = "Not enough credits: this costs about 8 credits"


async def photo_of_tom(desk: Desk) -> discord.Message:
    return await desk.tom.send(desk.channel, "Me", attachments=[("me.png", PNG)])


def unix(desk: Desk, seconds: float) -> str:
    """Discord's timestamp of so many seconds from now."""
    return f"<t:{(desk.clock.now() + timedelta(seconds=seconds)).timestamp():.0f}:R>"


@pytest.mark.promise
async def test_a_portrait_is_not_made_of_somebody_elses_photo(desk: Desk) -> None:
    photo = await photo_of_tom(desk)
    refused = await desk.maya.context_menu(desk.channel, "Career portrait", photo)
    assert refused.ephemeral
    assert OWN_ONLY in texts(refused)
    assert "An admin can change this with `/studii photos`." in texts(refused)
    assert len(await jobs_of(desk)) == 0
    assert started(await desk.maya.context_menu(desk.channel, "Photo restoration", photo))
    assert started(await desk.tom.context_menu(desk.channel, "Career portrait", photo))


@pytest.mark.promise
async def test_an_admin_opens_portraits_and_closes_all_photos_of_others(desk: Desk) -> None:
    photo = await photo_of_tom(desk)
    await desk.resources.db.write(
        settings.change, desk.guild.id, photos=PhotoScope.OWN, portraits=PhotoScope.ANYONE
    )
    assert started(await desk.maya.context_menu(desk.channel, "Career portrait", photo))
    refused = await desk.maya.context_menu(desk.channel, "Photo restoration", photo)
    assert "you can only use Photo restoration on your own photos" in texts(refused)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["manage_messages", "manage_guild"])
async def test_who_manages_messages_or_the_server_may_make_a_portrait_of_others(
    desk: Desk, permission: str
) -> None:
    role = desk.guild.create_role("Moderators", permissions=discord.Permissions(**{permission: True}))
    moderator = desk.guild.add_member(desk.env.create_user("ines"), roles=[role])
    photo = await photo_of_tom(desk)
    assert started(await moderator.context_menu(desk.channel, "Career portrait", photo))


@pytest.mark.promise
@pytest.mark.parametrize("menu", ["Photo restoration", "Product background", "Virtual staging"])
async def test_a_member_who_refuses_by_privacy_is_obeyed_until_they_allow_it(desk: Desk, menu: str) -> None:
    photo = await photo_of_tom(desk)
    own = await desk.tom.slash(desk.channel, "settings")
    await desk.tom.click(answer_of(own), custom_id="studii:put:settings:photos:off")
    for person in (desk.maya, desk.admin):
        refused = await person.context_menu(desk.channel, menu, photo)
        assert refused.ephemeral
        assert refused.modal is None
        assert THEIR_WORD in texts(refused)
    assert len(await jobs_of(desk)) == 0
    assert started(await desk.tom.context_menu(desk.channel, "Photo restoration", photo))
    await desk.tom.click(answer_of(own), custom_id="studii:put:settings:photos:on")
    allowed = await desk.maya.context_menu(desk.channel, menu, photo)
    assert allowed.modal is not None or started(allowed)


@pytest.mark.promise
async def test_with_too_many_jobs_going_one_learns_how_many_and_waits_for_one_to_end(desk: Desk) -> None:
    await spending.set_limits(desk.resources, desk.guild.id, at_once=1)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.job()
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    assert refused.ephemeral
    assert (
        f"You already have 1 job running, the limit here. Try again when one finishes. {CHANGE_LIMIT}"
    ) in texts(refused)
    assert started(await desk.tom.slash(desk.channel, "studio", prompt="A red kite"))
    await desk.move(job, JobState.FAILED)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A blue kite"))


@pytest.mark.promise
async def test_who_starts_too_often_learns_how_many_may_be_started_and_when_the_next(desk: Desk) -> None:
    await change(desk, "credits", "rate", starts="2", minutes="10")
    form: Any = await pressed(desk, "credits", "studii:fill:credits:rate")
    assert [one["component"]["value"] for one in form.modal["components"]] == ["2", "10"]  # as it was typed
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    desk.clock.advance(100)
    await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A green kite")
    assert (
        "You've reached the limit of 2 jobs in 10 minutes here. "
        f"You can start the next one {unix(desk, 500)}. {CHANGE_LIMIT}"
    ) in texts(refused)
    shown = texts(await desk.maya.slash(desk.channel, "credits"))
    assert f"Start rate: 2 jobs in 10 minutes; next start {unix(desk, 500)}" in shown
    desk.clock.advance(500)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A green kite"))


@pytest.mark.promise
async def test_a_spent_allowance_says_how_much_is_left_and_when_it_renews(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.DAY)
    await spending.set_limits(desk.resources, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, 10))
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    midnight = unix(desk, 12 * 3600)  # it is noon
    assert (
        f"{PRICE}, and your allowance has 2 of 10 credits left today. The budget renews {midnight}. "
        f"{CHANGE_LIMIT}"
    ) in texts(refused)
    left = "2 of 10 credits left today"
    assert left in texts(await desk.maya.slash(desk.channel, "credits"))
    assert left not in texts(await desk.tom.slash(desk.channel, "credits"))
