"""Defaults: a member's own inputs for each tool, and where they count."""

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, InteractionResult, MemberActor

from bot.errors import DatabaseAway
from bot.features.styles import made_with
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import (
    PNG,
    Desk,
    answer_of,
    has_tapped,
    labels,
    make_bot,
    open_desk,
    pieces,
    press_in,
    read_alone,
    texts,
)
from tests.support.panels import CATALOG
from tests.support.settings import add_style, admin, opened, remove_style
from tests.ui.jobs.results import fields, opened as opened_form, posted, staged, thumbnails, with_thumbnail
from tests.ui.styles.test_saving import last_inputs

PHOTO = ("room.png", PNG)


async def prefer(desk: Desk, who: MemberActor, title: str, **inputs: str) -> InteractionResult:
    """Fill in the form of a tool's defaults."""
    shown = await who.slash(desk.channel, "settings")
    form = await press_in(who, shown, title)
    return await who.submit_modal(form, inputs)


@pytest.mark.promise
async def test_a_member_sets_changes_and_clears_their_defaults(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    assert "- 🎨 **Studio**: nothing set\n- 🛋️ **Virtual staging**: nothing set" in read_alone(shown)
    form = await press_in(desk.maya, shown, "Studio")
    assert list(fields(form)) == ["mode", "quality", "aspect_ratio"]
    assert [one["label"] for one in fields(form)["mode"]["component"]["options"]] == [
        "As usual: image",
        "image · about 8 credits",
        "video · about 40 credits",
    ]
    said = await desk.maya.submit_modal(form, {"mode": "—", "quality": "—", "aspect_ratio": "1:1"})
    assert "✅ Your defaults for Studio are set." in texts(said)
    assert "- 🎨 **Studio**: aspect ratio **1:1**" in texts(said)
    for who, shape in ((desk.maya, "1:1"), (desk.tom, "16:9")):
        await who.slash(desk.channel, "studio", prompt="A red kite")
        assert (await last_inputs(desk))["aspect_ratio"] == shape
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", aspect_ratio="3:4")
    assert (await last_inputs(desk))["aspect_ratio"] == "3:4"
    cleared = await prefer(desk, desk.maya, "Studio", mode="—", quality="—", aspect_ratio="—")
    assert "✅ Your defaults for Studio are cleared." in texts(cleared)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert (await last_inputs(desk))["aspect_ratio"] == "16:9"


@pytest.mark.promise
async def test_forms_and_styles_start_from_them(desk: Desk) -> None:
    await prefer(desk, desk.maya, "Virtual staging", style="luxury", room="office")
    panel = await desk.maya.slash(desk.channel, "help")
    offered = fields(await press_in(desk.maya, panel, "Virtual staging"))["style"]["component"]["options"]
    assert [one["value"] for one in offered if one.get("default")] == ["luxury"]
    await add_style(desk, "Oak", "virtual-staging", inputs="style=oak")
    await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="oak")
    assert await last_inputs(desk) == {"style": "oak", "room": "office"}
    await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="oak", room="dining")
    assert await last_inputs(desk) == {"style": "oak", "room": "dining"}


@pytest.mark.promise
async def test_a_tap_asks_for_what_the_emoji_says_and_a_photo_channel_is_asked_after_the_member(
    desk: Desk,
) -> None:
    await ready(desk)
    await prefer(desk, desk.tom, "Virtual staging", style="luxury", room="office")
    message = await post(desk, desk.maya, ROOM)
    await admin(desk, "reactions map", emoji="🔥", tool="virtual-staging", inputs="style=rustic")
    for emoji, style in ((STAGING, "luxury"), ("🔥", "rustic")):
        await desk.tom.react(message, emoji)
        assert await last_inputs(desk) == {"style": style, "room": "office"}
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=rustic, room=dining")
    await post(desk, desk.tom, ROOM)
    await desk.env.settle()
    assert await last_inputs(desk) == {"style": "luxury", "room": "office"}
    await post(desk, desk.maya, ROOM)
    await desk.env.settle()
    assert await last_inputs(desk) == {"style": "rustic", "room": "dining"}


# Styles that an emoji runs, and those that the list of tools for a photo offers


@pytest.mark.promise
async def test_an_emoji_runs_a_style_until_it_is_removed(tmp_path: Path) -> None:
    async with open_desk(tmp_path, tapped_before=False, key=True) as desk:
        await ready(desk)
        await add_style(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
        said = await admin(desk, "reactions map", emoji="🔥", style="Oak")
        assert "🔥 the style **“Oak”**: **Virtual staging** (style oak · room office)" in texts(said)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, "🔥")
        asked = texts(desk.channel.history()[-1])
        assert "**Virtual staging** costs about 8 credits. Start it?" in asked
        await desk.db.write(has_tapped, desk.guild.id, desk.maya.id)
        await desk.maya.react(message, "🔥")
        (job,) = await jobs_of(desk)
        assert job.inputs == {"style": "oak", "room": "office"}
        await remove_style(desk, "oak")
        other = await post(desk, desk.tom, ROOM)
        await desk.maya.react(other, "🔥")
        assert len(await jobs_of(desk)) == 1
        assert "🔥" not in texts(await opened(desk, "photos"))


@pytest.mark.promise
async def test_the_list_of_tools_for_a_photo_offers_styles_too(desk: Desk) -> None:
    await ready(desk)
    await add_style(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
    message = await post(desk, desk.maya, ROOM)
    listed = await desk.maya.context_menu(desk.channel, "Studii…", message)
    (select,) = (piece for piece in pieces(listed) if piece["type"] == 3)
    option = select["options"][-1]
    assert (option["label"], option["description"]) == ("Oak", "about 8 credits · Virtual staging")
    form: Any = await desk.maya.select(answer_of(listed), [option["value"]])
    assert form.modal["title"].startswith("Oak")
    await desk.maya.submit_modal(form, {"style": "oak", "room": "office"})
    assert (await desk.job()).inputs == {"style": "oak", "room": "office"}


# Where a style is chosen, the last public result with it stands beside its name

CLOSED = discord.PermissionOverwrite(view_channel=False)
KITE = {"prompt": "A kite, {text}"}


async def pictured(desk: Desk, who: MemberActor, channel: ChannelHandle | None = None) -> list[str]:
    """Return the jobs of the results that `/styles` shows."""
    shown = await who.slash(channel or desk.channel, "styles")
    return [(desk.env.backend.cdn.get(one) or b"").decode() for one in thumbnails(shown)]


@pytest.mark.promise
async def test_a_style_is_seen_as_its_last_public_result_that_the_reader_may_see(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = desk.guild.create_text_channel("hidden", overwrites={desk.guild.default_role: CLOSED})
    adults = await desk.age_restricted_channel()
    studio = desk.bot.catalog.get("studio")
    await desk.save_style(desk.admin, "Kites", studio, KITE, for_server=True)
    older = await posted(desk, tmp_path, desk.channel, "A kite, red")
    newer = await posted(desk, tmp_path, desk.channel, "A kite, blue")
    other = await posted(desk, tmp_path, desk.channel, "A boat")
    for job in (older, newer, other):
        await with_thumbnail(desk, job)
    assert await pictured(desk, desk.tom) == [newer.id]
    hiding: tuple[dict[str, Any], ...] = (
        {"private": True},
        {"result_by_dm": True},
        {"result_message_id": None},
        {"forgotten_at": desk.clock.now()},
        {"result_channel_id": hidden.id},
        {"age_restricted": True},
    )
    for change in hiding:
        await desk.change(newer, **change)
        assert await pictured(desk, desk.tom) == [older.id], change
        if "age_restricted" in change:
            assert await pictured(desk, desk.tom, adults) == [newer.id]
        await desk.change(newer, **{name: getattr(newer, name) for name in change})
    await desk.text_channel().get_partial_message(newer.result_message_id or 0).delete()
    await desk.env.settle()
    assert await pictured(desk, desk.tom) == [older.id]
    await with_thumbnail(desk, newer)  # as where it was deleted while the bot was away
    assert await pictured(desk, desk.tom) == []
    assert await pictured(desk, desk.tom) == [older.id]
    with monkeypatch.context() as failing:
        failing.setattr("bot.jobs.thumbnails.of", _away)
        assert "**“Kites”**" in texts(await desk.tom.slash(desk.channel, "styles"))
    await desk.forget(desk.maya)
    assert await pictured(desk, desk.tom) == []


def _away(*_: object) -> None:
    raise DatabaseAway


@pytest.mark.promise
async def test_pages_of_styles_turn_also_after_a_restart_and_twice(desk: Desk, tmp_path: Path) -> None:
    studio = desk.bot.catalog.get("studio")
    await with_thumbnail(desk, await posted(desk, tmp_path, desk.channel, "A kite, red"))
    for number in range(30):
        await desk.save_style(desk.admin, f"Kites {number}", studio, KITE, for_server=number > 1)
    shown = await desk.admin.slash(desk.channel, "styles")
    assert labels(shown) == ["Next", "Add a style for this server…"]
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    message = answer_of(shown)
    for _again in range(2):
        await desk.admin.click(message, label="Next")
        assert labels(shown) == ["Back", "Next", "Add a style for this server…"]
        assert len(thumbnails(shown)) == len(message.attachments) == 9
        assert len(pieces(shown)) <= 40
        await desk.admin.click(message, label="Back")
    (menu,) = [one for one in pieces(shown) if one["type"] == 3]
    await desk.admin.select(message, [menu["options"][0]["value"]], custom_id="studii:styles:show")
    assert "“Kites 0”" in texts(shown)
    assert not message.attachments


@pytest.mark.promise
async def test_messages_that_ask_for_a_style_show_what_each_looks_like(desk: Desk, tmp_path: Path) -> None:
    await ready(desk)
    await staged(desk, tmp_path)
    await with_thumbnail(desk, await desk.job())
    await add_style(desk, name="Grand", tool="virtual-staging", inputs="style=Luxury")
    listed = await desk.tom.context_menu(desk.channel, "Studii…", await post(desk, desk.maya, ROOM))
    (picture,) = [one for one in pieces(listed) if one["type"] == 11]
    assert picture["description"] == "A result of the style Grand"
    assert "⭐ **Grand**" in texts(listed)
    form = await opened_form(desk, desk.tom, "virtual-staging")
    photos = [(f"{number}.png", ROOM[1]) for number in range(7)]
    asked = await desk.tom.submit_modal(form, {"image": photos, "style": "each-photo", "room": "living"})
    (gallery,) = [one for one in pieces(asked) if one["type"] == 12]
    assert gallery["items"][0]["description"] == "A result of the style luxury"
    assert "1 luxury" in texts(asked)
    assert len(pieces(asked)) == 40


@pytest.mark.parametrize(
    ("template", "prompt", "fits"),
    [
        ("A kite", "A kite", True),
        ("A kite", "A kite, red", True),
        ("A kite", "A kitesurfer", False),
        ("A {text} kite", "A red kite", True),
        ("A {text} kite", "A kite", False),
        ("A {text} or {text} kite", "A red or red kite", True),
        ("{text}, in oils", "A boat", False),
    ],
)
def test_a_result_is_one_of_a_style_if_it_has_its_prompt(template: str, prompt: str, fits: bool) -> None:
    studio = CATALOG.get("studio")
    given = studio.prepare({"prompt": prompt, "aspect_ratio": "1:1"}, has_source=False)
    for inputs, fit in (({}, fits), ({"aspect_ratio": "1:1"}, fits), ({"aspect_ratio": "16:9"}, False)):
        assert made_with(studio, {"prompt": template, **inputs})(given) is fit
