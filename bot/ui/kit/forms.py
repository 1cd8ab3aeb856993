"""Forms, the photos that they and commands take, and files that are attached to messages."""

import asyncio
import io
from typing import Any

import discord
from discord import app_commands, ui
from discord.app_commands.translator import Translator

from bot.errors import Refused
from bot.languages import Worded
from bot.media.spool import OutputFile
from bot.ui.kit.answers import ALREADY_ACKNOWLEDGED, FORM_TOO_LATE, answering
from bot.ui.kit.layout import shortened

# https://discord.com/developers/docs/components/reference#modal
TITLE_LENGTH = 45  # characters of a form's title
FIELD_LABEL_LENGTH = 45
DESCRIPTION_LENGTH = 100


async def show_form(
    interaction: discord.Interaction[Any], custom_id: str, title: str, *fields: ui.Item[Any]
) -> None:
    """Answer with a form of that custom id, by which what is entered is found, also after a restart.

    Raises `Refused` if it is too late for one.
    """
    if await answering(interaction) is not None:
        raise Refused(FORM_TOO_LATE)
    form = ui.Modal(title=shortened(title, TITLE_LENGTH), custom_id=custom_id)
    for one in fields:
        form.add_item(one)
    form.stop()  # discord.py keeps nothing of it
    try:
        await interaction.response.send_modal(form)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:  # of a repetition, after the first was taken
            raise


def labelled(title: Worded, control: ui.Item[Any], about: Worded = "") -> ui.Label[Any]:
    """Return a form's field with its title and its description: as much of them as Discord takes."""
    text, description = shortened(str(title), FIELD_LABEL_LENGTH), shortened(str(about), DESCRIPTION_LENGTH)
    if isinstance(control, ui.ChannelSelect | ui.RoleSelect | ui.UserSelect):
        control.required = control.min_values > 0  # discord.py says that they can be left empty
    return ui.Label(text=text, description=description or None, component=control)


# https://discord.com/developers/docs/reference#uploading-files
DEFAULT_LIMIT = 10 * 1024 * 1024  # bytes that the bot can send, where the server's own limit is unknown
MESSAGE_MARGIN_BYTES = 64 * 1024  # for what stands around the files in a request

# discord.py 2.7 doesn't know the field `file_types`, so it is added to what discord.py sends. Discord only
# compares the end of a file's name; the bytes are checked when they have been fetched.
# https://docs.discord.com/developers/reference#file-type-filtering
# The group's own list may change; these are the photos that it has lacked.
PHOTO_TYPES = ("image", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".avif")


class PhotoUpload(ui.FileUpload[Any]):
    """A field of a form to which photos can be attached, and nothing else."""

    def to_component_dict(self) -> Any:
        return {**super().to_component_dict(), "file_types": list(PHOTO_TYPES)}


class PhotoCommand(app_commands.Command[Any, ..., None]):
    """A command whose attachments are photos."""

    async def get_translated_payload(
        self, tree: app_commands.CommandTree[Any], translator: Translator
    ) -> dict[str, Any]:
        payload = await super().get_translated_payload(tree, translator)
        for option in payload["options"]:
            if option["type"] == discord.AppCommandOptionType.attachment.value:
                option["file_types"] = list(PHOTO_TYPES)
        return payload


async def file_of(output: OutputFile, name: str) -> discord.File:
    """Return a file of the spool for a message, which the caller closes. Raises OSError as `open` does."""
    if output.data is not None:
        return discord.File(io.BytesIO(output.data), name)
    return await asyncio.to_thread(discord.File, output.path, name)
