import asyncio

import pytest

from bot.aio.in_order import InOrder


async def test_who_came_first_goes_on_first_however_long_each_takes() -> None:
    order, went_on = InOrder(), list[int]()

    async def come(number: int, seconds: float) -> None:
        went_on.append(await order.keep("here", asyncio.sleep(seconds, number)))

    async with asyncio.TaskGroup() as tasks:
        for number, seconds in enumerate((0.05, 0.0, 0.02, 0.0)):
            tasks.create_task(come(number, seconds))
    assert went_on == [0, 1, 2, 3]


async def test_another_key_waits_for_nobody() -> None:
    order = InOrder()
    slow = asyncio.create_task(order.keep("here", asyncio.Event().wait()))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert await order.keep("there", asyncio.sleep(0, "done")) == "done"
    slow.cancel()


async def test_who_comes_once_all_are_through_waits_for_nothing() -> None:
    order = InOrder()
    for number in range(3):
        assert await order.keep("here", asyncio.sleep(0, number)) == number
    coroutine = order.keep("here", _at_once())
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
async def test_who_fails_or_leaves_is_not_waited_for_but_those_before_are(how: str) -> None:
    order, first, went_on = InOrder(), asyncio.Event(), list[str]()

    async def come(name: str, event: asyncio.Event) -> None:
        await order.keep("here", event.wait())
        went_on.append(name)

    async def fail() -> None:
        raise OSError("broken")

    there = asyncio.Event()
    there.set()
    one = asyncio.create_task(come("first", first))
    await asyncio.sleep(0)
    two = asyncio.create_task(order.keep("here", fail() if how == "fails" else asyncio.Event().wait()))
    await asyncio.sleep(0)
    three = asyncio.create_task(come("third", there))
    await asyncio.sleep(0)
    two.cancel()
    with pytest.raises(OSError if how == "fails" else asyncio.CancelledError):
        await two
    await asyncio.sleep(0)
    assert went_on == []
    first.set()
    await asyncio.gather(one, three)
    assert went_on == ["first", "third"]


async def _at_once() -> None:
    return
