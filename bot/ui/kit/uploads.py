"""Files that the bot sends, and photos that people attach to a command or a form.

Their apps offer them no other files.

discord.py 2.7 does not know the field `file_types`, so it is added to what discord.py sends. Discord compares
the end of a file's name alone; the bytes are checked when they have been fetched.

https://docs.discord.com/developers/reference#file-type-filtering
"""

import asyncio
import io
from collections.abc import Iterable
from typing import Any

import discord
from discord import app_commands, ui
from discord.app_commands.translator import Translator

from bot.media.spool import OutputFile

# https://discord.com/developers/docs/reference#uploading-files
DEFAULT_LIMIT = 10 * 1024 * 1024  # bytes that the bot can send, where the server's own limit is unknown
MESSAGE_MARGIN_BYTES = 64 * 1024  # for what stands around the files in a request

# The group's own list may change; these are the photos that it has lacked.
PHOTO_TYPES = ("image", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".avif")


class PhotoUpload(ui.FileUpload[Any]):
    """A field of a form to which photos can be attached, and nothing else."""

    def to_component_dict(self) -> Any:
        return {**super().to_component_dict(), "file_types": list(PHOTO_TYPES)}


class PhotoCommand(app_commands.Command[Any, ..., None]):
    """A command whose attachments are photos."""

    def to_dict(self, tree: app_commands.CommandTree[Any]) -> dict[str, Any]:
        payload = super().to_dict(tree)
        _only_photos(payload["options"])
        return payload

    async def get_translated_payload(
        self, tree: app_commands.CommandTree[Any], translator: Translator
    ) -> dict[str, Any]:
        payload = await super().get_translated_payload(tree, translator)
        _only_photos(payload["options"])
        return payload


def _only_photos(options: Iterable[dict[str, Any]]) -> None:
    for option in options:
        if option["type"] == discord.AppCommandOptionType.attachment.value:
            option["file_types"] = list(PHOTO_TYPES)


async def file_of(output: OutputFile, name: str) -> discord.File:
    """Return a file of the spool for a message, which the caller closes. Raises OSError as `open` does."""
    if output.data is not None:
        return discord.File(io.BytesIO(output.data), name)
    return await asyncio.to_thread(discord.File, output.path, name)
