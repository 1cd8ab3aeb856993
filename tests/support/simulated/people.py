"""People's actions and views in the simulated Discord, for the tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import discord
from simcord import InteractionResult, MemberActor, ResponseMessage

from sandbox.discord.reading import texts
from tests.support.simulated.stage import Stage

T = TypeVar("T")
STEP_TIMEOUT = 120.0  # seconds; a step takes one or two, unless the machine is busy
LOOK_EVERY = 0.03


async def until(look: Callable[[], T | Awaitable[T | None] | None], what: str) -> T:
    """Call `look` until its result is true, and return it. Raises TimeoutError after two minutes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STEP_TIMEOUT
    while True:
        began = loop.time()
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await cast("Awaitable[T | None]", seen)
        if seen:
            return seen
        ended = loop.time()
        if ended > deadline:
            raise TimeoutError(f"Waited {STEP_TIMEOUT:.0f} s for {what}.")
        await asyncio.sleep(max(LOOK_EVERY, 4 * (ended - began)))  # what is looked at needs the machine, too


def text_of(message: ResponseMessage | discord.Message | None) -> str:
    """Return all text that a person reads in a message, with its buttons' labels, line by line."""
    if message is None:
        return ""
    parts = [message.content] if message.content else []
    parts.extend(texts(_raw(message)))
    return "\n".join(parts)


def _raw(message: ResponseMessage | discord.Message) -> Any:
    if isinstance(message, ResponseMessage):
        return message.components
    return [component.to_dict() for component in message.components]


def answer_of(shown: InteractionResult) -> ResponseMessage:
    """Return the progress that a command was answered with, for its person alone."""
    answer = shown.response
    if answer is None or not shown.ephemeral:
        raise AssertionError(f"It is not for its person alone: {text_of(answer) or 'no answer at all'}")
    return answer


class Person:
    """A member of the server who uses the bot; takes turns with everyone else in the simulation."""

    def __init__(self, stage: Stage, actor: MemberActor) -> None:
        self._stage = stage
        self.actor = actor

    async def command(self, name: str, /, **options: Any) -> InteractionResult:
        """Use a slash command in the channel; a photo is given as `(file name, bytes)`."""
        async with self._stage.world.turn:
            return await self.actor.slash(self._stage.world.channel, name, **options)

    async def fill_in(self, shown: InteractionResult, values: dict[str, Any]) -> InteractionResult:
        """Submit a modal that was shown."""
        async with self._stage.world.turn:
            return await self.actor.submit_modal(shown, values)

    async def set_key(self, secret: str, plan: str = "pro", budget: str = "100") -> InteractionResult:
        """Set the server's Studii key, as an admin does."""
        panel = answer_of(await self.command("studii setup"))
        async with self._stage.world.turn:
            shown = await self.actor.click(panel, custom_id="studii:setup:key")
        return await self.fill_in(shown, {"key": secret, "plan": [plan], "budget": budget})

    async def result_of(self, shown: InteractionResult) -> discord.Message:
        """Wait for the message in the channel with the result of a command that this person has given."""
        answer = answer_of(shown)
        words = text_of(answer)
        return await until(lambda: self._told_after(answer.id), f"the result of {words!r}")

    def _told_after(self, message_id: int) -> discord.Message | None:
        for message in self._stage.world.channel.history():
            if message.id > message_id and f"<@{self.actor.id}>, your " in text_of(message):
                return message
        return None
