import asyncio

import pytest

from bot.aio import tasks
from bot.aio.tasks import InOrder, PlaceInOrder


@pytest.mark.parametrize("how", ["leaves", "is cancelled"])
async def test_who_leaves_is_not_waited_for_but_those_before_are(how: str) -> None:
    order, went_on = InOrder(), list[str]()

    async def take(name: str, place: PlaceInOrder) -> None:
        await place.turn()
        went_on.append(name)

    first, second, third = (order.arrive("here") for _ in range(3))
    tasks = [asyncio.create_task(take("second", second)), asyncio.create_task(take("third", third))]
    await asyncio.sleep(0)
    if how == "leaves":
        second.leave()
        second.leave()
    else:
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
    await asyncio.sleep(0)
    assert went_on == []
    await first.turn()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert went_on == (["second", "third"] if how == "leaves" else ["third"])


async def test_who_is_waited_for_too_long_is_overtaken_but_the_others_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "WAIT_FOR_EARLIER", 0.05)
    order = InOrder()
    first, second, third = (order.arrive("here") for _ in range(3))
    await second.turn()
    waiting = asyncio.create_task(third.turn())
    await asyncio.sleep(0)
    assert not waiting.done()  # the first one has not gone, so the third one waits as long for it
    first.leave()
    await waiting
