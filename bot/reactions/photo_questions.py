"""Questions under photos: a reply that asks. The engine removes it when it is over."""

import logging

import discord

from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog
from bot.domain.confirmations import Confirmation
from bot.languages import ReaderLanguages, speaking
from bot.services import ConfirmationService
from bot.ui.jobs.confirmation import question_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.responses import NO_MENTIONS

_log = logging.getLogger(__name__)

MAX_REMEMBERED_QUESTIONS = 5000  # questions; those of an earlier life go after their minute


class PhotoQuestions:
    """Asks under photos, and withdraws the question when the tap or the photo is taken back."""

    def __init__(
        self, confirmations: ConfirmationService, catalog: Catalog, readers: ReaderLanguages
    ) -> None:
        self._readers = readers
        self._confirmations = confirmations
        self._names = ToolNames(catalog)
        self._asked = BoundedDict[str, Confirmation](MAX_REMEMBERED_QUESTIONS)

    async def ask(self, question: Confirmation, message: discord.Message) -> None:
        """Reply to the photo's message with the question, without a ping or a sound."""
        self._asked[question.id] = question
        with speaking(await self._readers.in_server(question.request.guild_id)):
            panel = question_panel(question, self._names)
        try:
            sent = await message.channel.send(
                view=panel,
                reference=message.to_reference(fail_if_not_exists=False),
                nonce=f"ask-{question.id}",
                allowed_mentions=NO_MENTIONS,
                silent=True,
            )
        except DISCORD_ERRORS as error:
            _log.info("A question under a photo could not be posted: %r", error)
            await self._confirmations.withdraw([question.id])
            return
        await self._confirmations.shown(question.id, sent.id)

    def under(self, message_id: int, user_id: int | None = None, emoji: str | None = None) -> list[str]:
        """Return the questions under that message, of that member's tap with that emoji if they are given."""
        asked = [one for one in self._asked.values() if one.request.origin_message_id == message_id]
        return [
            one.id
            for one in asked
            if user_id in {None, one.request.user_id} and emoji in {None, one.request.tapped}
        ]

    async def withdraw(self, ids: list[str]) -> None:
        """Remove these questions."""
        for one in ids:
            self._asked.pop(one, None)
        await self._confirmations.withdraw(ids)
