"""Many questions to the database in one transaction, when they come faster than it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

_Q = TypeVar("_Q", bound=Hashable)
_A = TypeVar("_A")


class _Group(Generic[_Q, _A]):
    def __init__(self) -> None:
        self.questions: list[_Q] = []
        self.answers: Mapping[_Q, _A] | None = None
        self.error: Exception | None = None


class Batch(Generic[_Q, _A]):
    """`answer` gets all questions that came while it answered the ones before.

    A single question is answered immediately.
    """

    def __init__(self, answer: Callable[[Sequence[_Q]], Awaitable[Mapping[_Q, _A]]]) -> None:
        self._answer = answer
        self._turn = asyncio.Lock()
        self._open: _Group[_Q, _A] = _Group()

    async def ask(self, question: _Q) -> _A:
        """Return its answer. Raises what `answer` raised for the group that it was in."""
        group = self._open
        group.questions.append(question)
        async with self._turn:
            if group.answers is None and group.error is None:
                if self._open is group:
                    self._open = _Group()
                try:
                    group.answers = await self._answer(group.questions)
                except Exception as error:
                    group.error = error
                    raise
        if group.answers is None:
            raise group.error or RuntimeError("a group without an answer")
        return group.answers[question]
