"""The client as handlers of interactions see it, answers in time and late ones, and the words for errors.

Discord waits for the first answer for three seconds. One that takes longer is announced, and that is kept for
after a kill.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar, cast

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.aio.net import NO_CONNECTION
from bot.aio.tasks import InOrder, PlaceInOrder, shielded
from bot.catalog import Catalog
from bot.clock import Clock
from bot.cluster import arrived_at
from bot.errors import CreditsShort, CreditsWanted, NotAllowed, Refused, StudiiBotError
from bot.jobs.models import Job, Progress
from bot.languages import (
    Language,
    Message,
    ReaderLanguages,
    gettext as _,
    known_language,
    lazy,
    pgettext,
    speak,
)
from bot.resources import Resources
from bot.ui.kit.layout import BAD, Panel, boxed, row, sentence
from bot.ui.kit.reasons import error_words

_log = logging.getLogger(__name__)

DISCORD_ERRORS = (discord.DiscordException, *NO_CONNECTION)
NO_ACCESS = (discord.Forbidden, discord.NotFound)  # it is gone, or not for the bot


@contextmanager
def tolerated(what: str, *values: object) -> Generator[None]:
    """Go on after an error of Discord's in the block. It is logged as `what`, in the style of a log call."""
    try:
        yield
    except DISCORD_ERRORS as error:
        _log.info(f"{what}: %r", *values, error)


@contextmanager
def refused_as(unreachable: Message, *, gone: Message | None = None) -> Generator[None]:
    """Raise `Refused` in place of an error of Discord's in the block; with `gone` if that is `NO_ACCESS`."""
    try:
        yield
    except DISCORD_ERRORS as error:
        lost = gone is not None and isinstance(error, NO_ACCESS)
        raise Refused(gone if lost else unreachable) from error


LOOK_WITHIN = 10.0  # seconds, for the question whether a deferral was taken


class AnswerKeeper(Protocol):
    """Keeps interactions whose answers are late, or show how jobs are going. No method raises."""

    async def defer(self, interaction: discord.Interaction) -> None:
        """Keep the interaction, whose deferral is sent next: if no one answers it, the next start does."""

    async def answered(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered."""

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered later: its handler could not."""

    async def show(self, interaction: discord.Interaction, subject: str, panel: Panel | None = None) -> None:
        """Let the interaction's answer, which is the panel, show the job or the set of that id as long as
        Discord allows it."""

    def look_again(self) -> None:
        """Let what was left unanswered in servers that are served from now on be answered, too."""

    async def replace(self, job: Job, **content: Any) -> discord.WebhookMessage | None:
        """Show something else than progress in the job's answer. Return None if Discord refuses that."""

    async def run(self) -> None:
        """Edit and give answers until cancelled."""


_T = TypeVar("_T")
_K = TypeVar("_K")
_V = TypeVar("_V")
ANSWER_BY = 1.5  # seconds from the arrival; Discord gives up after 3
FORM_BY = 2.0  # the same for a form or suggestions, which can't be announced: they have to come first
FORM_TOO_LATE = lazy(
    "The bot took too long to read what that form shows, so it wasn't opened. Try again in a moment. Nothing "
    "was changed or charged."
)
# The names in `Interaction.extras`.
_WAIT = "wait"
_PLACE = "place"
# Longer than a double click or an impatient second tap, shorter than it takes to want the same again.
DOUBLE_CLICK_SECONDS = 3.0
MAX_OPEN_FORMS = 1000  # and lists


class BoundedDict(dict[_K, _V]):
    """Keeps the `limit` entries that were set last. Setting a key again makes it the newest.

    Only `d[key] = value` observes the limit.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: _K, value: _V) -> None:
        self.pop(key, None)
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]


class Clicks:
    """Remembers for a moment what people asked for, so that a double click counts once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        once = commands.Cooldown(1, DOUBLE_CLICK_SECONDS)
        self._seen = commands.CooldownMapping[Hashable](once, lambda request: request)

    @asynccontextmanager
    async def once(self, request: Hashable) -> AsyncGenerator[bool]:
        """Yield whether this is the first such request. If the block raises, it doesn't count."""
        now = self._clock.monotonic()
        first = self._seen.update_rate_limit(request, now) is None
        try:
            yield first
        except BaseException:
            if first and (one := self._seen.get_bucket(request, now)):
                one.reset()
            raise


class Host(Protocol):
    """The client. Handlers use nothing else of it."""

    resources: Resources
    catalog: Catalog
    clock: Clock
    open_forms: BoundedDict[str, Callable[[Any], Awaitable[None]]]  # what follows, by custom id
    clicks: "Clicks"
    arrivals: InOrder  # by server, in which those came who may start a job
    came: BoundedDict[int, float]  # interactions by id, and when they did: from then on Discord waits
    answers: AnswerKeeper
    progress: Callable[[str], Awaitable[Progress]]

    @property
    def readers(self) -> ReaderLanguages: ...


def host_of(interaction: discord.Interaction) -> Host:
    """Return the client that got the interaction."""
    return cast(Host, interaction.client)


class Wait:
    """An interaction's wait for its first answer. One that takes long is announced, to its person alone.

    No form can follow that, so nothing is announced while what one needs is read (`read_before_form`). If
    Discord has given up waiting, the handler is cancelled: the person would ask again, and pay twice.
    """

    def __init__(self, interaction: discord.Interaction, host: Host) -> None:
        self._interaction, self._answers, self._clock = interaction, host.answers, host.clock
        self._came = host.came[interaction.id]
        self._handler = asyncio.current_task()
        self._answered = self._over = False
        self._timer: asyncio.Handle | None = None
        self._announcing: asyncio.Task[bool] | None = None

    def begin(self) -> None:
        """Begin to wait for the first answer, or go on."""
        if not self._over:
            self._timer = _later(self.left(ANSWER_BY), self._announce)

    def pause(self) -> None:
        """Announce nothing for now."""
        if self._timer is not None:
            self._timer.cancel()

    def left(self, until: float) -> float:
        """Return how many seconds are left of those after the arrival."""
        return max(0.0, until - self._clock.monotonic() + self._came)

    async def announce(self) -> None:
        """Tell the person alone now that the answer will come, if nothing was announced yet."""
        self.pause()
        if self._announcing is None:
            self._announce()
        await self._announced()

    async def end(self) -> bool:
        """Announce nothing any more. Return whether the person was told that the answer will come."""
        self._over = self._answered = True
        self.pause()
        return await self._announced()

    async def show(self, panel: ui.LayoutView, files: Sequence[discord.File] = ()) -> int:
        """Show what the announced answer is. Return the message's id. Raises an error of Discord's."""
        try:
            shown = await self._interaction.edit_original_response(view=panel, attachments=files)
        except discord.NotFound:
            await self._answers.answered(self._interaction)  # it can't be any more
            raise
        await self._answers.answered(self._interaction)
        return shown.id

    async def _announced(self) -> bool:
        # An answer comes after the announcement.
        return self._announcing is not None and await shielded(self._announcing)

    def _announce(self) -> None:
        if not self._interaction.response.is_done():
            self._over = True
            self._announcing = asyncio.create_task(self._defer(), name="deferring an answer")

    async def _defer(self) -> bool:
        """Tell Discord that the answer will come. Return whether it took that, or may have."""
        await self._answers.defer(self._interaction)
        try:
            await self._interaction.response.defer(ephemeral=True, thinking=True)
        except DISCORD_ERRORS as error:
            _log.info("An answer that takes long could not be announced: %r", error)
        else:
            return True
        try:
            # The answer to a deferral can be lost after Discord took it; discord.py's repetition of it is
            # refused then.
            async with asyncio.timeout(LOOK_WITHIN):
                await self._interaction.original_response()
        except discord.NotFound:
            await self._answers.answered(self._interaction)  # there is nothing to answer
            if not self._answered and self._handler is not None:
                _log.info("Interaction %d is given up: it came too late.", self._interaction.id)
                self._handler.cancel()
            return False
        except DISCORD_ERRORS as error:
            _log.info("Unknown whether a late answer was announced: %r", error)
        return True


def begin_to_handle(interaction: discord.Interaction) -> None:
    """Word what this task shows in the person's own language from now on, and note that they speak it.

    If the answer takes long, it is announced to the person meanwhile. Who answers calls `answering` first.
    """
    host = host_of(interaction)
    language = known_language(interaction.locale.value) or Language.ENGLISH
    speak(language)
    host.readers.heard[interaction.user.id] = language
    arrived_at.set(host.came[interaction.id])
    wait = interaction.extras[_WAIT] = Wait(interaction, host)
    if interaction.type is not discord.InteractionType.autocomplete:  # which takes suggestions alone
        wait.begin()


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


async def defer_answer(interaction: discord.Interaction) -> None:
    """Say at once that the answer will come, for the person alone: finding or sending it takes long.

    `answer` gives it.
    """
    await _wait_of(interaction).announce()


async def answering(interaction: discord.Interaction) -> Wait | None:
    """Return what shows the answer, if the person was told that it takes longer.

    To be called before the first answer, which can be of several kinds. Nothing is announced from then on.
    """
    wait: Wait | None = interaction.extras.get(_WAIT)
    return wait if wait is not None and await wait.end() else None


async def read_before_form(interaction: discord.Interaction, reading: Awaitable[_T]) -> _T:
    """Return what is read before a form, or to find out whether there is one. A form can't come late.

    Raises `Refused` if it isn't there by the time that Discord has to get the form.
    """
    wait = _wait_of(interaction)
    wait.pause()
    try:
        return await _in_time(reading, wait.left(FORM_BY))
    except TimeoutError as error:
        raise Refused(FORM_TOO_LATE) from error
    finally:
        wait.begin()


async def read_for_suggestions(
    interaction: discord.Interaction, reading: Awaitable[Sequence[_T]]
) -> Sequence[_T]:
    """Return what is suggested while a person types; nothing if that takes too long for Discord."""
    try:
        return await _in_time(reading, _wait_of(interaction).left(FORM_BY))
    except TimeoutError:
        return ()


async def _in_time(reading: Awaitable[_T], seconds: float) -> _T:
    """Return what is read. Raises TimeoutError in time also where a statement of the database hangs, which
    can't be given up."""
    task = asyncio.ensure_future(reading)
    try:
        async with _within(seconds):
            return await asyncio.shield(task)
    finally:
        task.cancel()


def _wait_of(interaction: discord.Interaction) -> Wait:
    return cast(Wait, interaction.extras[_WAIT])


def _later(seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_later(seconds, call)


def _within(seconds: float) -> asyncio.Timeout:
    return asyncio.timeout(seconds)


# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
ALREADY_ACKNOWLEDGED = 40060
# With an unknown interaction, an unknown webhook, and a webhook's invalid token.
_EXPIRED = {ALREADY_ACKNOWLEDGED, 10062, 10015, 50027}
NO_MENTIONS = discord.AllowedMentions.none()
MAX_REFUSAL_CHARACTERS = 1500  # of a reason


async def tell(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the person alone what went wrong. Log what is no business of theirs.

    This is where every error of a command, button or form ends: the tree of commands and the bases in
    `bot.ui.kit` call it. Other code catches one only to show more than its sentence, such as a form with what
    was typed (`show_refused`).
    """
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.HTTPException) and expired(cause):
        _log.info("An interaction of user %d came too late to be answered.", interaction.user.id)
        return
    panel = boxed(BAD, words_for(interaction, cause))
    if buttons := ask_buttons(cause):
        panel.add_item(row(*buttons))
    await answer_if_possible(interaction, panel)


def ask_buttons(error: BaseException) -> list[ui.Button[Any]]:
    """Return the button that asks an admin for more credits, if that would help."""
    wanted = error.wanted if isinstance(error, CreditsShort) else None
    return [] if wanted is None else [ask_button(wanted)]


def ask_button(wanted: CreditsWanted) -> ui.Button[Any]:
    """Return the look of `ask_admin` in `bot.ui.admin.credits`, which reads the custom id."""
    channel = "" if wanted.channel_id is None else f":{wanted.channel_id}"
    custom_id = f"studii:ask:{wanted.guild_id}:{wanted.tool}:{wanted.price}{channel}"
    return ui.Button(
        label=pgettext("button", "Ask an admin"), style=discord.ButtonStyle.primary, custom_id=custom_id
    )


async def answer_if_possible(interaction: discord.Interaction, panel: ui.LayoutView) -> None:
    """Answer like `answer`, but log an error of Discord or of the network.

    Who was told that an answer will come then gets one later.
    """
    announced = await answering(interaction)
    with tolerated("User %d could not be told about a problem", interaction.user.id):
        try:
            await answer(interaction, panel)
        except DISCORD_ERRORS:
            if announced is not None:
                host_of(interaction).answers.give_up(interaction)
            raise


async def answer(
    interaction: discord.Interaction, panel: ui.LayoutView, files: Sequence[discord.File] = ()
) -> int | None:
    """Show the panel to the person alone, whether or not the interaction was answered before.

    Return the message's id, if Discord says it.
    Files that can take long to send are for an answer that was deferred (`defer_answer`).
    """
    response = interaction.response
    if (announced := await answering(interaction)) is not None:
        return await announced.show(panel, files)
    if not response.is_done():
        return (await response.send_message(view=panel, ephemeral=True, files=files)).message_id
    if response.type is discord.InteractionResponseType.deferred_channel_message:
        return (await interaction.edit_original_response(view=panel, attachments=files)).id
    return (await interaction.followup.send(view=panel, ephemeral=True, wait=True, files=files)).id


async def answer_in_place(
    interaction: discord.Interaction, panel: ui.LayoutView, files: Sequence[discord.File] = ()
) -> None:
    """Show the panel, with these files alone, in place of the message whose button was pressed.

    If the person was told that an answer will come, or handed in a form of a command, it is a message of its
    own, for them alone.
    """
    if await answering(interaction) is not None or interaction.message is None:
        await answer(interaction, panel, files)
    elif interaction.response.is_done():
        await interaction.edit_original_response(view=panel, attachments=files)
    else:
        await interaction.response.edit_message(view=panel, attachments=files)


async def acknowledge(interaction: discord.Interaction) -> None:
    """Tell Discord that a press is being handled, which shows nothing. To be awaited before anything is read.

    The interaction's original response is then the message whose button it was.
    """
    await answering(interaction)
    await interaction.response.defer()


def expired(error: discord.HTTPException) -> bool:
    """Return whether the interaction can't be answered any more: too late, or answered already."""
    return error.code in _EXPIRED


def words_for(interaction: discord.Interaction, error: BaseException) -> str:
    """Return the words for an error. Log the details that a person has no use for."""
    if isinstance(error, StudiiBotError):
        return refusal_words(error)
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        _log.info("An outdated command was used: %s", error)
        return str(
            lazy(
                "This command has changed. Reload Discord (Ctrl+R, or close and open the app) and try again."
            )
        )
    reference = secrets.token_hex(3)
    what = interaction.command.qualified_name if interaction.command else interaction.type.name
    # The job whose button was pressed or whose form was sent is in the custom id.
    job = re.search(r"\b[0-9a-f]{16}\b", str((interaction.data or {}).get("custom_id", "")))
    about = {"job": job and job[0]}
    _log.error("Something went wrong in %s (reference %s)", what, reference, exc_info=error, extra=about)
    return _(
        "Something went wrong in the bot (reference `{reference}`). Nothing was charged unless `/jobs` says "
        "so. Try again. If it happens again, give the reference to the bot's operator.",
        reference=reference,
    )


def refusal_words(refusal: StudiiBotError) -> str:
    """Return the refusal's sentence; a server's own rules name roles and channels, and quote no one."""
    if isinstance(refusal, NotAllowed):
        return str(refusal)
    return sentence(error_words(refusal), MAX_REFUSAL_CHARACTERS)


def may_be_shown(error: Exception) -> bool:
    """Return whether Discord may have taken the answer that it seems to have refused.

    discord.py repeats an answer after a 5xx; the second one is refused because the first was taken.
    """
    if not isinstance(error, discord.HTTPException):
        return True
    return error.status >= 500 or error.code == ALREADY_ACKNOWLEDGED
