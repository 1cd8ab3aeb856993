"""Styles that an emoji runs, and those that the list of tools for a photo offers."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.reactions.taps import ROOM, jobs_of, post, ready
from tests.support.desk import Desk, open_desk, pieces, texts
from tests.support.questions import has_tapped
from tests.support.settings import add_style, admin, remove_style


async def add(desk: Desk, **options: Any) -> None:
    await add_style(desk, **options)


async def map_style(desk: Desk, emoji: str, **options: str) -> str:
    return texts(await admin(desk, "reactions map", emoji=emoji, **options))


@pytest.mark.promise
async def test_an_emoji_runs_a_style_until_it_is_removed(tmp_path: Path) -> None:
    async with open_desk(tmp_path, tapped_before=False) as desk:
        await ready(desk)
        await add(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
        said = await map_style(desk, "🔥", style="Oak")
        assert "🔥 the style **“Oak”**: **Virtual staging** (style oak · room office)" in said
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
        assert "🔥" not in texts(await admin(desk, "reactions show"))


async def test_the_mapping_outlives_a_restart_and_the_styles_roles_apply(desk: Desk) -> None:
    await ready(desk)
    editors = desk.guild.create_role("Editors")
    rita = desk.guild.add_member(desk.env.create_user("rita"), roles=[editors])
    await desk.db.write(has_tapped, desk.guild.id, rita.id)
    await add(desk, name="Oak", tool="virtual-staging", inputs="style=oak", roles=[editors])
    await map_style(desk, "🔥", style="Oak")
    await desk.services.photo_rules.load()
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, "🔥")
    assert await jobs_of(desk) == []
    assert "That style is only for" in str([texts(one) for one in desk.tom.user.dm_channel.history()])
    await rita.react(message, "🔥")
    assert len(await jobs_of(desk)) == 1


async def test_a_style_that_no_longer_fits_starts_nothing_by_a_tap(desk: Desk) -> None:
    await ready(desk)
    await add(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
    await map_style(desk, "🔥", style="Oak")
    older = text("""UPDATE styles SET inputs = '{"style": "oak", "shape": "1:1"}'""")  # a catalogue's
    await desk.services.db.write(lambda session: session.execute(older))
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, "🔥")
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_the_list_of_tools_for_a_photo_offers_styles_too(desk: Desk) -> None:
    await ready(desk)
    await add(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
    message = await post(desk, desk.maya, ROOM)
    listed = await desk.maya.context_menu(desk.channel, "Studii…", message)
    (select,) = (piece for piece in pieces(listed) if piece["type"] == 3)
    option = select["options"][-1]
    assert (option["label"], option["description"]) == ("Oak", "about 8 credits · Virtual staging")
    assert listed.response is not None
    form = await desk.maya.select(listed.response, [option["value"]])
    modal: Any = form.modal
    assert modal["title"].startswith("Oak")
    await desk.maya.submit_modal(form, {"style": "oak", "room": "office"})
    assert (await desk.job()).inputs == {"style": "oak", "room": "office"}
