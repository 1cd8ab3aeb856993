"""Tell people why no job was started under a photo."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import discord

from bot.clock import Clock
from bot.db import Database
from bot.errors import CreditsWanted
from bot.features.refusals import may_tell
from bot.languages import Language, ReaderLanguages, lazy, speaking
from bot.reactions.backlog import Backlog
from bot.ui.kit.discord_errors import DISCORD_ERRORS, tolerated
from bot.ui.kit.layout import BAD, boxed, lines, row, server_line
from bot.ui.kit.responses import NO_MENTIONS, ask_button

_log = logging.getLogger(__name__)

DMS_CLOSED = lazy(
    "{member}, nothing was started, and your DMs are closed, so I can't tell you why. Run the tool from the "
    "photo's menu (Apps) to see the reason."
)
TAP_SKIPPED = lazy(
    "Too many photos were tapped at the same time, so yours was skipped. Remove "
    "your reaction and tap again in a few minutes. Nothing was charged."
)
AUTO_SKIPPED = lazy(
    "Too many photos were posted at the same time, so nothing ran on yours. "
    "Post it again in a few minutes. Nothing was charged."
)
OFFER_SKIPPED = lazy(
    "Too many photos were posted at the same time, so yours has no emoji to tap. "
    "To run a tool on it, open the menu of your message and choose Apps."
)
REPLY_SECONDS = 60.0  # until it is removed again
MAX_REFUSALS_OF_A_SERVER = 1000  # that members are to read
MAX_REFUSALS_WAITING = 5000
REFUSALS_AT_ONCE = 4  # a DM takes two requests
REFUSALS_OF_A_SERVER_AT_ONCE = 2


class _Kind(NamedTuple):
    guild_id: int
    user_id: int
    reason: str  # in English


@dataclass(frozen=True, slots=True)
class _Refusal:
    kind: _Kind
    member: discord.Member
    reason: Callable[[], str]
    message: discord.Message | None
    wanted: CreditsWanted | None


class RefusalTeller:
    """Tells a member the same reason only once in a while.

    Discord takes few messages a second, so what is to be said waits in a queue, and nothing else waits for
    it.
    """

    def __init__(self, db: Database, clock: Clock, readers: ReaderLanguages) -> None:
        self._db = db
        self._clock = clock
        self._readers = readers
        self._waiting: set[_Kind] = set()
        self._backlog = Backlog[_Refusal](
            "telling members why nothing was started",
            self._tell,
            bound=MAX_REFUSALS_OF_A_SERVER,
            bound_in_all=MAX_REFUSALS_WAITING,
            at_once=REFUSALS_AT_ONCE,
            abreast=REFUSALS_OF_A_SERVER_AT_ONCE,
            key=lambda one: one.member.id,
        )

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    def add(
        self,
        member: discord.Member,
        reason: Callable[[], str],
        message: discord.Message | None = None,
        wanted: CreditsWanted | None = None,
    ) -> None:
        """Let the member know by DM why no job was started, in their language, in which `reason` is called.

        `wanted`: the credits that an admin can be asked for.

        If their DMs are closed, a short reply to `message` says that nothing was started, but not why:
        everybody reads it.
        """
        with speaking(Language.ENGLISH):
            kind = _Kind(member.guild.id, member.id, reason())
        if kind in self._waiting:
            return
        if self._backlog.put(member.guild.id, _Refusal(kind, member, reason, message, wanted)):
            self._waiting.add(kind)

    async def _tell(self, refusal: _Refusal) -> None:
        member = refusal.member
        allowed = await self._db.write(may_tell, *refusal.kind, self._clock.now())
        self._waiting.discard(refusal.kind)
        if not allowed:
            return
        with speaking(await self._readers.of_person(member.id, member.guild.id)):
            panel = boxed(BAD, lines(refusal.reason(), server_line(member.guild.name)))
            if refusal.wanted is not None:
                panel.add_item(row(ask_button(refusal.wanted)))
        try:
            await member.send(view=panel, allowed_mentions=NO_MENTIONS)
        except DISCORD_ERRORS as error:
            _log.info("User %d could not be told by DM that no job was started: %r", member.id, error)
            if refusal.message is not None and isinstance(error, discord.Forbidden):
                with speaking(await self._readers.in_server(member.guild.id)):
                    await _reply(refusal.message, member)


async def _reply(message: discord.Message, member: discord.Member) -> None:
    with tolerated("User %d could not be told in the channel either", member.id):
        await message.reply(
            view=boxed(BAD, DMS_CLOSED.using(member=member.mention)),
            allowed_mentions=discord.AllowedMentions(users=[member], replied_user=False),
            delete_after=REPLY_SECONDS,
        )
