"""Positions in a lane's queue, whatever has changed since they were last asked for."""

import random
from dataclasses import replace

import pytest

from bot.engine.lane import Lane, Send, Step
from tests.engine.lane.lanes import lane_of, running, sync, waiting

USERS, PRICES = 4, 3
CHANGES = 300


@pytest.mark.parametrize("seed", range(10))
def test_positions_are_those_of_a_queue_that_is_ordered_anew(seed: int) -> None:
    chance, lane = random.Random(seed), lane_of()
    for number in range(CHANGES):
        change(lane, number, chance)
        order = [one.id for one in lane.copy().order()]
        assert [one.id for one in lane.order()] == order
        first: dict[str, str] = {}
        for number, one in enumerate(lane.order(), 1):
            first.setdefault(one.price or one.id, one.id)
            assert lane.place(one.id) == (number, first[one.price or one.id] != one.id)


def change(lane: Lane, number: int, chance: random.Random) -> None:
    """Do one of the things that happen to a queue."""
    some = chance.choice(sorted(lane.waiting)) if lane.waiting else ""
    match chance.randrange(8):
        case 0 | 1 | 2:
            price = chance.choice([None, *(f"price {n}" for n in range(PRICES))])
            added = replace(waiting(f"{number}", chance.randrange(USERS), chance.random()), price=price)
            lane.put(added, added.id, number)
        case 3 if some and some not in lane.in_flight:
            lane.begin(Send(some, Step.SUBMIT), number)
        case 4 if lane.in_flight:
            sent = chance.choice(sorted(lane.in_flight))
            job = chance.choice([None, replace(lane.waiting[sent], begun=True), running(sent, number)])
            lane.end(sent, number, sent=True)
            lane.put(job, sent, number)
        case 5:
            lane.postpone(some, float(number))
        case 6:
            sync(lane, [one for one in lane.waiting.values() if chance.random() < 0.9], [], number)
        case _ if some not in lane.in_flight:
            lane.put(None, some, number)
        case _:
            pass
