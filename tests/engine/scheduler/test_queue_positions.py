"""Positions in a lane's queue, whatever has changed since they were last asked for."""

import random
from dataclasses import replace

import pytest

from bot.engine.scheduler.queue import LaneQueue
from tests.engine.scheduler.lanes import waiting

USERS, PRICES = 4, 3
CHANGES = 300


@pytest.mark.parametrize("seed", range(10))
def test_positions_are_those_of_a_queue_that_is_ordered_anew(seed: int) -> None:
    chance, queue = random.Random(seed), LaneQueue()
    busy: dict[str, str] = {}
    for number in range(CHANGES):
        change(queue, busy, number, chance)
        fresh = queue.copy()
        order = [one.id for one in fresh.order(busy)]
        assert [one.id for one in queue.order(busy)] == order
        assert [queue.position(name, busy) for name in order] == list(range(1, len(order) + 1))
        assert [queue.jobs[name] for name in order] == list(queue.order(busy))
        first: dict[str, str] = {}
        for one in fresh.order(busy):
            first.setdefault(one.price or one.id, one.id)
            assert queue.waits_for_price(one.id, busy) == (first[one.price or one.id] != one.id)


def test_a_job_that_does_not_wait_has_no_position() -> None:
    queue = LaneQueue()
    queue.add(waiting("a"))
    assert (queue.position("a", ()), queue.position("b", ())) == (1, None)
    queue.remove("a")
    assert queue.position("a", ()) is None


def change(queue: LaneQueue, busy: dict[str, str], number: int, chance: random.Random) -> None:
    """Do one of the things that happen to a queue."""
    some = chance.choice(sorted(queue.jobs)) if queue.jobs else ""
    match chance.randrange(10):
        case 0 | 1 | 2:
            price = chance.choice([None, *(f"price {n}" for n in range(PRICES))])
            queue.add(replace(waiting(f"{number}", chance.randrange(USERS), chance.random()), price=price))
        case 3:
            queue.remove(some)
            busy.pop(some, None)
        case 4:
            queue.begin(some)
            busy[some] = "submitting"
        case 5:
            busy.pop(some, None)
            if some:
                queue.add(replace(queue.jobs[some], begun=True))
        case 6:
            busy.pop(some, None)
        case 7:
            queue.postpone(some, float(number))
        case 8:
            queue.priced(f"price {chance.randrange(PRICES)}")
        case _:
            left = [one for one in queue.jobs.values() if chance.random() < 0.9]
            queue.sync(left, busy)
