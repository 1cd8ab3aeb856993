"""The first answer to an interaction, for which Discord waits for three seconds: when it has to be there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import discord

from bot.aio.shield import shielded
from bot.clock import Clock
from bot.cluster import arrived_at
from bot.errors import Refused
from bot.languages import lazy
from bot.ui.kit.deferral import AnswerKeeper, Deferral, LateAnswer

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

ANSWER_BY = 1.5  # seconds from the arrival; Discord gives up after 3
FORM_BY = 2.0  # the same for a form or suggestions, which can't be announced: they have to come first
FORM_TOO_LATE = lazy(
    "The bot took too long to read what that form shows, so it wasn't opened. Try again in a moment. Nothing "
    "was changed or charged."
)
# The names in `Interaction.extras`.
_WAIT = "wait"
_ARRIVED = "arrived"


def note_arrival(interaction: discord.Interaction, clock: Clock) -> None:
    """Note when the interaction came, from when on Discord waits for its answer."""
    interaction.extras[_ARRIVED] = clock.monotonic()


class _Wait:
    """An interaction's wait for its first answer. One that takes long is announced.

    No form can follow that, so nothing is announced while what one needs is read (`read_before_form`). If
    Discord has given up waiting, the handler is cancelled: the person would ask again, and pay twice.
    """

    def __init__(self, interaction: discord.Interaction, answers: AnswerKeeper, clock: Clock) -> None:
        self.answer = LateAnswer.CHANGE
        self._interaction = interaction
        self._answers = answers
        self._clock = clock
        self._handler = asyncio.current_task()
        self._answered = False
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
        """Tell the person alone now that the answer will come, if nothing was announced yet."""
        self.pause()
        if self._deferral is None:
            self.answer = answer
            self._defer()
        await self._announced()

    async def end(self) -> Deferral | None:
        """Announce nothing any more. Return the announcement, if there was one."""
        self._over = self._answered = True
        self.pause()
        await self._announced()
        return self._deferral if self._deferral is not None and self._deferral.taken else None

    async def _announced(self) -> None:
        if self._deferring is not None:
            await shielded(self._deferring)  # an answer comes after it

    def _defer(self) -> None:
        if not self._interaction.response.is_done():
            self._over = True
            self._deferral = Deferral(self._interaction, self._answers, self.answer)
            self._deferring = asyncio.create_task(self._send(self._deferral), name="deferring an answer")

    async def _send(self, deferral: Deferral) -> None:
        await deferral.send()
        if deferral.too_late and not self._answered and self._handler is not None:
            _log.info("Interaction %d is given up: it came too late to be answered.", self._interaction.id)
            self._handler.cancel()


def expect_answer(interaction: discord.Interaction, answers: AnswerKeeper, clock: Clock) -> None:
    """Tell the person alone that an answer will come, if there is none in time.

    To be called where the interaction begins to be handled. Who answers it calls `answering` first.
    """
    arrived_at.set(interaction.extras[_ARRIVED])
    wait = interaction.extras[_WAIT] = _Wait(interaction, answers, clock)
    if interaction.type is not discord.InteractionType.autocomplete:  # which takes suggestions alone
        wait.begin()


def expect_job(interaction: discord.Interaction) -> None:
    """Let the answer be announced as that of a job, if it takes long: then it can be found after a kill.

    To be called before anything is read for it, and not for what a form may follow.
    """
    _wait_of(interaction).answer = LateAnswer.JOB


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


def _wait_of(interaction: discord.Interaction) -> _Wait:
    return cast(_Wait, interaction.extras[_WAIT])


def _later(seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_later(seconds, call)


def _within(seconds: float) -> asyncio.Timeout:
    return asyncio.timeout(seconds)
