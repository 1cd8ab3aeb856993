"""Questions under photos: a reply that asks. The engine removes it when it is over."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import discord

from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog
from bot.errors import Outage, Refused
from bot.jobs import confirm
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, Repeated
from bot.jobs.models import JobRequest
from bot.languages import ReaderLanguages, speaking
from bot.reactions.backlog import Backlog
from bot.reactions.refusal_teller import RefusalTeller
from bot.services import Services
from bot.ui.jobs.confirmation import question_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.responses import NO_MENTIONS, refusal_words

_log = logging.getLogger(__name__)

MAX_QUESTIONS_OF_A_SERVER = 1000  # that wait to be asked
MAX_QUESTIONS = 5000
QUESTIONS_AT_ONCE = 8
QUESTIONS_OF_A_SERVER_AT_ONCE = 4
MAX_REMEMBERED_QUESTIONS = 5000  # questions; those of an earlier life go after their minute
POSTED_WITHIN = 30.0  # seconds; less than the minute that a question is open for


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A question that is to be asked, by a reply to the photo's message."""

    needed: ConfirmationNeeded
    member: discord.Member
    message: discord.Message


class PhotoQuestions:
    """Asks under photos, and withdraws the question when the tap or the photo is taken back.

    Discord takes five messages in five seconds in a channel. So questions wait, and each is stored right
    before it is asked: its minute begins then.
    """

    def __init__(
        self, services: Services, catalog: Catalog, readers: ReaderLanguages, refusals: RefusalTeller
    ) -> None:
        self._readers = readers
        self._services = services
        self._refusals = refusals
        self._names = ToolNames(catalog)
        self._asked = BoundedDict[str, Confirmation](MAX_REMEMBERED_QUESTIONS)
        self._backlog = Backlog[_Waiting](
            "asking under photos",
            self._ask,
            bound=MAX_QUESTIONS_OF_A_SERVER,
            bound_in_all=MAX_QUESTIONS,
            at_once=QUESTIONS_AT_ONCE,
            abreast=QUESTIONS_OF_A_SERVER_AT_ONCE,
            key=lambda one: one.message.channel.id,
        )

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    def add(self, needed: ConfirmationNeeded, member: discord.Member, message: discord.Message) -> bool:
        """Queue the question to the member. Return False if too many wait already, and it is not asked."""
        return self._backlog.put(member.guild.id, _Waiting(needed, member, message))

    async def withdraw(self, ids: list[str]) -> None:
        """Remove these questions."""
        for one in ids:
            self._asked.pop(one, None)
        await self._withdraw(ids)

    def under(
        self, guild_id: int, message_id: int, user_id: int | None = None, emoji: str | None = None
    ) -> list[str]:
        """Return the questions under that message, of that member's tap with that emoji if they are given.

        Those that wait to be asked are not asked any more.
        """

        def is_meant(request: JobRequest) -> bool:
            return (
                request.origin_message_id == message_id
                and user_id in {None, request.user_id}
                and emoji in {None, request.tapped}
            )

        self._backlog.withdraw(guild_id, lambda one: is_meant(one.needed.request))
        return [one.id for one in self._asked.values() if is_meant(one.request)]

    async def _ask(self, waiting: _Waiting) -> None:
        """Reply to the photo's message with the question, without a ping or a sound.

        Nothing raises `Outage` once the question is posted, or it would be asked a second time.
        """
        language, db = await self._readers.in_server(waiting.member.guild.id), self._services.db
        try:
            question = await db.write(confirm.store, waiting.needed, self._services.clock.now())
        except Repeated:
            return  # it stands there already
        except Refused as refusal:
            self._refusals.add(waiting.member, partial(refusal_words, refusal), waiting.message)
            return
        self._asked[question.id] = question
        with speaking(language):
            panel = question_panel(question, self._names)
        try:
            async with asyncio.timeout(POSTED_WITHIN):
                sent = await waiting.message.channel.send(
                    view=panel,
                    reference=waiting.message.to_reference(fail_if_not_exists=False),
                    nonce=f"ask-{question.id}",
                    allowed_mentions=NO_MENTIONS,
                    silent=True,
                )
            await db.write(confirm.shown, question.id, sent.id)
        except Outage as error:
            _log.warning("Which message asks under a photo could not be stored: %s", error)
        except DISCORD_ERRORS as error:
            _log.info("A question under a photo could not be posted: %r", error)
            with suppress(Outage):  # it is over in a minute
                await self._withdraw([question.id])

    async def _withdraw(self, ids: list[str]) -> None:
        if ids:
            await self._services.db.write(confirm.withdraw, ids, self._services.clock.now())
