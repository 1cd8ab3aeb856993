"""Save as style under a result, and the style in commands, in `/styles` and in its form."""

from pathlib import Path
from typing import Any

import discord
import pytest
from msgspec.structs import replace
from simcord import ChannelHandle, InteractionResult, MemberActor
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType
from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.features import styles
from bot.features.styles import MAX_STYLES
from bot.jobs.models import Job
from tests.reactions.taps import jobs_of
from tests.support.desk import (
    PNG,
    Desk,
    answer_of,
    labelled,
    make_bot,
    open_desk,
    pieces,
    press_in,
    press_more,
    texts,
)
from tests.support.presses import press as send
from tests.support.settings import add_style, control, remove_style
from tests.ui.jobs.results import fields, result_of

HARBOUR = "A harbour at dawn, {text}"
ROOM = ("room.png", PNG)


async def save(who: MemberActor, message: Any, **given: str) -> InteractionResult:
    """Press Save as style, and fill in the form."""
    form = await press_more(who, message, "Save as style")
    assert form.modal is not None, texts(form)
    return await who.submit_modal(form, given)


async def save_all(desk: Desk, who: MemberActor, names: list[str], *, for_server: bool = False) -> None:
    studio = desk.bot.catalog.get("studio")

    def save_each(session: Session) -> None:
        for name in names:
            given = desk.guild.id, who.id, name, studio, {"prompt": "x"}
            styles.save(session, *given, for_server=for_server)

    await desk.db.write(save_each)


async def styles_of(desk: Desk, who: MemberActor) -> list[str]:
    found = await desk.resources.db.read(styles.usable, desk.guild.id, who.id, frozenset({desk.guild.id}))
    return [one.name for one in found]


async def last_inputs(desk: Desk) -> dict[str, str]:
    return dict((await desk.job()).inputs)


@pytest.mark.promise
async def test_a_style_runs_as_it_is_or_asks_for_words_also_from_its_form_after_a_restart(
    desk: Desk, tmp_path: Path
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour", quality="high")
    await save(desk.maya, result, name="Harbour", prompt="A harbour")
    await save(desk.maya, result, name="Dawn", prompt=HARBOUR)
    await desk.maya.slash(desk.channel, "studio", style="harbour")
    assert (await last_inputs(desk))["prompt"] == "A harbour"
    asked: Any = await desk.maya.slash(desk.channel, "studio", style="dawn", aspect_ratio="1:1")
    assert asked.modal["title"].startswith("Dawn")
    await desk.maya.submit_modal(asked, {"prompt": "two boats", "mode": "image", "quality": "high"})
    inputs = await last_inputs(desk)
    assert (inputs["prompt"], inputs["aspect_ratio"]) == ("A harbour at dawn, two boats", "1:1")
    listed = texts(await desk.maya.slash(desk.channel, "styles"))
    assert "**Yours** · 2 styles of 50" in listed
    assert "🎨 **“Dawn”**\n-# Studio · with your words" in listed
    shown = await desk.maya.slash(desk.channel, "styles", name="dawn")
    await desk.env.restart_bot(make_bot(Catalog.load(), desk.clock, desk.resources)[0])
    form: Any = await press_in(desk.maya, shown, "Use")
    assert form.modal["title"] == "Dawn · from about 8 credits"
    prompt = fields(form)["prompt"]["component"]
    assert (prompt.get("value"), prompt["required"]) == (None, True)
    await desk.maya.submit_modal(form, {"prompt": "a bridge", "mode": "image", "quality": "high"})
    assert (await last_inputs(desk))["prompt"] == "A harbour at dawn, a bridge"


@pytest.mark.promise
async def test_names_are_unique_and_their_number_is_bounded(desk: Desk, tmp_path: Path) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    await save(desk.maya, result, name="Straße")
    again = await save(desk.maya, result, name="STRASSE", prompt="What I typed")
    assert "You already have a style “Straße”." in texts(again)
    edited = fields(await press_in(desk.maya, again, "Edit"))
    assert [one["component"]["value"] for one in edited.values()] == ["STRASSE", "What I typed"]
    assert "needs a name that can be read" in texts(await save(desk.maya, result, name="\u200b \u2060"))
    await save_all(desk, desk.maya, [f"Look {number:02}" for number in range(MAX_STYLES - 1)])
    full = texts(await save(desk.maya, result, name="One more"))
    assert "You have 50 styles here, the limit." in full
    assert len(await styles_of(desk, desk.maya)) == MAX_STYLES
    offered = await desk.maya.autocomplete(desk.channel, "studio", "style", "", prompt="x")
    assert len(offered) == 25
    await save(desk.tom, await result_of(desk, tmp_path, desk.tom, "studio", prompt="x"), name="Straße")
    assert await styles_of(desk, desk.tom) == ["Straße"]


@pytest.mark.promise
async def test_only_its_person_saves_a_result_and_only_if_its_request_is_kept(
    desk: Desk, tmp_path: Path
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    assert "Save as style" not in [one.get("label") for one in pieces(await press_more(desk.tom, result))]
    saving = f"studii:save:{(await desk.job()).id}-0"
    refused = await send(desk, desk.tom, await desk.channel_message(saving), saving)
    assert "Only the person who asked for this" in texts(refused)
    await desk.forget(desk.maya)
    erased = await press_more(desk.maya, result, "Save as style")
    assert "The original request has expired." in texts(erased)
    restored = await result_of(desk, tmp_path, desk.maya, "photo-restore", image=ROOM)
    offered = await press_more(desk.maya, restored)
    assert "Save as style" not in [piece.get("label") for piece in pieces(offered)]


@pytest.mark.promise
async def test_word_rules_apply_to_styles_when_they_are_saved_and_when_they_are_used(
    desk: Desk, tmp_path: Path
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    await desk.forbid("red kite")
    for given in ({"name": "Red kite"}, {"name": "Sky", "prompt": "A RED KITE"}):
        refused = await save(desk.maya, result, **given)
        assert "This server's word filter doesn't allow that." in texts(refused)
    await save(desk.maya, result, name="Sky", prompt="A red {text} in the sky")
    before = len(await jobs_of(desk))
    refused = await desk.maya.slash(desk.channel, "studio", prompt="kite", style="sky")
    assert "You wrote: “A red kite in the sky”" in texts(refused)
    assert len(await jobs_of(desk)) == before


@pytest.mark.promise
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"slug": "studio-2"}, "is for a tool that isn't here any more"),
        ({"inputs": "renamed"}, "no longer fits: Studio doesn't take `aspect_ratio` any more"),
    ],
)
async def test_a_style_that_the_catalogue_has_left_behind_says_so_and_starts_nothing(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    shipped = Catalog.load()
    studio = shipped.get("studio")
    if "slug" in changed:
        tools = {"studio-2": replace(studio, slug=changed["slug"])}
    else:
        renamed = [replace(one, name="shape") if one.name == "aspect_ratio" else one for one in studio.inputs]
        tools = {"studio": replace(studio, inputs=tuple(renamed))}
    async with open_desk(tmp_path, catalog=Catalog(tools)) as desk:
        await desk.set_key()
        inputs = {"prompt": "A harbour", "aspect_ratio": "1:1"}
        await desk.save_style(desk.maya, "Dawn", studio, inputs)
        used = await desk.maya.slash(desk.channel, next(iter(tools)), prompt="x", style="dawn")
        assert said in texts(used)
        assert "no longer fits" in texts(await desk.maya.slash(desk.channel, "styles"))
        shown = await desk.maya.slash(desk.channel, "styles", name="dawn")
        assert said in texts(shown)
        assert "Use" not in str([piece.get("label") for piece in pieces(shown)])
        await press_in(desk.maya, shown, "Remove")
        assert await styles_of(desk, desk.maya) == []
        assert len(await jobs_of(desk)) == 0


@pytest.mark.promise
async def test_removing_a_style_hurts_no_job_and_its_old_buttons_say_so(desk: Desk, tmp_path: Path) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    await save(desk.maya, result, name="Harbour")
    (offered,) = await desk.maya.autocomplete(desk.channel, "studio", "style", "", prompt="x")
    await desk.maya.slash(desk.channel, "studio", prompt="x", style=offered["value"])
    job = await desk.job()
    shown = await desk.maya.slash(desk.channel, "styles", name="harbour")
    forged = await desk.channel_message(labelled(shown, "Remove"))
    assert "That style isn't yours." in texts(await desk.tom.click(forged, label="Press"))
    forged = await desk.channel_message(labelled(shown, "Use"))
    assert "That style has been removed." in texts(await desk.tom.click(forged, label="Press"))
    await press_in(desk.maya, shown, "Remove")
    kept: Job = await desk.job()
    assert (kept.id, kept.inputs) == (job.id, job.inputs)
    gone = await desk.maya.slash(desk.channel, "studio", prompt="x", style=offered["value"])
    assert "That style has been removed." in texts(gone)


# Styles of a server: added, for everyone or for roles, used, removed; and what is left of their makers


@pytest.mark.promise
async def test_an_admin_adds_a_style_that_everyone_can_use(desk: Desk) -> None:
    said = await add_style(
        desk, name="House style", tool="studio", prompt="{text}, in oils", inputs="aspect_ratio=1:1"
    )
    assert "✅ “House style” is added." in texts(said)
    assert f"Studio · this server's style · added by <@{desk.admin.id}>" in texts(said)
    (offered,) = await desk.tom.autocomplete(desk.channel, "studio", "style", "house", prompt="x")
    assert offered["name"] == "⭐ House style · this server's"
    again = await desk.tom.autocomplete(desk.channel, "studio", "style", offered["name"], prompt="x")
    assert again == [offered]
    await desk.tom.slash(desk.channel, "studio", prompt="a boat", style=offered["name"])
    inputs = (await desk.job()).inputs
    assert (inputs["prompt"], inputs["aspect_ratio"]) == ("a boat, in oils", "1:1")
    listed = await desk.tom.slash(desk.channel, "styles")
    assert "**This server's**\n🎨 **“House style”**\n-# Studio · with your words" in texts(listed)
    (style,) = await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
    await desk.tom.select(answer_of(listed), [style.id], custom_id="studii:styles:show")
    assert "this server's style" in texts(listed)
    assert [one["custom_id"] for one in pieces(listed) if "custom_id" in one] == [
        f"studii:style:use:{style.id}"
    ]
    assert "“House style” is removed." in await remove_style(desk, "HOUSE style")
    assert await styles_of(desk, desk.tom) == []


@pytest.mark.promise
async def test_a_style_for_a_role_is_for_its_members_alone(desk: Desk) -> None:
    editors, writers = desk.guild.create_role("Editors"), desk.guild.create_role("Writers")
    await desk.env.settle()
    rita = desk.guild.add_member(desk.env.create_user("rita"), roles=[writers])
    shown = await add_style(desk, "Oak", "virtual-staging", inputs="style=oak", roles=[editors])
    assert f"for <@&{editors.id}>" in texts(shown)
    assert "Use ·" not in str(list(pieces(shown)))  # admins manage it, and have no such role
    roles = control(shown, "studii:style:roles")
    await desk.admin.select(answer_of(shown), [editors, writers], custom_id=roles)
    assert f"is now only for <@&{editors.id}> and <@&{writers.id}>." in texts(shown)
    (offered, *_) = await rita.autocomplete(desk.channel, "virtual-staging", "style", "oak", image=ROOM)
    assert "Oak" not in texts(await desk.tom.slash(desk.channel, "styles"))
    assert "**“Oak”**" in texts(await desk.admin.slash(desk.channel, "styles"))
    forged = await desk.tom.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
    assert f"That style is only for <@&{editors.id}> <@&{writers.id}>." in texts(forged)
    await rita.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
    assert (await desk.job()).inputs["style"] == "oak"
    await desk.admin.select(answer_of(shown), [], custom_id=roles)
    assert "is for everyone now." in texts(shown)
    assert await styles_of(desk, desk.tom) == ["Oak"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "Oak", "tool": "studio"}, "A style needs a prompt or inputs."),
        ({"name": "Oak", "tool": "virtual-staging", "prompt": "x"}, "takes no prompt"),
        ({"name": "Oak", "tool": "studio", "prompt": "oak", "inputs": "prompt=pine"}, "not under *Inputs*"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "colour=red"}, "has no input “colour”"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "room=" + "x" * 101}, "at most 100 characters"),
        ({"name": "Pine", "tool": "virtual-staging", "inputs": "style=pine"}, "already has a style “Pine”"),
        ({"name": "Kite", "tool": "studio", "prompt": "A red kite"}, "word filter"),
    ],
)
async def test_what_can_not_be_a_style_is_refused_with_the_reason_and_edit_keeps_what_was_typed(
    desk: Desk, options: dict[str, str], reason: str
) -> None:
    await add_style(desk, name="pine", tool="virtual-staging", inputs="style=pine")
    await desk.forbid("red kite")
    refused = await add_style(desk, **options)
    assert reason in texts(refused).replace("pine", "Pine").replace("=Pine", "=pine")
    assert "Nothing was saved." in texts(refused)
    assert len(await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)) == 1
    form = fields(await press_in(desk.admin, refused, "Edit"))
    assert form["name"]["component"]["value"] == options["name"]
    tools = form["tool"]["component"]["options"]
    assert [one["value"] for one in tools if one.get("default")] == [options["tool"]]


@pytest.mark.promise
async def test_a_server_has_at_most_fifty_styles(desk: Desk) -> None:
    names = [f"{number:02} {'long ' * 9}" for number in range(MAX_STYLES)]
    await save_all(desk, desk.admin, names, for_server=True)
    full = await add_style(desk, name="More", tool="studio", prompt="x")
    assert "This server has 50 styles, the limit." in texts(full)
    shown = texts(await desk.admin.slash(desk.channel, "styles"))
    assert "50 styles of 50" in shown
    assert len(shown) < 4000
    offered = await desk.tom.autocomplete(desk.channel, "studio", "style", "", prompt="x")
    assert len(offered) == 25
    assert all(len(one["name"]) <= 100 for one in offered)


async def picture(desk: Desk, who: MemberActor, name: str, channel: ChannelHandle | None = None) -> list[str]:
    shown = await who.slash(channel or desk.channel, "styles", name=name)
    assert name in texts(shown)
    return [one["items"][0]["media"]["url"] for one in pieces(shown) if one["type"] == 12]


@pytest.mark.promise
async def test_an_admin_makes_a_members_result_a_style_that_shows_it_to_those_who_see_it(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    form = await press_more(desk.admin, result, "Save as style")
    assert list(fields(form)) == ["name", "prompt"]
    saved = await desk.admin.submit_modal(form, {"name": "Harbour", "prompt": "A harbour"})
    assert "this server's style" in texts(saved)
    assert await picture(desk, desk.tom, "Harbour") == [result.attachments[0].url]
    elsewhere = desk.guild.create_text_channel("elsewhere")
    hidden = Overwrite(desk.guild.id, OverwriteType.ROLE, deny=discord.Permissions(view_channel=True).value)
    desk.env.backend.edit_channel(desk.channel.id, {}, overwrites=[hidden])
    await desk.env.settle()
    assert await picture(desk, desk.tom, "Harbour", elsewhere) == []


@pytest.mark.promise
async def test_erasing_ones_data_removes_own_styles_and_the_name_and_picture_from_the_servers(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.admin, "studio", prompt="A harbour")
    await save(desk.admin, result, name="Mine", owner="mine")
    await save(desk.admin, result, name="Ours", owner="server")
    other = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A boat")
    await save(desk.maya, other, name="Mayas")
    await desk.forget(desk.admin)
    assert await styles_of(desk, desk.admin) == ["Ours"]
    (style,) = await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
    assert (style.made_by, style.job_id) == (None, None)
    assert await picture(desk, desk.tom, "Ours") == []
    assert await styles_of(desk, desk.maya) == ["Mayas", "Ours"]


@pytest.mark.promise
async def test_a_result_from_an_age_restricted_channel_shows_no_picture_and_is_no_servers_style(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    await save(desk.maya, result, name="Harbour")
    desk.restrict_by_age(desk.channel)
    assert await picture(desk, desk.maya, "Harbour") == []
    refused = await press_more(desk.admin, result, "Save as style")
    assert "age-restricted" in texts(refused)
