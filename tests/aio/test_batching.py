import asyncio
from collections.abc import Callable, Sequence

import pytest

from bot.aio.batching import AGAIN, Again, Batcher


class Doubling:
    """Doubles numbers in groups of at most three; `free` lets a step go on."""

    def __init__(self) -> None:
        self.groups = Batcher("doubling", self.double, max_group=3)
        self.done: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.took, self.finish = asyncio.Event(), asyncio.Event()
        self.finish.set()
        self.broken = False

    async def double(self, take: Callable[[], Sequence[int]]) -> list[int | Exception]:
        await self.free.wait()
        if self.broken:
            raise OSError("broken")
        numbers = take()
        self.done.append(list(numbers))
        self.took.set()
        await self.finish.wait()
        return [ValueError("unlucky") if one == 13 else one * 2 for one in numbers]

    def ask(self, number: int) -> "asyncio.Task[int]":
        return asyncio.create_task(self.groups.ask(number))


async def test_what_waits_is_done_together_in_order_of_arrival() -> None:
    work = Doubling()
    work.free.clear()
    asked = [work.ask(number) for number in range(7)]
    await asyncio.sleep(0)
    work.free.set()
    assert await asyncio.gather(*asked) == [0, 2, 4, 6, 8, 10, 12]
    assert work.done == [[0, 1, 2], [3, 4, 5], [6]]
    assert await work.groups.ask(8) == 16  # alone, and later
    assert work.done[-1] == [8]


async def test_an_error_for_one_is_raised_for_that_one() -> None:
    work = Doubling()
    outcomes = await asyncio.gather(work.ask(1), work.ask(13), work.ask(2), return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [2, 4]
    assert isinstance(outcomes[1], ValueError)


async def test_an_error_of_the_step_is_raised_for_all_that_wait_and_the_next_step_is_done() -> None:
    work = Doubling()
    work.broken = True
    outcomes = await asyncio.gather(work.ask(1), work.ask(2), return_exceptions=True)
    assert [type(one) for one in outcomes] == [OSError, OSError]
    work.broken = False
    assert await work.groups.ask(3) == 6


async def test_who_is_cancelled_before_the_step_is_not_in_it_and_after_that_the_step_goes_on() -> None:
    work = Doubling()
    work.free.clear()
    early, late, other = work.ask(1), work.ask(2), work.ask(3)
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.sleep(0)
    work.finish.clear()
    work.free.set()
    await work.took.wait()
    late.cancel()
    work.finish.set()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert await other == 6
    assert work.done == [[2, 3]]


async def test_what_waits_again_stays_before_what_came_after_it() -> None:
    groups: list[list[int]] = []
    first: list[int | None] = []

    async def do(take: Callable[[], Sequence[int]]) -> list[int | Again]:
        first.append(batcher.first)
        groups.append(list(take()))
        return [number if len(groups) > 1 or number == 2 else AGAIN for number in groups[-1]]

    batcher = Batcher("again", do, max_group=3)
    asked = [asyncio.create_task(batcher.ask(number)) for number in range(6)]
    assert await asyncio.gather(*asked) == [0, 1, 2, 3, 4, 5]
    assert groups == [[0, 1, 2], [0, 1, 3], [4, 5]]
    assert first == [0, 0, 4]
    assert batcher.first is None


async def test_what_is_cancelled_is_not_the_first() -> None:
    work = Doubling()
    work.free.clear()
    asked = [work.ask(number) for number in range(3)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asyncio.sleep(0)
    assert work.groups.first == 1
    work.free.set()
    assert await asyncio.gather(*asked[1:]) == [2, 4]
