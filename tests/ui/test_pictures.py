"""Where the pictures of a message are, whatever it is made of."""

import io
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot.ui.pictures import pictures_in
from tests.support.desk import PNG, Desk, open_desk


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


async def test_pictures_in_galleries_thumbnails_and_files_are_found(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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


async def test_a_picture_that_is_there_in_two_ways_is_one(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        view = ui.LayoutView()
        view.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://new.png")))
        sent = await sent_by_the_bot(desk, view=view, files=files("new.png"))
        assert len(sent.attachments) == 1
        assert [one.filename for one in pictures_in(sent)] == ["new.png"]


async def test_a_picture_from_elsewhere_comes_through_discords_proxy(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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
            discord.Embed.from_dict(
                {"type": "article", "thumbnail": {"url": "https://example.org/logo.png"}}
            ),
        ]
        assert [(one.url, one.filename) for one in pictures_in(message)] == [
            (proxied, "cat.jpg"),
            ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", "a.png"),
        ]


async def test_videos_and_other_files_are_no_pictures(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        given = [("film.mp4", b"..."), ("notes.txt", b"..."), ("room.png", PNG)]
        message = await desk.maya.send(desk.channel, "", attachments=given)
        assert [one.filename for one in pictures_in(message)] == ["room.png"]
