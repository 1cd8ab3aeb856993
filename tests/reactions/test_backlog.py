"""A flood of events is worked off a few at a time, and never without bound."""

import asyncio

from bot.reactions.backlog import Backlog
from tests.support.simulated.people import until

HERE, THERE = 1, 2  # servers


async def test_closing_ends_what_goes_on_and_takes_nothing_more() -> None:
    begun, ended = list[int](), list[int]()

    async def work(item: int) -> None:
        begun.append(item)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    backlog = Backlog("taps", work, bound=5, bound_in_all=9, at_once=2)
    for item in range(4):
        backlog.put(item, item)
    await asyncio.sleep(0)
    await backlog.close()
    assert (begun, sorted(ended)) == ([0, 1], [0, 1])
    assert not backlog.put(HERE, 9)
    await asyncio.sleep(0)
    assert begun == [0, 1]


async def test_a_server_does_not_wait_for_anothers_flood_nor_is_dropped_for_it() -> None:
    gate, done = asyncio.Event(), list[str]()

    async def work(item: str) -> None:
        await gate.wait()
        done.append(item)

    backlog = Backlog("photos", work, bound=3, bound_in_all=9, at_once=1)
    assert [backlog.put(HERE, f"here {number}") for number in range(5)] == [True, True, True, False, False]
    assert backlog.put(THERE, "there")
    await asyncio.sleep(0)  # the first is being worked on
    gate.set()
    await until(lambda: len(done) == 4, "all of them")
    assert done == ["here 0", "there", "here 1", "here 2"]
    await backlog.close()


async def test_several_of_a_server_are_done_at_once_but_what_concerns_one_photo_in_order() -> None:
    gates = {name: asyncio.Event() for name in ("a1", "a2", "b1", "c1", "d1")}
    begun = list[str]()

    async def work(item: str) -> None:
        begun.append(item)
        await gates[item].wait()

    backlog = Backlog("taps", work, bound=9, bound_in_all=9, at_once=4, abreast=2, key=lambda item: item[0])
    for item in gates:
        backlog.put(HERE, item)
    await until(lambda: len(begun) == 2, "two of them")
    assert begun == ["a1", "b1"]  # a2 is about the same photo as a1
    gates["b1"].set()
    await until(lambda: len(begun) == 3, "the next")
    assert begun[-1] == "c1"
    gates["a1"].set()
    await until(lambda: len(begun) == 4, "another")
    for gate in gates.values():
        gate.set()
    await until(lambda: len(begun) == 5, "the last")
    backlog.put(HERE, "a1")
    await until(lambda: len(begun) == 6, "one that comes later")
    await backlog.close()
