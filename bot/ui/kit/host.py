"""The client, as the handlers of interactions see it, and what it keeps for them."""

from collections.abc import AsyncGenerator, Generator, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, cast
from weakref import WeakValueDictionary

import discord
from discord import ui

from bot.aio.bounded import BoundedDict
from bot.aio.in_order import InOrder, PlaceInOrder
from bot.catalog import Catalog
from bot.clock import Clock
from bot.errors import Refused
from bot.jobs.models import Job, Progress
from bot.languages import ReaderLanguages, language_of, lazy, speak
from bot.services import Services
from bot.ui.kit.deferral import AnswerKeeper
from bot.ui.kit.first_answer import expect_answer
from bot.ui.kit.responses import tell

FORM_OUTDATED = lazy(
    "That was open for too long, or the bot has restarted since. Open it again. "
    "Nothing was changed or charged."
)
BUTTON_OUTDATED = lazy(
    "This is from an earlier version of the bot. Run the command again. Nothing was changed."
)
BUTTON_GONE = lazy("That button isn't in the message any more. Check the message again. Nothing was changed.")
# How the custom ids of lasting buttons begin: discord.py finds their code without us.
LASTING = "studii:"
# Longer than a double click or an impatient second tap, shorter than it takes to want the same again.
DOUBLE_CLICK_SECONDS = 3.0
MAX_REMEMBERED_CLICKS = 1000
_PLACE = "place"  # the name in `Interaction.extras`

_Open = ui.Modal | ui.LayoutView


class Host(Protocol):
    """The client. Handlers use nothing else of it."""

    services: Services
    catalog: Catalog
    clock: Clock
    open_forms: "OpenForms"
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

    def photo_used(self, message_id: int, job: Job) -> None:
        """Tell those who watch photos that a job has started from the photo in a member's message."""
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


class OpenForms:
    """The forms and lists that people have open, by custom id; no longer than discord.py itself keeps them.

    Discord also hands in what people choose in a form that nothing waits for any more, after a restart or a
    long time, and would show that it failed without a reason.
    """

    def __init__(self) -> None:
        self._open: WeakValueDictionary[str, _Open] = WeakValueDictionary()

    def add(self, custom_id: str, form: _Open) -> None:
        """Remember that the form was shown, or is about to be."""
        self._open[custom_id] = form

    async def answer_for(self, interaction: discord.Interaction) -> None:
        """Answer what people handed in, chose or pressed if nothing else will."""
        kinds = (discord.InteractionType.modal_submit, discord.InteractionType.component)
        custom_id = str((interaction.data or {}).get("custom_id", ""))
        if interaction.type not in kinds:
            return
        if custom_id.startswith(LASTING):
            begin_to_handle(interaction)
            message = interaction.message
            held = message is None or custom_id in custom_ids(message.components)
            await tell(interaction, Refused(BUTTON_OUTDATED if held else BUTTON_GONE))
            return
        form = self._open.get(custom_id)
        is_open = form is not None and not form.is_finished()
        if not is_open and not interaction.response.is_done():
            await tell(interaction, Refused(FORM_OUTDATED))


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
