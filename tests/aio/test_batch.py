"""Questions that come together are answered together."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.aio.batch import Batch


class Desk:
    """Doubles numbers, slowly, and remembers how they came."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.batch = Batch(self.answer)

    async def answer(self, questions: Sequence[int]) -> dict[int, int]:
        self.groups.append(list(questions))
        await asyncio.sleep(0.01)
        if 13 in questions:
            raise ValueError("13")
        return {question: 2 * question for question in questions}


async def test_a_question_alone_is_answered_at_once_and_those_that_come_meanwhile_together() -> None:
    desk = Desk()
    answers = await asyncio.gather(*(desk.batch.ask(number) for number in range(10)))
    assert answers == [2 * number for number in range(10)]
    assert len(desk.groups) <= 2
    assert await desk.batch.ask(50) == 100


async def test_an_error_is_that_of_its_group_alone() -> None:
    desk = Desk()
    asked = (desk.batch.ask(number) for number in (1, 13, 14))
    alone, *together = await asyncio.gather(*asked, return_exceptions=True)
    assert alone == 2
    assert [type(answer) for answer in together] == [ValueError, ValueError]
    assert await desk.batch.ask(1) == 2


async def test_one_that_is_cancelled_does_not_take_its_group_with_it() -> None:
    desk = Desk()
    first = asyncio.create_task(desk.batch.ask(1))
    second = asyncio.create_task(desk.batch.ask(2))
    await asyncio.sleep(0.002)
    first.cancel()
    assert await second == 4
    with pytest.raises(asyncio.CancelledError):
        await first
