"""Where a style is chosen, the last public result with it stands beside its name."""

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from bot.errors import DatabaseAway
from bot.features.styles import made_with
from tests.reactions.taps import ROOM, post, ready
from tests.support.desk import Desk, answer_of, labels, make_bot, pieces, texts
from tests.support.settings import add_style
from tests.ui.jobs.results import opened, posted, staged, thumbnails, with_thumbnail

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
    form = await opened(desk, desk.tom, "virtual-staging")
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
async def test_a_result_is_one_of_a_style_if_it_has_its_prompt(
    desk: Desk, template: str, prompt: str, fits: bool
) -> None:
    studio = desk.bot.catalog.get("studio")
    given = studio.prepare({"prompt": prompt, "aspect_ratio": "1:1"}, has_source=False)
    for inputs, fit in (({}, fits), ({"aspect_ratio": "1:1"}, fits), ({"aspect_ratio": "16:9"}, False)):
        assert made_with(studio, {"prompt": template, **inputs})(given) is fit
