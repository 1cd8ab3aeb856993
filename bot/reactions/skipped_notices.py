"""Tell members that their tap or photo was skipped because too many came at once."""

from collections.abc import Awaitable, Callable

import discord

from bot.languages import Message, lazy
from bot.reactions.backlog import Backlog

MAX_HINTS_OF_A_SERVER = 1000  # members of a server
MAX_HINTS = 5000
HINTS_AT_ONCE = 2  # a DM takes two requests


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


class Skipped:
    """Tells a member once that some of their taps or photos were skipped."""

    def __init__(self, tell: Callable[[discord.Member, Callable[[], str]], Awaitable[None]]) -> None:
        self._tell = tell
        self._waiting: set[int] = set()
        self._backlog = Backlog[tuple[discord.Member, Message]](
            "telling members what was skipped",
            self._do,
            bound=MAX_HINTS_OF_A_SERVER,
            bound_in_all=MAX_HINTS,
            at_once=HINTS_AT_ONCE,
        )

    def add(self, member: discord.Member, words: Message) -> None:
        """Queue a message to the member, unless one is queued already."""
        if member.id not in self._waiting and self._backlog.put(member.guild.id, (member, words)):
            self._waiting.add(member.id)

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    async def _do(self, told: tuple[discord.Member, Message]) -> None:
        member, words = told
        await self._tell(member, words.__str__)
        self._waiting.discard(member.id)
