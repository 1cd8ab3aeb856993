"""The simulated Discord in a browser: one channel that shows by itself what the bot posts."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from simcord import ChannelHandle, Env, MemberActor, Preview, SetupError

from bot.clock import Clock
from sandbox.discord.clock import catch_up

log = logging.getLogger(__name__)

# Long enough to gather what the bot does in one go, short enough to look immediate.
GATHER_SECONDS = 0.15


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
        self._revisions: dict[str, _Revisions] = {}
        self._seen = 0
        self._follower: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The page's address; whoever has it can act in it, so it is for this machine alone."""
        return self._preview.url

    async def __aenter__(self) -> Self:
        await self._preview.__aenter__()
        self._open_at_the_end()
        self._seen = self._recorded()
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

        Raises TimeoutError when the bot is busy for longer than the simulation waits.
        """
        async with self._turn:
            # What happens during the refresh is shown by the next one.
            recorded = self._recorded()
            await catch_up(self._env, self._clock)
            before = self._published()
            await self._preview.refresh()
            self._seen = recorded
            for page_id, revision in self._published().items():
                self._revisions[page_id] = _Revisions.after(
                    self._revisions.get(page_id), before.get(page_id, revision), revision
                )

    async def _follow(self) -> None:
        closed = asyncio.create_task(self.wait_closed(), name="page closed")
        try:
            while not closed.done():
                # Answers that one person alone sees raise no event, only calls: so the record of both is
                # compared, instead of listening for events.
                if self._recorded() != self._seen:
                    try:
                        await self.refresh()
                    except (TimeoutError, SetupError) as busy:
                        log.warning("The page could not be brought up to date, and tries again: %s", busy)
                await asyncio.wait([closed], timeout=GATHER_SECONDS)
        finally:
            closed.cancel()

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._turn:
            revisions = self._revisions.get(context_id or "")
            seen = body.get("published_revision")
            if revisions is not None and isinstance(seen, int):
                body = {**body, "published_revision": revisions.raised(seen, self._published().get(context_id or ""))}
            return await self._take_action(context_id, body)

    def _open_at_the_end(self) -> None:
        # A page that opens with a message in focus stays there; with none, it follows what is new.
        model = self._preview._python  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if model is not None:
            model.target_id = model.window_end_id = None

    def _published(self) -> dict[str, int]:
        pages = self._preview._pages  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return {page_id: page.revision for page_id, page in pages.items()}

    def _recorded(self) -> int:
        return len(self._env.backend.transcript)


class _Revisions:
    """The publications of one open page since the last that was not ours."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._last = last

    @classmethod
    def after(cls, known: "_Revisions | None", before: int, now: int) -> "_Revisions":
        """What is known after our publication took the page from one revision to the next."""
        if known is not None and known._last == before:
            return cls(known._first, now)
        return cls(before, now)

    def raised(self, seen: int, current: int | None) -> int:
        """The revision that an action may claim which was taken on the revision seen."""
        only_ours = current == self._last and self._first <= seen <= self._last
        return self._last if only_ours else seen
