"""The simulated Discord in a browser: one channel that shows by itself what the bot posts."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from simcord import ChannelHandle, Env, MemberActor, Preview, SetupError
from simcord.backend.access import can_access_message

from bot.clock import Clock
from sandbox.discord.clock import catch_up

_log = logging.getLogger(__name__)

# Long enough to gather what the bot does in one go, short enough to look immediate.
GATHER_SECONDS = 0.15
# Discord lets "in 8 seconds" count down by itself; here only a publication does.
COUNT_DOWN_SECONDS = 2.0


@dataclass(frozen=True)
class _Shown:
    """What we last published on one open page: an unbroken row of revisions that are ours, and the focus."""

    first: int
    last: int
    viewer: int
    newest: int | None


class Page:
    """A channel as its members see it, on a loopback address.

    simcord publishes the page when it is told to, and refuses an action that was taken on an older
    publication. So this follows the simulation's record of events and calls, publishes when there is
    something new, and lets an action through if only such publications came in between.

    `turn` is the lock that everyone who acts on the same simulation holds (see World).
    """

    def __init__(
        self,
        env: Env,
        channel: ChannelHandle,
        viewers: Sequence[MemberActor],
        clock: Clock,
        turn: asyncio.Lock,
        *,
        port: int = 0,
    ) -> None:
        self._env = env
        self._clock = clock
        self._turn = turn
        self._preview: Preview = env.preview(channel, viewers=viewers, layout="channel", port=port)
        self._take_action = self._preview._action  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._preview._action = self._action  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._shown: dict[str, _Shown] = {}
        self._seen = 0
        self._published_at = clock.monotonic()
        self._follower: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The page's address; whoever has it can act in it, so it is for this machine alone."""
        return self._preview.url

    async def __aenter__(self) -> Self:
        await self._preview.__aenter__()
        self._follower = asyncio.create_task(self._follow(), name="page follower")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._follower is not None:
                self._follower.cancel()
                with suppress(asyncio.CancelledError):
                    await self._follower
        finally:
            await self._preview.close()

    async def wait_closed(self) -> None:
        """Return when someone has ended the session from the page, or it was closed."""
        await self._preview.wait_closed()

    async def refresh(self) -> None:
        """Show now what has happened.

        Raises TimeoutError when the bot is busy for longer than the simulation waits, and SetupError when
        the page is closed.
        """
        async with self._turn:
            # What happens during the refresh is shown by the next one.
            recorded = self._recorded()
            await catch_up(self._env, self._clock)
            before = self._pages()
            revisions = {page_id: page.revision for page_id, page in before.items()}
            for page_id, page in before.items():
                self._scroll_to_newest(page, self._shown.get(page_id))
            await self._preview.refresh()
            self._shown = {
                # A page that was opened meanwhile has had its first publication and this one.
                page_id: self._after(page_id, revisions.get(page_id, page.revision - 1), page)
                for page_id, page in self._pages().items()
            }
            self._seen = recorded
            self._published_at = self._clock.monotonic()

    async def _follow(self) -> None:
        closed = asyncio.create_task(self.wait_closed(), name="page closed")
        try:
            while not closed.done():
                # Answers that one person alone sees raise no event, only calls: so the record of both is
                # compared, instead of listening for events.
                due = self._clock.monotonic() >= self._published_at + COUNT_DOWN_SECONDS
                if due or self._recorded() != self._seen:
                    try:
                        await self.refresh()
                    except (TimeoutError, SetupError) as busy:
                        _log.warning("The page could not be brought up to date, and tries again: %s", busy)
                await asyncio.wait([closed], timeout=GATHER_SECONDS)
        finally:
            closed.cancel()

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._turn:
            page = self._pages().get(context_id or "")
            shown = self._shown.get(context_id or "")
            seen = body.get("published_revision")
            if page is not None and shown is not None and isinstance(seen, int):
                only_ours_between = page.revision == shown.last and shown.first <= seen
                if only_ours_between and seen < shown.last:
                    body = {**body, "published_revision": shown.last}
            return await self._take_action(context_id, body)

    def _after(self, page_id: str, before: int, page: Any) -> _Shown:
        shown = self._shown.get(page_id)
        first = shown.first if shown is not None and shown.last == before else before
        return _Shown(first, page.revision, page.viewer.id, self._newest(page))

    def _scroll_to_newest(self, page: Any, shown: _Shown | None) -> None:
        """Put the newest message in focus, unless the reader has gone to another one."""
        untouched = page.generation == 1 if shown is None else page.target_id in {None, shown.newest}
        if untouched or (shown is not None and shown.viewer != page.viewer.id):
            page.target_id, page.window_end_id = self._newest(page), None

    def _newest(self, page: Any) -> int | None:
        messages = self._env.backend.messages.get(page.channel_id, {})
        visible = (
            message_id
            for message_id, message in messages.items()
            if can_access_message(self._env, page.channel_id, message, page.viewer, history=True)
        )
        return max(visible, default=None)

    def _pages(self) -> dict[str, Any]:
        return dict(self._preview._pages)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    def _recorded(self) -> int:
        return len(self._env.backend.transcript)
