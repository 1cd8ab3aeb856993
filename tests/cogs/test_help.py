"""/help: what one can do here, by what one may. The tools' buttons, posted for everyone."""

from datetime import timedelta
from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.catalog import SHIPPED, Catalog
from bot.credits.limits import AllowanceScope
from bot.features.photo_rules import PhotoChannelKind, Preset, set_channel
from bot.servers import access, settings as server_settings
from bot.servers.access import Block
from tests.support import spending
from tests.support.desk import Desk, answer_of, labels, open_desk, pieces, read_alone, texts
from tests.support.settings import limit_tool, opened, pressed
from tests.ui.admin.moderation.waiting import moderator
from tests.ui.jobs.results import thumbnails


def posted_panel(channel: ChannelHandle) -> discord.Message:
    (panel,) = (one for one in channel.history() if "Press a button" in texts(one))
    return panel


def many_tools(folder: Path) -> Catalog:
    own = folder / "tools.toml"
    what = 'emoji = "🪄"\nsource = "none"\noutput = "image"\nassumed_cost = 3\n'
    table = '[own-{n}]\ntitle = "{t:.32}"\nsummary = "{t}"\n' + what
    tables = "\n".join(table.format(n=number, t="T" * 100) for number in range(40))
    own.write_text(f"{SHIPPED.read_text('utf-8')}\n{tables}", "utf-8")
    return Catalog.load(own)


@pytest.mark.promise
async def test_without_a_key_help_says_only_what_to_do_about_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.maya.slash(desk.channel, "help")
        assert texts(answer).splitlines() == [
            "### 👋 What you can do here",
            "⚠️ This server has no Studii key yet. An admin can set one with `/studii setup`.",
        ]
        assert labels(answer) == []
        answer = await desk.admin.slash(desk.channel, "help")
        assert labels(answer) == ["Set up"]
        opened = await desk.admin.click(answer_of(answer), label="Set up")
        assert "Studii in this server" in texts(opened)


@pytest.mark.promise
async def test_help_speaks_of_what_its_person_may_do(desk: Desk) -> None:
    member = texts(await desk.maya.slash(desk.channel, "help"))
    assert "As an admin" not in member
    assert "As a moderator" not in member
    moderators = texts(await moderator(desk).slash(desk.channel, "help"))
    assert "**As a moderator**" in moderators
    assert "As an admin" not in moderators
    assert "`/studii setup`" in texts(await desk.admin.slash(desk.channel, "help"))


@pytest.mark.promise
async def test_help_says_that_requests_wait_for_a_moderator_and_where_moderators_decide(
    desk: Desk,
) -> None:
    channel = desk.guild.create_text_channel("requests")
    await desk.resources.db.write(
        access.change_approvals,
        desk.guild.id,
        approval_channel=channel.id,
        tools=["studio"],
        approval_results=True,
    )
    member = texts(await desk.maya.slash(desk.channel, "help"))
    waits = "🛂 A moderator approves requests for it before they start, and looks at the results"
    assert member.count(waits) == 1
    assert "You decide" not in member
    admin = texts(await desk.admin.slash(desk.channel, "help"))
    assert f"You decide on requests and results in <#{channel.id}>" in admin
    assert "🛂" not in admin  # an admin's own requests don't wait
    await desk.resources.db.write(
        access.change_approvals, desk.guild.id, approval_everyone=True, approval_results=False
    )
    admin = texts(await desk.admin.slash(desk.channel, "help"))
    assert f"You decide on requests in <#{channel.id}>." in admin
    member = texts(await desk.maya.slash(desk.channel, "help"))
    assert member.count("🛂") == 1
    assert "🛂 In this server a moderator approves your requests before they start." in member


@pytest.mark.promise
async def test_help_says_why_a_tool_may_not_be_used_and_offers_the_others(desk: Desk) -> None:
    tool = desk.bot.catalog.get("virtual-staging")
    await desk.db.write(limit_tool, desk.guild.id, tool, role_id=5, channel_id=None)
    answer = await desk.maya.slash(desk.channel, "help")
    assert texts(answer).count("🚫") == 1
    assert "🚫 Virtual staging is only for <@&5> in this server" in texts(answer)
    assert "Virtual staging" not in labels(answer)
    assert "Studio" in labels(answer)


@pytest.mark.promise
@pytest.mark.parametrize("automatic", [False, True])
async def test_who_is_blocked_or_paused_hears_it_and_is_offered_nothing(
    desk: Desk, *, automatic: bool
) -> None:
    until = desk.clock.now() + timedelta(hours=2)
    block = Block(desk.guild.id, desk.maya.id, automatic=automatic, until=until)
    await desk.resources.db.write(lambda session: session.add(block))
    answer = await desk.maya.slash(desk.channel, "help")
    assert texts(answer).count("🚫") == 1
    assert ("the word filter refused many" if automatic else "You are blocked") in texts(answer)
    assert labels(answer) == []
    assert "`/settings`" in texts(answer)


@pytest.mark.promise
async def test_help_says_what_keeps_everyone_from_starting(desk: Desk) -> None:
    allowance = AllowanceScope.MEMBER, desk.maya.id, 1
    await spending.set_limits(desk.resources, desk.guild.id, allowance=allowance)
    assert "enough credits left for any tool" in texts(await desk.maya.slash(desk.channel, "help"))
    await desk.resources.db.write(server_settings.pause, desk.guild.id, desk.clock.now(), paused=True)
    assert "New jobs are paused here" in texts(await desk.tom.slash(desk.channel, "help"))


@pytest.mark.promise
async def test_help_says_that_results_cant_be_posted_where_it_is_asked(desk: Desk) -> None:
    assert "can't post results" not in texts(await desk.maya.slash(desk.channel, "help"))
    bare = desk.channel_for_the_bot("bare", attach_files=False)
    told = texts(await desk.maya.slash(bare, "help"))
    assert "⚠️ I can't post results in this channel: I'm missing **Attach Files**" in told


@pytest.mark.promise
async def test_help_names_the_photo_channels_that_its_person_can_see_and_the_emoji_where_they_work(
    desk: Desk,
) -> None:
    everyone = desk.guild.default_role
    hidden = desk.guild.create_text_channel(
        "hidden", overwrites={everyone: discord.PermissionOverwrite(view_channel=False)}
    )
    auto = desk.guild.create_text_channel("auto")
    before = texts(await desk.maya.slash(desk.channel, "help"))
    assert "Tap an emoji" not in before
    assert "Post a photo" not in before
    for channel in (desk.channel, hidden):
        await desk.db.write(set_channel, desk.guild.id, channel.id, PhotoChannelKind.OFFER)
    automatic = desk.guild.id, auto.id, PhotoChannelKind.AUTO, Preset("photo-restore")
    await desk.db.write(set_channel, *automatic)
    await desk.resources.photo_rules.reread(desk.guild.id)
    words = texts(await desk.maya.slash(desk.channel, "help"))
    assert "Tap an emoji under a photo here: " in words
    assert f"Post a photo in <#{desk.channel.id}>, and tap an emoji under it" in words
    assert f"Post a photo in <#{auto.id}>: **Photo restoration** runs on it" in words
    assert str(hidden.id) not in words
    assert "Tap an emoji" not in texts(await desk.maya.slash(auto, "help"))


async def test_an_operators_many_tools_fit_into_help_and_the_panel(tmp_path: Path) -> None:
    async with open_desk(tmp_path, catalog=many_tools(tmp_path)) as desk:
        await desk.set_key()
        answer = await desk.admin.slash(desk.channel, "help")
        await pressed(desk, "setup", "studii:setup:panel")
        for shown in (answer, posted_panel(desk.channel)):
            assert "more: type `/` to see them" in texts(shown)
            assert len(texts(shown)) < 4000
            assert len(pieces(shown)) <= 40
        # Not all have room in a list to choose from: what is chosen comes first.
        await desk.db.write(access.change_approvals, desk.guild.id, approval_channel=1, tools=["own-39"])
        assert "own-39" in str(pieces(await opened(desk, "moderation approvals")))


@pytest.mark.promise
async def test_the_panels_buttons_refuse_whom_the_rules_refuse(desk: Desk) -> None:
    await pressed(desk, "setup", "studii:setup:panel")
    await desk.resources.db.write(access.block, desk.guild.id, desk.maya.id, desk.clock.now())
    panel = posted_panel(desk.channel)
    assert [len(one["items"]) for one in pieces(panel) if one["type"] == 12] == [3]
    told = await desk.maya.click(panel, label="Studio")
    assert "You are blocked" in read_alone(told)
    assert "You are blocked" in texts(await desk.maya.click(panel, label="Show help"))


async def test_where_results_cant_be_posted_no_panel_is_and_the_reason_is_said(desk: Desk) -> None:
    silent = desk.channel_for_the_bot("silent", send_messages=False)
    shown = await desk.admin.slash(silent, "studii setup")
    told = await desk.admin.click(answer_of(shown), label="Post panel")
    assert "I'm missing **Send Messages**" in texts(told)
    assert not [one for one in silent.history() if one.author.bot]


def about(words: str, slug: str) -> str:
    """What the panel says of one tool."""
    return next(part for part in words.split("**") if f"`/{slug}`" in part)


@pytest.mark.promise
async def test_every_tool_is_shown_with_what_it_does_a_picture_and_its_price(desk: Desk) -> None:
    answer = await desk.maya.slash(desk.channel, "help")
    assert answer.ephemeral
    for tool in desk.bot.catalog.tools.values():
        said = about(texts(answer), tool.slug)
        assert tool.summary in said
        assert "about 8 credits" in said
    pictures = [desk.env.backend.cdn.get(url) or b"" for url in thumbnails(answer)]
    assert [one[:2] for one in pictures] == [b"\xff\xd8"] * len(desk.bot.catalog.tools)
