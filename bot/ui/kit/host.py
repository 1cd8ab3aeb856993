"""The client, as the handlers of interactions see it, its forms, and files that are attached."""

import asyncio
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, cast

import discord
from discord import app_commands, ui
from discord.app_commands.translator import Translator

from bot.aio.tasks import BoundedDict, InOrder, PlaceInOrder
from bot.catalog import Catalog
from bot.clock import Clock
from bot.errors import Refused
from bot.jobs.models import Progress
from bot.languages import ReaderLanguages, Worded, language_of, speak
from bot.media.spool import OutputFile
from bot.services import Services
from bot.ui.kit.answers import ALREADY_ACKNOWLEDGED, FORM_TOO_LATE, AnswerKeeper, answering, expect_answer
from bot.ui.kit.layout import shortened

# How the custom ids of lasting buttons begin: discord.py finds their code without us.
LASTING = "studii:"
# Longer than a double click or an impatient second tap, shorter than it takes to want the same again.
DOUBLE_CLICK_SECONDS = 3.0
MAX_REMEMBERED_CLICKS = 1000
MAX_OPEN_FORMS = 1000  # and lists
_PLACE = "place"  # the name in `Interaction.extras`


class Host(Protocol):
    """The client. Handlers use nothing else of it."""

    services: Services
    catalog: Catalog
    clock: Clock
    open_forms: BoundedDict[str, Callable[[Any], Awaitable[None]]]  # what follows, by custom id
    clicks: "Clicks"
    arrivals: InOrder  # by server, in which those came who may start a job

    @property
    def readers(self) -> ReaderLanguages: ...
    @property
    def answers(self) -> AnswerKeeper: ...
    @property
    def intents(self) -> discord.Intents: ...
    @property
    def user(self) -> discord.ClientUser | None: ...

    async def progress(self, job_id: str) -> Progress:
        """Return the estimates that the job's lane has of it."""
        ...


def host_of(interaction: discord.Interaction) -> Host:
    """Return the client that got the interaction."""
    return cast(Host, interaction.client)


def begin_to_handle(interaction: discord.Interaction) -> None:
    """Word what this task shows in the person's own language from now on, and note that they speak it.

    If the answer takes long, it is announced to the person meanwhile.
    """
    host, language = host_of(interaction), language_of(interaction.locale.value)
    speak(language)
    host.readers.heard(interaction.user.id, language)
    expect_answer(interaction, host.answers, host.clock)


@contextmanager
def in_order(interaction: discord.Interaction) -> Generator[None]:
    """Keep the interaction's place in its server's order of arrival, for the job that it may start within.

    To be entered before anything is waited for: handlers begin in the order in which Discord's events came.
    Without a job, the place is left at the end.
    """
    place = interaction.extras[_PLACE] = host_of(interaction).arrivals.arrive(interaction.guild_id)
    try:
        yield
    finally:
        place.leave()


async def in_turn(interaction: discord.Interaction) -> None:
    """Return when it is the interaction's turn to ask for a job. To be awaited right before it asks."""
    await cast(PlaceInOrder, interaction.extras[_PLACE]).turn()


class Clicks:
    """Remembers for a moment what people asked for, so that a double click counts once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = BoundedDict[Hashable, float](MAX_REMEMBERED_CLICKS)

    @asynccontextmanager
    async def once(self, request: Hashable) -> AsyncGenerator[bool]:
        """Yield whether this is the first such request. If the block raises, it doesn't count."""
        now = self._clock.monotonic()
        seen = self._seen.get(request)
        first = seen is None or now - seen >= DOUBLE_CLICK_SECONDS
        if first:
            self._seen[request] = now
        try:
            yield first
        except BaseException:
            if first:
                self._seen.pop(request, None)
            raise


def custom_ids(components: Iterable[Any]) -> Iterator[str | None]:
    """Yield the custom ids of all buttons and lists in a message's components."""
    for component in components:
        yield getattr(component, "custom_id", None)
        yield from custom_ids(getattr(component, "children", ()))
        accessory = getattr(component, "accessory", None)
        if accessory is not None:
            yield from custom_ids((accessory,))


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
