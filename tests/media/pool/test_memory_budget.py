"""Pictures share the memory: large ones come one at a time, and nobody waits for ever."""

import asyncio

import pytest

from bot.media.memory import MemoryBudget


async def test_large_pictures_come_one_at_a_time_and_small_ones_beside_them() -> None:
    memory = MemoryBudget(100)
    order: list[str] = []

    async def large(name: str) -> None:
        async with memory.large(80):
            order.append(name)
            await release.wait()

    release = asyncio.Event()
    tasks = [asyncio.create_task(large("first")), asyncio.create_task(large("second"))]
    await asyncio.sleep(0)
    async with memory.small(20):
        assert order == ["first"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), memory.small(1):
                pass
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "second"]
    async with memory.small(100):
        pass


async def test_smaller_ones_among_the_large_go_first_but_not_for_ever() -> None:
    memory = MemoryBudget(1_000_000_000)
    order: list[str] = []

    async def large(name: str, size: int) -> None:
        async with memory.large(size):
            order.append(name)
            await asyncio.sleep(0)

    async with memory.large(1):
        tasks = [asyncio.create_task(large("largest", 560_000_000))]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(large("larger", 150_000_000)) for _ in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert 3 < order.index("largest") < 10


async def test_a_large_picture_gets_its_turn_among_many_small_ones() -> None:
    memory = MemoryBudget(100)
    done: list[str] = []

    async def small() -> None:
        async with memory.small(60):
            done.append("small")
            await asyncio.sleep(0)

    async def large() -> None:
        async with memory.large(80):
            done.append("large")

    async with memory.small(60):
        tasks = [asyncio.create_task(large())]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(small()) for _ in range(5)]
        await asyncio.sleep(0)
        assert done == []
    await asyncio.gather(*tasks)
    assert done[0] == "large"
