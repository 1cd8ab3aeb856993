"""What its poster hides behind a spoiler stays hidden: the photo, what is made of it, and what of that."""

import io
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import ui

from bot.ui.reading.pictures import pictures_in
from tests.reactions.taps import STAGING, post, ready
from tests.support.desk import PNG, Desk, pieces
from tests.support.posts import tell_end
from tests.ui.jobs.results.test_result_buttons import DONE, files, press, source_bytes
from tests.ui.reading.test_authors import finished

HIDDEN = ("SPOILER_room.png", PNG)


def hides(message: discord.Message) -> list[bool]:
    """Of each picture that is drawn, whether it is hidden."""
    (gallery,) = (piece for piece in pieces(message) if piece["type"] == 12)
    return [bool(item.get("spoiler")) for item in gallery["items"]]


async def before_and_after(desk: Desk, folder: Path) -> discord.Message:
    done: dict[str, Any] = {"finished_at": desk.clock.now(), "output_kind": "image"}
    job = await desk.move(await desk.job(), *DONE, **done)
    await tell_end(desk.delivery, job, files(folder))
    desk.clock.advance(60)
    return desk.channel.history()[-1]


@pytest.mark.promise
async def test_the_result_of_a_hidden_photo_hides_both_pictures(desk: Desk, tmp_path: Path) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, HIDDEN)
    await desk.tom.react(message, STAGING)
    assert hides(await before_and_after(desk, tmp_path)) == [True, True]


@pytest.mark.promise
async def test_what_is_made_of_a_hidden_result_is_hidden_too(desk: Desk, tmp_path: Path) -> None:
    await desk.maya.slash(desk.channel, "photo-restore", image=HIDDEN)
    shown = await before_and_after(desk, tmp_path)
    picker = await press(desk, desk.tom, shown, "Use in…")
    assert picker.response is not None
    form = await desk.tom.select(picker.response, ["product-background"])
    await desk.tom.submit_modal(form, {})
    assert hides(await finished(desk, tmp_path)) == [True]
    await press(desk, desk.tom, shown, "Run again")
    again = await desk.job()
    assert again.source is not None
    assert again.source.hidden
    assert source_bytes(desk, again) == PNG + b"room"  # the photo before, not the result


@pytest.mark.promise
@pytest.mark.parametrize("where", ["item", "box", "file", "thumbnail"])
async def test_what_another_message_hides_is_known(desk: Desk, where: str) -> None:
    gallery: ui.MediaGallery[Any] = ui.MediaGallery(
        discord.MediaGalleryItem("attachment://new.png", spoiler=where == "item")
    )
    small: ui.Thumbnail[Any] = ui.Thumbnail("attachment://new.png", spoiler=True)
    shown: dict[str, Any] = {
        "item": gallery,
        "box": ui.Container(gallery, spoiler=True),
        "file": ui.File("attachment://new.png", spoiler=True),
        "thumbnail": ui.Section("A room", accessory=small),
    }
    view = ui.LayoutView()
    view.add_item(shown[where])
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    sent = await channel.send(view=view, file=discord.File(io.BytesIO(PNG), "new.png"))
    sent.attachments = []
    assert [photo.hidden for photo in pictures_in(sent)] == [True]


@pytest.mark.parametrize(("content", "hidden"), [("Look: || {} ||", True), ("|| secret || {}", False)])
async def test_a_link_between_bars_is_hidden(desk: Desk, content: str, hidden: bool) -> None:
    link = "https://cdn.discordapp.com/attachments/1/2/a.png"
    message = await desk.maya.send(desk.channel, content.format(link))
    embed = {"type": "image", "url": link, "thumbnail": {"url": link}}
    message.embeds = [discord.Embed.from_dict(embed)]
    assert [photo.hidden for photo in pictures_in(message)] == [hidden]
