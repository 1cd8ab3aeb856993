"""Answers that take longer than Discord waits: it gets a deferral first."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast

import discord
from discord import ui

from bot.aio.shield import shielded
from bot.catalog import Catalog
from bot.clock import Clock
from bot.errors import Refused
from bot.languages import ReaderLanguages, lazy
from bot.services import JobService
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import BAD, boxed

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

ANSWER_BY = 1.5  # seconds from the arrival; Discord gives up after 3
FORM_BY = 2.0  # the same for a form or suggestions, which can't be announced: they have to come first
FORM_TOO_LATE = lazy(
    "The bot took too long to read what that form shows, so it wasn't opened. Try again in a moment. Nothing "
    "was changed or charged."
)
START_WITHDRAWN = lazy("This didn't start. Only the person who asked can see why.")
LOOK_WITHIN = 10.0  # seconds, for the question whether a deferral was taken
# The names in `Interaction.extras`.
_WAIT = "wait"
_ARRIVED = "arrived"


class LateAnswer(StrEnum):
    """The text of a deferred interaction's answer; after a kill it says what the person is asked to do."""

    CARD = "card"  # of the job that it starts
    CHANGE = "change"  # that it has made: of a setting, or of what is posted
    VIEW = "view"  # of what is


class Deferrals(Protocol):
    """Keeps deferred interactions, so that the next start answers those that were left unanswered."""

    async def remember(
        self,
        interaction: discord.Interaction,
        *,
        private: bool,
        answer: LateAnswer,
        message_id: int | None = None,
    ) -> None:
        """Keep the interaction: its deferral is sent next, or is that message. Must not raise."""
        ...

    async def forget(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered. Must not raise."""
        ...

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered by `finish`: its handler could not. Must not raise."""
        ...

    def when_given_up(self, call: Callable[[], None]) -> None:
        """Call `call` whenever a handler has given up."""
        ...

    async def finish(
        self, client: discord.Client, jobs: JobService, catalog: Catalog, readers: ReaderLanguages
    ) -> None:
        """Answer what handlers gave up, and what an earlier life of the process left unanswered."""
        ...


class Deferral:
    """An interaction whose answer is late.

    `private`: only the person sees that it will come.
    """

    def __init__(
        self, interaction: discord.Interaction, kept: Deferrals, *, private: bool, answer: LateAnswer
    ) -> None:
        self.private = private
        self.taken = False  # Discord has told the person that the answer will come, or may have
        self._message: Any = "@original"  # what names it at Discord
        self._answer = answer
        self._interaction = interaction
        self._kept = kept

    async def send(self) -> None:
        """Tell Discord that the answer will come."""
        await self._kept.remember(self._interaction, private=self.private, answer=self._answer)
        message_id = None
        try:
            sent = await self._interaction.response.defer(ephemeral=self.private, thinking=True)
            message_id = None if sent is None else sent.message_id
        except DISCORD_ERRORS as error:
            _log.info("An answer that takes long could not be announced: %r", error)
            try:
                message_id = await self._taken_all_the_same()
            except discord.NotFound:
                await self._kept.forget(self._interaction)  # there is nothing to answer
                return
        self.taken = True
        if message_id is not None:
            self._message = message_id
            await self._kept.remember(
                self._interaction, private=self.private, answer=self._answer, message_id=message_id
            )

    async def _taken_all_the_same(self) -> int | None:
        """Return the id of the message that says that an answer will come. None if Discord does not say.

        The answer to a deferral can be lost after Discord took it; discord.py's repetition of it is refused
        then. Raises `discord.NotFound` if there is no such message.
        """
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                return (await self._interaction.original_response()).id
        except discord.NotFound:
            raise
        except DISCORD_ERRORS as error:
            _log.info("Unknown whether a late answer was announced: %r", error)
            return None

    async def answered(self) -> None:
        """Note that the answer was given."""
        await self._kept.forget(self._interaction)

    def give_up(self) -> None:
        """Let the answer be given later: Discord doesn't take it now."""
        self._kept.give_up(self._interaction)

    async def show_alone(self, panel: ui.LayoutView, files: Sequence[discord.File] = ()) -> int:
        """Show the person alone what the answer is, also where all would have seen it.

        Return the message's id. Raises an error of Discord's. Only a private deferral takes files.
        """
        try:
            if self.private:
                shown = await self._interaction.edit_original_response(view=panel, attachments=files)
                message_id = shown.id
            else:
                message_id = await tell_instead(self._interaction.followup, self._message, panel)
        except discord.NotFound:
            await self.answered()  # it can't be any more
            raise
        await self.answered()
        return message_id


@contextlib.contextmanager
def or_later(deferral: Deferral | None) -> Generator[None]:
    """Let the answer be given later if Discord doesn't take it in the block, which raises its error."""
    try:
        yield
    except DISCORD_ERRORS:
        if deferral is not None:
            deferral.give_up()
        raise


async def tell_instead(hook: discord.Webhook, message: Any, panel: ui.LayoutView) -> int:
    """Tell the person alone, in place of that public deferral. Return the id of the message that does.

    Discord gives a first followup the visibility of the deferral, with any flags; so the deferral is
    deleted first, or becomes one neutral sentence. Where neither is certain, that error of Discord's is
    raised: everybody could read the followup.
    """
    try:
        await hook.delete_message(message)
    except DISCORD_ERRORS as error:
        _log.info("A deferred answer may not have been deleted: %r", error)
        # After a deletion whose answer was lost, there is nothing left to be edited.
        with contextlib.suppress(discord.NotFound):
            await hook.edit_message(message, view=boxed(BAD, START_WITHDRAWN))
    return (await hook.send(view=panel, ephemeral=True, wait=True)).id


def note_arrival(interaction: discord.Interaction, clock: Clock) -> None:
    """Note when the interaction came, from when on Discord waits for its answer."""
    interaction.extras[_ARRIVED] = clock.monotonic()


def once_key_of(interaction_id: int, number: int = 0) -> str:
    """Return the key (`Job.once`) of the job that an interaction starts, or of one of its set, from 0."""
    return f"interaction:{interaction_id}:{number}"


class _Wait:
    """An interaction's wait for its first answer. If that takes long, Discord is told that it will come.

    A form can't be shown after that, so nothing is told while what a form needs is read (`read_before_form`).
    """

    def __init__(self, interaction: discord.Interaction, deferrals: Deferrals, clock: Clock) -> None:
        self.private: Callable[[], bool] = _always
        self.answer = LateAnswer.CHANGE  # which may be no more than a view
        self._interaction = interaction
        self._deferrals = deferrals
        self._clock = clock
        self._over = False
        self._timer: asyncio.Handle | None = None
        self._deferral: Deferral | None = None
        self._deferring: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to wait for the first answer, or go on."""
        if not self._over:
            self._timer = _later(self.left(ANSWER_BY), self._defer)

    def pause(self) -> None:
        """Announce nothing for now."""
        if self._timer is not None:
            self._timer.cancel()

    def left(self, until: float) -> float:
        """Return how many seconds are left of those after the arrival."""
        return max(0.0, until - self._clock.monotonic() + self._interaction.extras[_ARRIVED])

    async def announce(self, answer: LateAnswer) -> None:
        """Tell the person alone now that the answer will come, if nothing was told yet."""
        self.pause()
        if self._deferral is None:
            self.private, self.answer = _always, answer
            self._defer()
        await self.end()

    async def end(self) -> Deferral | None:
        """Announce nothing any more. Return the announcement, if there was one."""
        self._over = True
        self.pause()
        if self._deferring is not None:
            await shielded(self._deferring)  # an answer comes after it
        return self._deferral if self._deferral is not None and self._deferral.taken else None

    def _defer(self) -> None:
        if not self._interaction.response.is_done():
            self._over = True
            private = self.private()
            self._deferral = Deferral(self._interaction, self._deferrals, private=private, answer=self.answer)
            self._deferring = asyncio.create_task(self._deferral.send(), name="deferring an answer")


def expect_answer(interaction: discord.Interaction, deferrals: Deferrals, clock: Clock) -> None:
    """Tell the person alone that an answer will come, if there is none in time.

    To be called where the interaction begins to be handled. Who answers it calls `answering` first.
    """
    wait = interaction.extras[_WAIT] = _Wait(interaction, deferrals, clock)
    if interaction.type is not discord.InteractionType.autocomplete:  # which takes suggestions alone
        wait.begin()


def announce_card(interaction: discord.Interaction, *, private: Callable[[], bool]) -> None:
    """Let the answer be announced as the card of a job, if it takes long: to all, unless `private` then."""
    wait = _wait_of(interaction)
    wait.private, wait.answer = private, LateAnswer.CARD


async def defer_answer(interaction: discord.Interaction, answer: LateAnswer) -> None:
    """Say at once that the answer will come, for the person alone: finding or sending it takes long.

    `bot.ui.kit.responses.answer` gives it.
    """
    await _wait_of(interaction).announce(answer)


async def answering(interaction: discord.Interaction) -> Deferral | None:
    """Return the deferral in whose place the answer goes, if the person was told that it takes longer.

    To be called before whatever may be the first answer. Nothing is announced from then on.
    """
    wait = interaction.extras.get(_WAIT)
    return await wait.end() if isinstance(wait, _Wait) else None


async def read_before_form(interaction: discord.Interaction, reading: Awaitable[_T]) -> _T:
    """Return what is read before a form, or to find out whether there is one. A form can't come late.

    Raises `Refused` if it isn't there by the time that Discord has to get the form.
    """
    wait = _wait_of(interaction)
    wait.pause()
    try:
        async with _within(wait.left(FORM_BY)):
            return await reading
    except TimeoutError as error:
        raise Refused(FORM_TOO_LATE) from error
    finally:
        wait.begin()


async def read_for_suggestions(
    interaction: discord.Interaction, reading: Awaitable[Sequence[_T]]
) -> Sequence[_T]:
    """Return what is suggested while a person types; nothing if that takes too long for Discord."""
    try:
        async with _within(_wait_of(interaction).left(FORM_BY)):
            return await reading
    except TimeoutError:
        return ()


def _wait_of(interaction: discord.Interaction) -> _Wait:
    return cast(_Wait, interaction.extras[_WAIT])


def _always() -> bool:
    return True


def _later(seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_later(seconds, call)


def _within(seconds: float) -> asyncio.Timeout:
    return asyncio.timeout(seconds)
