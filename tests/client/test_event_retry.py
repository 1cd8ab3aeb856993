"""Events that nobody repeats outlast an outage."""

import asyncio

import pytest

from bot.aio import tasks
from bot.client.event_retry import EventRetry
from bot.errors import Outage


class Database:
    """Notes what is done, and what is compared, unless it is away."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.tries = 0
        self.is_away = True

    async def do(self, what: str) -> None:
        self.tries += 1
        if self.is_away:
            raise Outage
        self.done.append(what)

    async def compare(self) -> None:
        await self.do("compared")


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "OUTAGE_PAUSE", 0.01)


async def test_what_is_told_during_an_outage_is_done_after_it_in_order() -> None:
    database = Database()
    events = EventRetry(10, database.compare)
    told = [
        asyncio.create_task(events.handle(1, lambda what=what: database.do(what)))
        for what in ("left", "joined", "left again")
    ]
    await asyncio.sleep(0.05)
    database.is_away = False
    await asyncio.gather(*told)
    await events.handle(1, lambda: database.do("joined later"))
    assert database.done == ["left", "joined", "left again", "joined later"]


async def test_when_too_many_wait_a_comparison_makes_up_for_those_that_are_dropped() -> None:
    database = Database()
    events = EventRetry(2, database.compare)
    told = [
        asyncio.create_task(events.handle(number, lambda number=number: database.do(f"left {number}")))
        for number in range(6)
    ]
    await asyncio.sleep(0.05)
    assert sum(task.done() for task in told) == 3  # one compares for all that were dropped
    database.is_away = False
    await asyncio.gather(*told)
    assert sorted(database.done) == ["compared", "left 0", "left 1"]


async def test_an_error_that_is_no_outage_is_not_repeated_and_the_next_event_is_handled() -> None:
    database = Database()
    database.is_away = False
    events = EventRetry(2, database.compare)

    async def broken() -> None:
        raise ValueError("of no use")

    with pytest.raises(ValueError, match="of no use"):
        await events.handle(1, broken)
    await events.handle(1, lambda: database.do("left"))
    assert database.done == ["left"]


async def test_a_stop_ends_what_waits_for_the_end_of_an_outage() -> None:
    database = Database()
    events = EventRetry(2, database.compare)
    waiting = asyncio.create_task(events.handle(1, lambda: database.do("left")))
    await asyncio.sleep(0.005)
    events.close()
    assert (await asyncio.wait({waiting}, timeout=5))[0] == {waiting}
    assert waiting.cancelled()
