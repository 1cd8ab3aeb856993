"""Lanes, and what runs and waits on them."""

from collections.abc import Collection

from bench.simulation.loads import IMAGE, VIDEO
from bot.engine.lane import Durations, Lane, Running, Send, Step, Waiting, Work
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning

TUNING = Tuning()


def lane_of(limit: int = 60, tuning: Tuning = TUNING) -> Lane:
    durations = Durations({IMAGE: 12.0, VIDEO: 90.0}.__getitem__)
    return Lane(RateWindow(limit, tuning), durations, tuning)


def running(name: str, submitted: float, work: Work = IMAGE) -> Running:
    return Running(name, submitted, work)


def waiting(name: str, user: int = 1, since: float = 0.0, step: Step = Step.SUBMIT) -> Waiting:
    return Waiting(name, user, since, step, IMAGE, not_before=0.0, begun=False, held=False, price=None)


def sync(lane: Lane, waiting: Collection[Waiting], running: Collection[Running], now: float) -> None:
    """Let these be the lane's jobs, except for those with a request under way."""
    there = {one.id for one in (*waiting, *running)}
    for one in {*lane.waiting, *lane.running} - there - lane.in_flight.keys():
        lane.put(None, one, now)
    for job in (*waiting, *running):
        lane.enter(job, now)


def is_empty(lane: Lane) -> bool:
    return not (lane.waiting or lane.running or lane.in_flight)


def take(lane: Lane, now: float = 0.0) -> Send:
    """What the lane sends now; it stays under way."""
    decision = lane.decide(now)
    assert isinstance(decision, Send)
    lane.begin(decision, now)
    return decision
