"""Admins limit members and tools by command; whoever is refused learns which limit it was."""

from pathlib import Path

import discord
import pytest
from sqlalchemy.orm import Session

from bot.credits.limits import AllowanceScope
from bot.features import photo_rules
from bot.features.photo_rules import MAX_PHOTO_CHANNELS, PhotoChannelKind, set_channel, turn_reactions
from bot.servers import settings
from tests.support import spending
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, started, texts
from tests.support.settings import admin, change, opened

ACCESS = "moderation access"


@pytest.mark.promise
async def test_the_highest_of_ones_roles_counts_and_ones_own_before_it(desk: Desk) -> None:
    roles = [desk.guild.create_role(name) for name in ("Silver", "Gold")]
    member = desk.guild.add_member(desk.env.create_user("ines"), roles=roles)
    for role, credits_ in zip(roles, (8, 16), strict=True):
        await spending.set_limits(
            desk.resources, desk.guild.id, allowance=(AllowanceScope.ROLE, role.id, credits_)
        )
    for _ in range(2):
        assert started(await member.slash(desk.channel, "studio", prompt="A red kite"))
    refused = await member.slash(desk.channel, "studio", prompt="A red kite")
    assert "0 of 16 credits left today" in texts(refused)
    await spending.set_limits(desk.resources, desk.guild.id, allowance=(AllowanceScope.MEMBER, member.id, 24))
    assert started(await member.slash(desk.channel, "studio", prompt="A red kite"))


@pytest.mark.promise
async def test_a_grant_adds_to_the_budget_of_this_period_and_can_be_taken_back(desk: Desk) -> None:
    shown = texts(await desk.admin.slash(desk.channel, "studii grant"))
    assert "Server: nothing on top" in shown
    assert "No budget is set yet, so the default applies" in shown
    shown = texts(await desk.admin.slash(desk.channel, "studii grant", credits=50))
    assert "Granted 50 credits for today." in shown
    assert "**50 credits** on top of 100 credits a day; 150 of 150 credits left" in shown
    assert "The total includes 50 credits granted for today." in texts(
        await desk.maya.slash(desk.channel, "credits")
    )
    assert "50 credits granted for today is the most" in texts(
        await desk.admin.slash(desk.channel, "studii grant", credits=-60)
    )
    await desk.admin.slash(desk.channel, "studii grant", credits=-50)
    assert (await spending.budget(desk.resources, desk.guild.id)).left == 100


@pytest.mark.promise
async def test_a_members_grant_is_shown_to_them_and_ends_when_the_period_is_another(
    desk: Desk,
) -> None:
    shown = texts(await desk.admin.slash(desk.channel, "studii grant", credits=5, member=desk.maya))
    assert "5 credits granted for today will count once this member has an allowance." in shown
    await change(desk, "credits", "default", value="10")
    assert "15 of 15 credits left today, 5 of it granted." in texts(
        await desk.maya.slash(desk.channel, "credits")
    )
    shown = texts(await desk.admin.slash(desk.channel, "studii grant", credits=-2, member=desk.maya))
    assert "Took back 2 credits granted for today." in shown
    assert "13 of 13 credits left today** (everyone's allowance: 10 credits, +3 granted for" in shown
    shown = texts(await admin(desk, "budget", period="month"))
    assert "✅ **Server budget**: changed from 100 credits a day to 100 credits a month." in shown
    assert "⚠️ The 3 credits granted for the previous period no longer count." in shown
    shown = texts(await desk.admin.slash(desk.channel, "studii grant"))
    assert "Granted for this month" in shown
    assert f"<@{desk.maya.id}>" not in shown


@pytest.mark.promise
async def test_a_tool_is_closed_to_other_roles_and_opened_again(desk: Desk) -> None:
    assert "everyone, everywhere" in texts(await opened(desk, ACCESS))
    role = desk.guild.create_role("Designers")
    shown = await change(desk, f"{ACCESS} tool.studio", "roles", role)
    assert f"✅ Studio · **Roles that can use it**: <@&{role.id}> added." in shown
    assert f"Studio: **<@&{role.id}>**, everywhere" in texts(await opened(desk, ACCESS))
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Studio is only for" in texts(refused)
    assert "An admin can change this with `/studii moderation`." in texts(refused)
    photo = ("room.png", PNG)
    assert started(await desk.maya.slash(desk.channel, "virtual-staging", image=photo))
    await change(desk, f"{ACCESS} tool.studio", "roles", None)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))


@pytest.mark.promise
async def test_a_rule_for_what_was_deleted_says_so_and_what_to_do(desk: Desk) -> None:
    role, channel = desk.guild.create_role("Designers"), desk.guild.create_text_channel("designs")
    await admin(desk, "photos offer", channel=channel)
    await change(desk, f"{ACCESS} tool.studio", "roles", role)
    await change(desk, f"{ACCESS} tool.studio", "channels", channel)
    shown = texts(await opened(desk, ACCESS))
    assert f"Studio: **<@&{role.id}>**, in <#{channel.id}>" in shown
    assert "deleted" not in shown
    desk.env.backend.delete_role(desk.guild.id, role.id)
    desk.env.backend.delete_channel(channel.id)
    await desk.env.settle()
    assert "A deleted role or channel gives no one access." in texts(await opened(desk, ACCESS))
    assert not (await desk.db.read(photo_rules.of, desk.guild.id)).channels
    await change(desk, f"{ACCESS} tool.studio", "roles", None)
    await change(desk, f"{ACCESS} tool.studio", "channels", None)
    assert "everyone, everywhere" in texts(await opened(desk, ACCESS))


@pytest.mark.promise
async def test_a_time_zone_is_chosen_from_what_is_typed(desk: Desk) -> None:
    shown = await change(desk, "budget", "timezone", value="Europe/Berlin")
    assert "✅ **Time zone**: changed from UTC to Europe/Berlin." in shown
    shown = await change(desk, "budget", "timezone", value="Europe/Berlino")
    assert "“Europe/Berlino” isn't a time zone. Did you mean Europe/Berlin" in shown
    for typed, meant in (("Berlin", "Europe/Berlin?"), ("new york", "America/New_York?")):
        assert f"Did you mean {meant}" in await change(desk, "budget", "timezone", value=typed)


@pytest.mark.promise
async def test_a_thread_counts_as_its_channel(tmp_path: Path) -> None:
    allowed = BOT_PERMISSIONS | discord.Permissions(create_public_threads=True, send_messages_in_threads=True)
    async with open_desk(tmp_path, permissions=allowed) as desk:
        await desk.set_key()
        await change(desk, f"{ACCESS} tool.*", "channels", desk.channel)
        elsewhere = desk.guild.create_text_channel("elsewhere")
        refused = await desk.maya.slash(elsewhere, "studio", prompt="A red kite")
        assert f"Studii only works in <#{desk.channel.id}>." in texts(refused)
        shown = texts(await admin(desk, "photos auto", tool="photo-restore", channel=elsewhere))
        assert f"Nothing will run in <#{elsewhere.id}>: `/studii moderation` doesn't allow" in shown
        assert started(await desk.maya.slash(await desk.thread(), "studio", prompt="A red kite"))


@pytest.mark.promise
async def test_what_makes_no_sense_changes_nothing_and_the_answer_says_why(desk: Desk) -> None:
    told = texts(await desk.admin.slash(desk.channel, "studii grant", credits=0))
    assert "Enter how many credits to add" in told
    assert "Leave `credits` out to see the grants" in told
    told = texts(await desk.admin.slash(desk.channel, "studii grant", credits=-5))
    assert "No credits were granted for today, so you can't take any back." in told
    assert "Nothing was changed." in told
    assert (await spending.budget(desk.resources, desk.guild.id)).left == 100
    before = await desk.db.read(settings.of, desk.guild.id)
    for stars in ("0", "21", "many"):
        said = await change(desk, "results", "best_stars", value=stars)
        assert "❌ Enter a whole number from 1 to 20. Nothing was changed." in said
    assert (await desk.db.read(settings.of, desk.guild.id)).best_stars == before.best_stars


async def test_of_very_many_photo_channels_one_more_is_refused(desk: Desk) -> None:
    guild_id, later = desk.guild.id, 1_500_000_000_000_000_000
    await desk.db.write(turn_reactions, guild_id, later, on=True)

    def fill(session: Session) -> None:
        for number in range(1, MAX_PHOTO_CHANNELS):
            set_channel(session, guild_id, later + number, PhotoChannelKind.OFFER)

    await desk.db.write(fill)
    shown = await admin(desk, "photos auto", tool="photo-restore")
    assert "The limit is 200 photo channels. Turn one off first." in texts(shown)
    # One in place of another is none more.
    assert f"<#{desk.channel.id}> added." in await change(desk, "photos", "reactions", desk.channel)
