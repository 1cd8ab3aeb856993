"""Deletes a result: its message, or one picture of a message that shows several of a set."""

from typing import Any

import discord
from discord import ui

from bot.db import Database
from bot.errors import Refused
from bot.jobs.actions import number_in_set
from bot.jobs.models import Job
from bot.languages import Worded
from bot.ui.jobs.results.gallery import caption_of, file_name_of, is_caption


class PictureGone(Exception):
    """The message doesn't show the picture (any more)."""


async def delete_posted(
    interaction: discord.Interaction,
    db: Database,
    where: tuple[int, int] | None,
    job: Job | None,
    *,
    gone: Worded,
    out_of_reach: Worded,
) -> None:
    """Delete the message with that channel and id, or (None) the job's picture from its set's message.

    Raises `Refused` with `gone`, or `out_of_reach` where the bot lacks a permission.
    """
    client = interaction.client
    try:
        if where is not None:
            channel_id, message_id = where
            channel = client.get_partial_messageable(channel_id, guild_id=interaction.guild_id)
            await channel.get_partial_message(message_id).delete()
        elif job is not None:
            await remove_picture(client, job, await db.read(number_in_set, job.id))
    except (discord.NotFound, PictureGone):
        raise Refused(gone) from None
    except discord.Forbidden:
        raise Refused(out_of_reach) from None


class _Kept:
    """A file that a message keeps when it is edited, as discord.py takes it."""

    def __init__(self, attachment_id: int) -> None:
        self._id = attachment_id

    def to_dict(self) -> dict[str, Any]:
        return {"id": self._id}


async def remove_picture(client: discord.Client, job: Job, number: int) -> None:
    """Remove the job's picture, the one with that number in its set, and its files from their message.

    A message that shows no other is deleted. Raises `PictureGone`, and what Discord's calls raise.
    """
    if job.result_message_id is None:
        raise PictureGone
    channel_id = job.result_channel_id or job.channel_id
    channel = client.get_partial_messageable(channel_id, guild_id=job.guild_id)
    for last in (False, True):
        try:
            await _remove(await channel.fetch_message(job.result_message_id), job, number)
        except discord.NotFound:
            raise PictureGone from None
        except discord.HTTPException as error:
            # Somebody else may have removed another one meanwhile, whose files are gone.
            if error.status != 400 or last:
                raise
        else:
            return


async def _remove(message: discord.Message, job: Job, number: int) -> None:
    view = ui.LayoutView.from_message(message, timeout=None)
    view.stop()  # discord.py keeps nothing of it
    children = list(view.children)
    at = next((place for place, one in enumerate(children) if _says(one, caption_of(number))), None)
    if at is None:
        raise PictureGone
    following = children[at + 1 : at + 2]
    for one in [children[at], *(one for one in following if isinstance(one, ui.MediaGallery))]:
        view.remove_item(one)
    if not any(isinstance(one, ui.TextDisplay) and is_caption(one.content) for one in view.children):
        await message.delete()
        return
    _drop_option(view, job)
    await message.edit(view=view, attachments=_files_of(view, message))


def _says(item: ui.Item[Any], beginning: str) -> bool:
    return isinstance(item, ui.TextDisplay) and item.content.startswith(beginning)


def _drop_option(view: ui.LayoutView, job: Job) -> None:
    for one in view.walk_children():
        if isinstance(one, ui.Select) and one.custom_id.startswith("studii:set:pick:"):
            one.options = [option for option in one.options if option.value != job.id]


def _files_of(view: ui.LayoutView, message: discord.Message) -> list[Any]:
    """Return the files that the view shows, which the message keeps, and name them in the view."""
    by_name = {one.filename: one.id for one in message.attachments}
    kept: list[Any] = []
    for one in view.children:
        if not isinstance(one, ui.MediaGallery):
            continue
        for item in one.items:
            name = file_name_of(item.media.url)
            attachment_id = item.media.attachment_id or by_name.get(name)
            if attachment_id is not None:
                kept.append(_Kept(attachment_id))
                item.media = discord.UnfurledMediaItem(f"attachment://{name}")
    return kept
