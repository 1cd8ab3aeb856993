"""Where the pictures of a message are, whatever it is made of."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import discord
import pytest
from discord import ui
from simcord.backend.models.message import MessageSticker

from bot.ui.reading.pictures import pictures_in
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, answer_of, open_desk, pieces, texts
from tests.support.settings import admin
from tests.ui.jobs.results import press_on, source_bytes, succeeded


@pytest.mark.promise
async def test_pictures_in_galleries_thumbnails_and_files_are_found(desk: Desk) -> None:
    view = ui.LayoutView()
    gallery: ui.MediaGallery[Any] = ui.MediaGallery(discord.MediaGalleryItem("attachment://new.png"))
    small: ui.Thumbnail[Any] = ui.Thumbnail("attachment://small.png")
    thumbnail: ui.Section[Any] = ui.Section("A room", accessory=small)
    view.add_item(ui.Container(gallery, thumbnail))
    view.add_item(ui.File("attachment://plan.png"))
    names = ("new.png", "small.png", "plan.png")
    files = [discord.File(io.BytesIO(PNG + name.encode()), name) for name in names]
    sent = await desk.text_channel().send(view=view, files=files)
    sent.attachments = []  # as the real Discord tells of files that components show
    assert [desk.env.backend.cdn.get(one.url) for one in pictures_in(sent)] == [
        PNG + name.encode() for name in names
    ]


async def test_a_picture_from_elsewhere_comes_through_discords_proxy(desk: Desk) -> None:
    proxied = "https://images-ext-1.discordapp.net/external/x/https/example.org/cat.jpg"
    message = await desk.text_channel().send(content="See")
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
    photo = await desk.photo()
    assert urlsplit(photo.url).hostname == "media.discordapp.net"
    assert ((await desk.job()).photo_author, photo.message_id) == (desk.maya.id, message.id)
    drawn = await with_stickers(desk, kinds.lottie)
    answer = await desk.tom.context_menu(desk.channel, "Photo restoration", drawn)
    assert "That message has no picture" in texts(answer)


# Menus and taps find a photo wherever it stands, and say what is none

IN_THREADS = BOT_PERMISSIONS | discord.Permissions(
    create_public_threads=True, send_messages_in_threads=True, manage_threads=True
)


@pytest.mark.promise
async def test_the_picture_of_an_embed_that_another_bot_posted_can_be_used(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=discord.Permissions.all()) as desk:
        await desk.set_key()
        webhook = await desk.text_channel().create_webhook(name="Pictures of the day")
        embed = discord.Embed(title="Of the day").set_image(url="https://pictures.example/garden.png")
        message = await webhook.send(embed=embed, wait=True)
        await desk.maya.context_menu(desk.channel, "Photo restoration", message)
        assert (await desk.photo()).filename == "garden.png"


@pytest.mark.promise
async def test_a_result_in_a_photo_channel_starts_nothing_by_itself(desk: Desk, tmp_path: Path) -> None:
    await admin(desk, "photos auto", tool="photo-restore")
    await post(desk, desk.maya, ROOM)
    await succeeded(desk, tmp_path)
    await desk.env.settle()
    assert len(await jobs_of(desk)) == 1
    assert all(not one.reactions for one in desk.channel.history())


@pytest.mark.promise
async def test_a_photo_channel_serves_its_threads_and_a_forum_its_posts(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=IN_THREADS) as desk:
        await desk.set_key()
        await admin(desk, "photos auto", tool="photo-restore")
        thread = await desk.thread()
        await post(desk, desk.maya, ROOM, channel=thread)
        forum = desk.guild.create_forum_channel("rooms")
        await desk.env.settle()
        await admin(desk, "reactions on", channel=forum)
        known = desk.bot.get_channel(forum.id)
        assert isinstance(known, discord.ForumChannel)
        await known.create_thread(name="The hall", content="Look at this")
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=forum.threads[0]), STAGING)
        started = [(job.channel_id, job.user_id) for job in await jobs_of(desk)]
        assert started == [(thread.id, desk.maya.id), (forum.threads[0].id, desk.tom.id)]


# What its poster hides behind a spoiler stays hidden: the photo, what is made of it, and what of that


def hides(message: discord.Message) -> list[bool]:
    """Of each picture that is drawn, whether it is hidden."""
    (gallery,) = (piece for piece in pieces(message) if piece["type"] == 12)
    return [bool(item.get("spoiler")) for item in gallery["items"]]


@pytest.mark.promise
async def test_the_result_of_a_hidden_photo_hides_both_pictures_and_so_does_what_is_made_of_it(
    desk: Desk, tmp_path: Path
) -> None:
    await ready(desk)
    await desk.tom.react(await post(desk, desk.maya, ("SPOILER_room.png", PNG)), STAGING)
    shown = await succeeded(desk, tmp_path, before=True)
    assert hides(shown) == [True, True]
    picker = await press_on(desk, desk.tom, shown, "Use in…")
    form = await desk.tom.select(answer_of(picker), ["product-background"])
    await desk.tom.submit_modal(form, {})
    assert hides(await succeeded(desk, tmp_path)) == [True]
    await press_on(desk, desk.tom, shown, "Run again")
    assert (await desk.photo()).hidden
    assert source_bytes(desk, await desk.job()) == PNG + b"room"  # the photo before, not the result


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
    sent = await desk.text_channel().send(view=view, file=discord.File(io.BytesIO(PNG), "new.png"))
    sent.attachments = []
    assert [photo.hidden for photo in pictures_in(sent)] == [True]


@pytest.mark.parametrize(("content", "hidden"), [("Look: || {} ||", True), ("|| secret || {}", False)])
async def test_a_link_between_bars_is_hidden(desk: Desk, content: str, hidden: bool) -> None:
    link = "https://cdn.discordapp.com/attachments/1/2/a.png"
    message = await desk.maya.send(desk.channel, content.format(link))
    embed = {"type": "image", "url": link, "thumbnail": {"url": link}}
    message.embeds = [discord.Embed.from_dict(embed)]
    assert [photo.hidden for photo in pictures_in(message)] == [hidden]
