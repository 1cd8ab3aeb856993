"""Where the pictures of a message are, whatever it is made of."""

import io
from typing import Any
from urllib.parse import urlsplit

import discord
import pytest
from discord import ui
from simcord.backend.models.message import MessageSticker

from bot.ui.reading.pictures import pictures_in
from tests.reactions.taps import jobs_of, ready
from tests.support.desk import PNG, Desk, texts


async def sent_by_the_bot(desk: Desk, **parts: Any) -> discord.Message:
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    return await channel.send(**parts)


def without_attachments(message: discord.Message) -> discord.Message:
    """As the real Discord tells of files that components show."""
    message.attachments = []
    return message


def files(*names: str) -> list[discord.File]:
    return [discord.File(io.BytesIO(PNG + name.encode()), name) for name in names]


@pytest.mark.promise
async def test_pictures_in_galleries_thumbnails_and_files_are_found(desk: Desk) -> None:
    view = ui.LayoutView()
    gallery: ui.MediaGallery[Any] = ui.MediaGallery(discord.MediaGalleryItem("attachment://new.png"))
    small: ui.Thumbnail[Any] = ui.Thumbnail("attachment://small.png")
    thumbnail: ui.Section[Any] = ui.Section("A room", accessory=small)
    view.add_item(ui.Container(gallery, thumbnail))
    view.add_item(ui.File("attachment://plan.png"))
    sent = await sent_by_the_bot(desk, view=view, files=files("new.png", "small.png", "plan.png"))
    found = pictures_in(without_attachments(sent))
    assert [desk.env.backend.cdn.get(one.url) for one in found] == [
        PNG + name for name in (b"new.png", b"small.png", b"plan.png")
    ]


async def test_a_picture_that_is_there_in_two_ways_is_one(desk: Desk) -> None:
    view = ui.LayoutView()
    view.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://new.png")))
    sent = await sent_by_the_bot(desk, view=view, files=files("new.png"))
    assert len(sent.attachments) == 1
    assert [one.filename for one in pictures_in(sent)] == ["new.png"]


async def test_a_picture_from_elsewhere_comes_through_discords_proxy(desk: Desk) -> None:
    proxied = "https://images-ext-1.discordapp.net/external/x/https/example.org/cat.jpg"
    message = await sent_by_the_bot(desk, content="See")
    message.embeds = [
        discord.Embed.from_dict(
            {"type": "rich", "image": {"url": "https://example.org/cat.jpg", "proxy_url": proxied}}
        ),
        discord.Embed.from_dict(
            {
                "type": "image",
                "thumbnail": {"url": "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1"},
            }
        ),
        discord.Embed.from_dict({"type": "article", "thumbnail": {"url": "https://example.org/logo.png"}}),
    ]
    assert [(one.url, one.filename) for one in pictures_in(message)] == [
        (proxied, "cat.jpg"),
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", "a.png"),
    ]


@pytest.mark.promise
async def test_videos_and_other_files_are_no_pictures(desk: Desk) -> None:
    given = [("film.mp4", b"..."), ("notes.txt", b"..."), ("room.png", PNG)]
    message = await desk.maya.send(desk.channel, "", attachments=given)
    assert [one.filename for one in pictures_in(message)] == ["room.png"]


async def test_a_photo_whose_kind_discord_does_not_know_is_known_by_its_name(desk: Desk) -> None:
    message = await desk.maya.send(
        desk.channel, "", attachments=[("notes.bin", b"..."), ("IMG_0001.HEIC", b"...")]
    )
    for one in desk.env.backend.get_message(desk.channel.id, message.id).attachments:
        one["content_type"] = "application/octet-stream"
    await desk.tom.context_menu(desk.channel, "Photo restoration", message)
    job = await desk.job()
    assert job.source is not None
    assert job.source.filename == "IMG_0001.HEIC"


async def with_stickers(desk: Desk, *kinds: discord.StickerFormatType) -> discord.Message:
    message = await desk.maya.send(desk.channel, "Look")
    shown = desk.env.backend.get_message(desk.channel.id, message.id)
    for kind in kinds:
        made = desk.guild.create_sticker(f"my {kind.name}", format_type=kind.value)
        shown.stickers.append(MessageSticker(made.id, made.name, made.format_type, desk.guild.id))
    return message


@pytest.mark.promise
async def test_a_menu_takes_a_sticker_that_is_a_picture_and_a_tap_does_not(desk: Desk) -> None:
    await ready(desk)
    kinds = discord.StickerFormatType
    message = await with_stickers(desk, kinds.lottie, kinds.png, kinds.gif)
    await desk.tom.react(message, "🩹")
    shown = await desk.tom.context_menu(desk.channel, "Photo restoration", message)
    assert await jobs_of(desk) == []
    assert shown.modal is not None
    select, _ = (piece["component"] for piece in shown.modal["components"])
    labels = [one["label"] for one in select["options"]]
    assert labels == ["All 2 · about 16 credits", "1. my png.png", "2. my gif.gif"]
    await desk.tom.submit_modal(shown, {"image": ["1"]})
    job = await desk.job()
    assert job.source is not None
    assert urlsplit(job.source.url).hostname == "media.discordapp.net"
    assert (job.photo_author, job.source.message_id) == (desk.maya.id, message.id)
    drawn = await with_stickers(desk, kinds.lottie)
    answer = await desk.tom.context_menu(desk.channel, "Photo restoration", drawn)
    assert "That message has no picture" in texts(answer)
