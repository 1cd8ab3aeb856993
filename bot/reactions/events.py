"""What Discord tells of messages and reactions, and a bounded queue of such work, done a few at a time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

import discord

from bot.aio.tasks import OutageRetry
from bot.features.photo_rules import Emoji

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


Cleared = discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent  # of all emoji, or of one


def emoji_of(emoji: discord.PartialEmoji | discord.Emoji | str) -> Emoji:
    """Return the emoji as rules have it."""
    if isinstance(emoji, str):
        return Emoji(emoji)
    return Emoji(emoji.name or "", emoji.id or 0, emoji.animated)


def by_a_person(message: discord.Message) -> bool:
    """Return whether a member wrote the message, and no bot, webhook or Discord itself."""
    written = message.type in {discord.MessageType.default, discord.MessageType.reply}
    return written and not message.author.bot and message.webhook_id is None


@dataclass(eq=False)
class Backlog(Generic[_T]):
    """Does `work` for each item, in a task of its own; `close` ends them.

    An item waits for earlier ones of its server that it comes `after`: for all, as it is. `abreast` others of
    the server at once wait for one of the turns of all, so that no server waits for another's flood. What
    comes when `bound` items wait in its server, or `bound_in_all` wait or were begun in all, is refused:
    better a missed tap than a bot that lags ever more. What an outage stops is repeated after it.
    """

    what: str
    work: Callable[[_T], Awaitable[None]]
    _: KW_ONLY
    bound: int
    bound_in_all: int
    at_once: int
    abreast: int = 1
    after: Callable[[_T, _T], bool] = lambda _item, _earlier: True

    def __post_init__(self) -> None:
        self._until_back = OutageRetry()
        self._items = defaultdict[int, dict[asyncio.Task[None], _T]](dict)  # by server
        self._begun = set[asyncio.Task[None]]()
        self._turns = asyncio.Semaphore(self.at_once)
        self._lines = WeakValueDictionary[int, asyncio.Semaphore]()
        self._closed = self._dropping = False

    def put(
        self,
        server: int,
        item: _T,
        *,
        at_once: bool = False,
        instead_of: Callable[[_T], bool] = lambda _item: False,
    ) -> asyncio.Task[None] | None:
        """Begin to wait with an item. Return its task, or None if it was refused.

        `at_once`: it waits for nothing but earlier items that it comes after, as it takes no request.
        `instead_of`: it takes the place of those that wait still.
        """
        here = self._items[server]
        for task in [task for task, one in here.items() if task not in self._begun and instead_of(one)]:
            del here[task]  # at once, so that it takes no one's room
            task.cancel()
        full = not at_once and len(here.keys() - self._begun) >= self.bound
        if self._closed or full or sum(map(len, self._items.values())) >= self.bound_in_all:
            if not self._dropping:
                _log.warning("%s: too many are waiting already, so some are skipped", self.what)
            self._dropping = True
            return None
        self._dropping = False
        earlier = [task for task, one in here.items() if self.after(item, one)]
        task = asyncio.create_task(self._do(server, item, earlier, at_once=at_once), name=self.what)
        here[task] = item
        task.add_done_callback(lambda task: here.pop(task, None))
        task.add_done_callback(self._begun.discard)
        return task

    async def close(self) -> None:
        """Drop waiting items, and cancel running ones."""
        self._closed = True
        tasks = [task for here in self._items.values() for task in here]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(
        self, server: int, item: _T, earlier: Collection[asyncio.Task[None]], *, at_once: bool
    ) -> None:
        if earlier:
            await asyncio.wait(earlier)
        async with AsyncExitStack() as stack:
            if not at_once:
                line = self._lines.setdefault(server, asyncio.Semaphore(self.abreast))
                await stack.enter_async_context(line)
                await stack.enter_async_context(self._turns)
            if (task := asyncio.current_task()) is not None:
                self._begun.add(task)
            try:
                await self._until_back.run(partial(self.work, item))
            except Exception:  # noqa: BLE001 - logged; what comes next must not suffer
                _log.exception("%s failed", self.what)
