"""Batches: many requests in one step, when they come faster than they can be done one by one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Generic, Literal, TypeVar

from bot.errors import Busy

_Q = TypeVar("_Q")
_A = TypeVar("_A")

MAX_WAITING_REQUESTS = 10_000


class Again(Enum):
    """The answer to a request that is to wait again, before those that came after it."""

    AGAIN = "again"


AGAIN: Literal[Again.AGAIN] = Again.AGAIN


class Batcher(Generic[_Q, _A]):
    """Does requests in groups: `do` takes all that wait, as soon as it can do something for them.

    `do(take)` begins its step, calls `take()` for the requests of the group, in order of arrival and at most
    `max_group` of them, and returns an answer, an error to raise, or `AGAIN`, for each. An error that it
    raises is raised for the whole group. A request that comes alone is done at once. The step continues if
    one of its requests is cancelled; a request that is cancelled before is not taken.

    Its task lives while there is something to do.
    """

    def __init__(
        self,
        what: str,
        do: Callable[[Callable[[], Sequence[_Q]]], Awaitable[Sequence[_A | Exception | Again]]],
        *,
        max_group: int,
    ) -> None:
        self._what = what
        self._do = do
        self._max_group = max_group
        self._waiting: deque[tuple[_Q, asyncio.Future[_A]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def first(self) -> _Q | None:
        """Return the request that has waited longest for a group to take it, or None if there is none."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()  # cancelled
        return self._waiting[0][0] if self._waiting else None

    async def ask(self, request: _Q) -> _A:
        """Return the answer to the request. Raises `Busy` if too many wait already."""
        if len(self._waiting) >= MAX_WAITING_REQUESTS:
            raise Busy
        answer: asyncio.Future[_A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=self._what)
        return await answer

    async def _work(self) -> None:
        group: list[tuple[_Q, asyncio.Future[_A]]] = []
        try:
            while self._waiting:
                group.clear()
                await self._step(group)
        finally:
            self._task = None
            # Only if the task was cancelled is one of them open: its caller must not wait for ever.
            for _, answer in (*group, *self._waiting):
                answer.cancel()
            self._waiting.clear()

    async def _step(self, group: list[tuple[_Q, asyncio.Future[_A]]]) -> None:
        def take() -> Sequence[_Q]:
            while self._waiting and len(group) < self._max_group:
                request, answer = self._waiting.popleft()
                if not answer.done():
                    group.append((request, answer))
            return [request for request, _ in group]

        answers: Sequence[_A | Exception | Again]
        try:
            answers = await self._do(take)
        except Exception as error:  # noqa: BLE001 - raised for each of them
            answers = [error] * len(group or take())
        again: list[tuple[_Q, asyncio.Future[_A]]] = []
        for (request, answer), given in zip(group, answers, strict=True):
            if isinstance(given, Again):
                again.append((request, answer))
            elif answer.done():
                continue  # cancelled meanwhile
            elif isinstance(given, Exception):
                answer.set_exception(given)
            else:
                answer.set_result(given)
        self._waiting.extendleft(reversed(again))
