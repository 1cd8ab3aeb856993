"""Measure the time of one decision of the lane."""

import time
from dataclasses import replace
from random import Random
from statistics import median

from bench.simulation.loads import IMAGE, USUAL, VIDEO
from bench.simulation.measure import observe
from bot.engine.lane import Durations, Lane, Running, Send, Step, Waiting
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning


def decision_milliseconds(*, running: int = 150, waiting: int = 50) -> float:
    """Return the median time of decisions in a lane with `jobs` jobs, all of them due."""
    rng, tuning = Random(3), Tuning()
    durations = Durations(lambda work: USUAL[work].median)
    for work in (IMAGE, VIDEO):
        observe(durations, work, USUAL[work], rng, 100)
    lane = Lane(RateWindow(300, tuning), durations, tuning)
    works = (IMAGE, VIDEO)
    first = Waiting("w0", 0, 0, Step.UPLOAD, IMAGE, not_before=0.0, begun=False, held=False, price=None)
    for n in range(waiting):
        lane.enter(replace(first, id=f"w{n}", user_id=n % 7, since=n, work=works[n % 2]), 0.0)
    for n in range(running):
        lane.enter(Running(f"r{n}", -rng.uniform(5.0, 90.0), works[n % 2]), 0.0)
    times: list[float] = []
    for turn in range(200):
        now = turn * 0.5
        began = time.perf_counter()
        decision = lane.decide(now)
        times.append(time.perf_counter() - began)
        if isinstance(decision, Send) and decision.step is Step.POLL:
            lane.begin(decision, now)
            lane.end(decision.job_id, now + 0.2, sent=True)
            lane.put(Running(decision.job_id, 0.0, IMAGE), decision.job_id, now + 0.2)
    return 1000 * median(times)
