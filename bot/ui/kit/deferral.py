"""Answers that come late: Discord has been told that they will, and that is kept for after a kill."""

import asyncio
import contextlib
import logging
from collections.abc import Generator, Sequence
from enum import StrEnum
from typing import Any, Protocol

import discord
from discord import ui

from bot.languages import lazy
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import BAD, boxed

_log = logging.getLogger(__name__)

START_WITHDRAWN = lazy("This didn't start. Only the person who asked can see why.")
LOOK_WITHIN = 10.0  # seconds, for the question whether a deferral was taken


class LateAnswer(StrEnum):
    """The text of a deferred interaction's answer; after a kill it says what the person is asked to do."""

    CARD = "card"  # of the job that it starts
    CHANGE = "change"  # that it may have made: of a setting, or of what is posted
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
        """Let the interaction be answered later: its handler could not. Must not raise."""
        ...

    def look_again(self) -> None:
        """Let what was left unanswered in servers that are served from now on be answered, too."""
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
        self.too_late = False  # Discord has told the person that there is no answer
        self._message: Any = "@original"  # what names it at Discord
        self._answer = answer
        self._interaction = interaction
        self._kept = kept

    async def send(self) -> None:
        """Tell Discord that the answer will come."""
        await self._kept.remember(self._interaction, private=self.private, answer=self._answer)
        try:
            sent = await self._interaction.response.defer(ephemeral=self.private, thinking=True)
            message_id = None if sent is None else sent.message_id
        except DISCORD_ERRORS as error:
            _log.info("An answer that takes long could not be announced: %r", error)
            try:
                message_id = await self._taken_all_the_same()
            except discord.NotFound:
                self.too_late = True
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


def once_key_of(interaction_id: int, number: int = 0) -> str:
    """Return the key (`Job.once`) of the job that an interaction starts, or of one of its set, from 0."""
    return f"interaction:{interaction_id}:{number}"
