"""Answers that come late: Discord has been told that they will, and that is kept for after a kill."""

import asyncio
import contextlib
import logging
from collections.abc import Generator, Sequence
from enum import StrEnum
from typing import Protocol

import discord
from discord import ui

from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import Panel

_log = logging.getLogger(__name__)

LOOK_WITHIN = 10.0  # seconds, for the question whether a deferral was taken


class LateAnswer(StrEnum):
    """The text of a deferred interaction's answer; after a kill it says what the person is asked to do."""

    JOB = "job"  # the progress of the job that it starts
    CHANGE = "change"  # that it may have made: of a setting, or of what is posted
    VIEW = "view"  # of what is


class AnswerKeeper(Protocol):
    """Keeps interactions whose answers are late, or show how jobs are going. No method raises."""

    async def defer(self, interaction: discord.Interaction, late: LateAnswer) -> None:
        """Keep the interaction, whose deferral is sent next: if nobody answers it, the next start does."""
        ...

    async def answered(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered."""
        ...

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered later: its handler could not."""
        ...

    async def show(self, interaction: discord.Interaction, subject: str, panel: Panel | None = None) -> None:
        """Let the interaction's answer, which is the panel, show the job or the set of that id as long as
        Discord allows it."""
        ...

    def look_again(self) -> None:
        """Let what was left unanswered in servers that are served from now on be answered, too."""
        ...


class Deferral:
    """An interaction whose answer is late. Its person alone sees that it will come."""

    def __init__(self, interaction: discord.Interaction, kept: AnswerKeeper, late: LateAnswer) -> None:
        self.taken = False  # Discord has told the person that the answer will come, or may have
        self.too_late = False  # Discord has told the person that there is no answer
        self._late = late
        self._interaction = interaction
        self._kept = kept

    async def send(self) -> None:
        """Tell Discord that the answer will come."""
        await self._kept.defer(self._interaction, self._late)
        try:
            await self._interaction.response.defer(ephemeral=True, thinking=True)
        except DISCORD_ERRORS as error:
            _log.info("An answer that takes long could not be announced: %r", error)
            self.too_late = not await self._taken_all_the_same()
        self.taken = not self.too_late
        if self.too_late:
            await self.answered()  # there is nothing to answer

    async def _taken_all_the_same(self) -> bool:
        """Return whether there is a message that says that an answer will come, or may be one.

        The answer to a deferral can be lost after Discord took it; discord.py's repetition of it is refused
        then.
        """
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                await self._interaction.original_response()
        except discord.NotFound:
            return False
        except DISCORD_ERRORS as error:
            _log.info("Unknown whether a late answer was announced: %r", error)
        return True

    async def answered(self) -> None:
        """Note that the answer was given."""
        await self._kept.answered(self._interaction)

    def give_up(self) -> None:
        """Let the answer be given later: Discord doesn't take it now."""
        self._kept.give_up(self._interaction)

    async def show(self, panel: ui.LayoutView, files: Sequence[discord.File] = ()) -> int:
        """Show what the answer is. Return the message's id. Raises an error of Discord's."""
        try:
            shown = await self._interaction.edit_original_response(view=panel, attachments=files)
        except discord.NotFound:
            await self.answered()  # it can't be any more
            raise
        await self.answered()
        return shown.id


@contextlib.contextmanager
def or_later(deferral: Deferral | None) -> Generator[None]:
    """Let the answer be given later if Discord doesn't take it in the block, which raises its error."""
    try:
        yield
    except DISCORD_ERRORS:
        if deferral is not None:
            deferral.give_up()
        raise
