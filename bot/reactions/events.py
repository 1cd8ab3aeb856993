"""What Discord tells of messages and reactions, and a bounded queue of such work, done a few at a time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
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
WRITTEN_BY_PEOPLE = frozenset({discord.MessageType.default, discord.MessageType.reply})


def emoji_of(emoji: discord.PartialEmoji | discord.Emoji | str) -> Emoji:
    """Return the emoji as rules have it."""
    if isinstance(emoji, str):
        return Emoji(emoji)
    return Emoji(emoji.name or "", emoji.id or 0, emoji.animated)


def by_a_person(message: discord.Message) -> bool:
    """Return whether a member wrote the message, and no bot, webhook or Discord itself."""
    author = message.author
    return not author.bot and message.webhook_id is None and message.type in WRITTEN_BY_PEOPLE


class _Door:
    """Where items with one key pass in order, and the locks of their parts."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.parts = defaultdict[Hashable, asyncio.Lock](asyncio.Lock)


@dataclass(eq=False)
class Backlog(Generic[_T]):
    """Does `work` for each item, in a task of its own; `close` ends them.

    Each server has a line of its own, of which `abreast` items at once wait for one of the turns of all, so
    that no server waits for another's flood. Those with the same `key` are done one after the other; without
    `key`, all of a server. Those of different `part` are done abreast all the same; None is all parts. What
    comes when `bound` items wait in its line, or `bound_in_all` wait or were begun in all lines, is refused:
    better a missed tap than a bot that lags ever more. What an outage stops is repeated after it.
    """

    what: str
    work: Callable[[_T], Awaitable[None]]
    _: KW_ONLY
    bound: int
    bound_in_all: int
    at_once: int
    abreast: int = 1
    key: Callable[[_T], Hashable] = lambda _: None
    part: Callable[[_T], Hashable | None] = lambda _: None

    def __post_init__(self) -> None:
        self._until_back = OutageRetry()
        self._waiting: dict[int, dict[asyncio.Task[None], _T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(self.at_once)
        self._lines = WeakValueDictionary[int, asyncio.Semaphore]()
        self._doors = WeakValueDictionary[Hashable, _Door]()
        self._closed = self._dropping = False

    def put(self, server: int, item: _T, *, at_once: bool = False) -> bool:
        """Begin to wait with an item. Return False if it was refused.

        `at_once`: it waits for nothing but earlier items with its key and part, as it takes no request.
        """
        full = not at_once and len(self._waiting.get(server, ())) >= self.bound
        if self._closed or full or len(self._tasks) >= self.bound_in_all:
            if not self._dropping:
                _log.warning("%s: too many are waiting already, so some are skipped", self.what)
            self._dropping = True
            return False
        self._dropping = False
        task = asyncio.create_task(self._do(server, item, at_once=at_once), name=self.what)
        self._waiting.setdefault(server, {})[task] = item
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def withdraw(self, server: int, unwanted: Callable[[_T], bool]) -> list[_T]:
        """Remove the unwanted items that wait in the server's line, and return them."""
        waiting = self._waiting.get(server, {})
        removed = {task: item for task, item in waiting.items() if unwanted(item)}
        for task in removed:
            self._begun(server, task)
            task.cancel()
        return list(removed.values())

    async def close(self) -> None:
        """Drop waiting items, and cancel running ones."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()

    def _begun(self, server: int, task: asyncio.Task[None]) -> None:
        """Note that the item waits no more."""
        del self._waiting[server][task]
        if not self._waiting[server]:
            del self._waiting[server]

    async def _pass(self, stack: AsyncExitStack, door: _Door, part: Hashable | None) -> None:
        """Wait for earlier items of that part, or of all, and hold up later ones."""
        if part is None:
            await stack.enter_async_context(door.lock)
            for lock in door.parts.values():
                await stack.enter_async_context(lock)
            return
        async with door.lock:
            lock = door.parts[part]
        # Nothing is waited for in between, so that they come to the lock in order.
        await stack.enter_async_context(lock)

    async def _do(self, server: int, item: _T, *, at_once: bool) -> None:
        task = asyncio.current_task()
        door = self._doors.setdefault((server, self.key(item)), _Door())  # kept until the end
        async with AsyncExitStack() as stack:
            await self._pass(stack, door, self.part(item))
            if not at_once:
                line = self._lines.setdefault(server, asyncio.Semaphore(self.abreast))
                await stack.enter_async_context(line)
                await stack.enter_async_context(self._turns)
            if task is not None:
                self._begun(server, task)
            try:
                await self._until_back.run(partial(self.work, item))
            except Exception:  # noqa: BLE001 - logged; what comes next must not suffer
                _log.exception("%s failed", self.what)
