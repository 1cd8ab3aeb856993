"""A flood of events is worked off a few at a time, and never without bound."""

import asyncio

from bot.reactions.backlog import Backlog
from sandbox.people import until


async def test_what_comes_when_too_much_waits_is_left_out_and_later_ones_are_taken() -> None:
    gate, done = asyncio.Event(), list[int]()

    async def work(item: int) -> None:
        await gate.wait()
        done.append(item)

    backlog = Backlog("taps", work, bound=2, at_once=1)
    assert backlog.put(0)
    await asyncio.sleep(0)  # it is being worked on, and waits no more
    assert [backlog.put(item) for item in (1, 2, 3)] == [True, True, False]
    gate.set()
    await until(lambda: len(done) == 3, "the first three")
    assert backlog.put(4)
    await until(lambda: len(done) == 4, "the fourth")
    assert done == [0, 1, 2, 4]
    await backlog.close()


async def test_what_comes_just_when_the_last_was_done_is_not_left_lying() -> None:
    done, turns = list[int](), asyncio.Event()

    async def work(item: int) -> None:
        done.append(item)
        turns.set()

    backlog = Backlog("taps", work, bound=5, at_once=1)
    backlog.put(0)
    await turns.wait()
    backlog.put(1)
    await until(lambda: done == [0, 1], "the second")
    await backlog.close()


async def test_one_that_fails_does_not_hinder_the_next() -> None:
    done = list[int]()

    async def work(item: int) -> None:
        if item == 0:
            raise ValueError("of no use")
        done.append(item)

    backlog = Backlog("taps", work, bound=5, at_once=1)
    backlog.put(0)
    backlog.put(1)
    await until(lambda: bool(done), "the second")
    assert done == [1]
    await backlog.close()


async def test_closing_ends_what_goes_on_and_takes_nothing_more() -> None:
    begun, ended = list[int](), list[int]()

    async def work(item: int) -> None:
        begun.append(item)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    backlog = Backlog("taps", work, bound=5, at_once=2)
    for item in range(4):
        backlog.put(item)
    await asyncio.sleep(0)
    await backlog.close()
    assert (begun, sorted(ended)) == ([0, 1], [0, 1])
    assert not backlog.put(9)
    await asyncio.sleep(0)
    assert begun == [0, 1]
