"""Tell people why no job was started under a photo."""

import logging
from collections.abc import Callable

import discord

from bot.errors import CreditsWanted
from bot.languages import Language, ReaderLanguages, lazy, speaking
from bot.services import RefusalService
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import BAD, boxed, lines, row, server_line
from bot.ui.kit.responses import NO_MENTIONS, ask_button

_log = logging.getLogger(__name__)

DMS_CLOSED = lazy(
    "{member}, nothing was started, and your DMs are closed, so I can't tell you why. Run the tool from the "
    "photo's menu (Apps) to see the reason."
)
REPLY_SECONDS = 60.0  # until it is removed again


class RefusalTeller:
    """Tells a member the same reason only once in a while."""

    def __init__(self, refusals: RefusalService, readers: ReaderLanguages) -> None:
        self._refusals = refusals
        self._readers = readers

    async def tell(
        self,
        member: discord.Member,
        reason: Callable[[], str],
        message: discord.Message | None = None,
        wanted: CreditsWanted | None = None,
    ) -> None:
        """Tell the member by DM why no job was started, in their language, in which `reason` is called.

        `wanted`: the credits that an admin can be asked for.

        If their DMs are closed, a short reply to `message` says that nothing was started, but not why:
        everybody reads it.
        """
        with speaking(Language.ENGLISH):
            kind = reason()
        if not await self._refusals.may_tell(member.guild.id, member.id, kind):
            return
        with speaking(await self._readers.of_person(member.id, member.guild.id)):
            panel = boxed(BAD, lines(reason(), server_line(member.guild.name)))
            if wanted is not None:
                panel.add_item(row(ask_button(wanted)))
        try:
            await member.send(view=panel, allowed_mentions=NO_MENTIONS)
        except DISCORD_ERRORS as error:
            _log.info("User %d could not be told by DM that no job was started: %r", member.id, error)
            if message is not None and isinstance(error, discord.Forbidden):
                with speaking(await self._readers.in_server(member.guild.id)):
                    await _reply(message, member)


async def _reply(message: discord.Message, member: discord.Member) -> None:
    try:
        await message.reply(
            view=boxed(BAD, DMS_CLOSED.using(member=member.mention)),
            allowed_mentions=discord.AllowedMentions(users=[member], replied_user=False),
            delete_after=REPLY_SECONDS,
        )
    except DISCORD_ERRORS as error:
        _log.info("User %d could not be told in the channel either: %r", member.id, error)
