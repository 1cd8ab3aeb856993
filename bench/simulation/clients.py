"""Clients to compare: the project's own lane, and simpler ways to submit and poll."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from bench.simulation.world import Job, SimulatedWorld
from bot.engine.lane import (
    MIN_FORECAST_SECONDS,
    Durations,
    Lane,
    Running,
    Send,
    Step,
    Waiting,
    Watch,
    forecast,
)

PREDICTED_EVERY = 1.0  # seconds


class Client(Protocol):
    """Takes a job when it is asked for."""

    def take(self, job: Job) -> None: ...


class EachOnItsOwn:
    """Every job has a loop of its own, without a limit on our side; a 429 is tried again a little later."""

    def __init__(self, world: SimulatedWorld, gap: Callable[[int], float]) -> None:
        self._world = world
        self._gap = gap

    def take(self, job: Job) -> None:
        self._begin(job, 0)

    def _begin(self, job: Job, tries: int) -> None:
        def answered(refused: float | None) -> None:
            if refused is not None:
                pause = min(20.0, 2.0**tries) * self._world.rng.uniform(0.5, 1.5)
                self._world.at(self._world.now + pause, partial(self._begin, job, tries + 1))
            elif job.ends is None:
                self._begin(job, 0)
            else:
                self._poll_later(job, 0)

        self._world.request(job, answered)

    def _poll_later(self, job: Job, polls: int) -> None:
        def answered(_: float | None) -> None:
            if job.seen is None:
                self._poll_later(job, polls + 1)

        pause = self._gap(polls)
        self._world.at(self._world.now + pause, lambda: self._world.request(job, answered))


def fixed(world: SimulatedWorld, seconds: float) -> EachOnItsOwn:
    return EachOnItsOwn(world, lambda _: seconds)


def exponential(world: SimulatedWorld) -> EachOnItsOwn:
    return EachOnItsOwn(world, lambda polls: min(20.0, 1.5**polls) * world.rng.uniform(0.5, 1.5))


class OwnLane:
    """Drives a lane as its runner does."""

    def __init__(
        self, world: SimulatedWorld, durations: Durations, lane: Lane, *, learns: bool = True
    ) -> None:
        self._world = world
        self._durations = durations
        self._lane = lane
        self._learns = learns
        self._alive = True
        self._jobs: dict[str, Job] = {}
        self._under_way: dict[str, Step] = {}
        self._noted: Sequence[float] = ()  # until when requests count, as it was stored before they were sent
        self._woken_at: float | None = None
        self._forecast: dict[str, float] = {}
        self._forecast_until = 0.0
        self.longest_decision = 0.0  # seconds of the real clock
        self.longest_forecast = 0.0

    def take(self, job: Job) -> None:
        self._jobs[job.name] = job
        self._lane.put(self._waiting(job), job.name, self._world.now)
        self._go_on()
        if job.asks:
            # Those who ask at the same moment are told when all of them have asked.
            self._world.at(self._world.now, partial(self._predict, job))

    def _predict(self, job: Job) -> None:
        began = time.perf_counter()
        now = self._world.now
        if job.name not in self._forecast or now > self._forecast_until:
            self._forecast = forecast(self._lane.copy(), now)
            self._forecast_until = now + PREDICTED_EVERY
        wait = self._forecast.get(job.name, now) - now
        job.predicted = wait if wait >= MIN_FORECAST_SECONDS else None
        self.longest_forecast = max(self.longest_forecast, time.perf_counter() - began)

    def killed(self) -> tuple[Sequence[float], list[Job]]:
        """Stop for good. Return what its database has: until when requests count, and the jobs that continue.

        A submission whose answer was not stored does not continue.
        """
        self._alive = False
        lost = {name for name, step in self._under_way.items() if step is not Step.POLL}
        return self._noted, [job for name, job in self._jobs.items() if name not in lost]

    def restart(self, noted: Sequence[float], jobs: list[Job]) -> None:
        """Continue from the database of an earlier life."""
        now = self._world.now
        self._noted = noted
        self._lane.rate.restore(noted, now)
        for job in jobs:
            self._jobs[job.name] = job
            known = self._waiting(job) if job.ends is None else self._running(job)
            self._lane.put(known, job.name, now)
        self._go_on()

    def _running(self, job: Job) -> Running:
        submitted = self._world.now if job.ends is None else min(self._world.now, job.ends - job.takes)
        return Running(job.name, submitted, job.work)

    def _waiting(self, job: Job, not_before: float = 0.0) -> Waiting:
        step = Step.SUBMIT if job.uploaded else Step.UPLOAD
        return Waiting(
            job.name,
            job.user,
            job.asked,
            step,
            job.work,
            not_before,
            begun=job.uploaded,
            held=False,
            price=None,
        )

    def _go_on(self) -> None:
        while True:
            began = time.perf_counter()
            decision = self._lane.decide(self._world.now)
            self.longest_decision = max(self.longest_decision, time.perf_counter() - began)
            if not isinstance(decision, Send):
                break
            now = self._world.now
            self._lane.begin(decision, now)
            self._under_way[decision.job_id] = decision.step
            self._noted = self._lane.rate.note(now)
            self._world.request(self._jobs[decision.job_id], partial(self._answered, decision))
        if decision is not None and (self._woken_at is None or decision < self._woken_at):
            self._woken_at = decision
            self._world.at(decision, partial(self._wake, decision))

    def _wake(self, at: float) -> None:
        if self._woken_at == at and self._alive:
            self._woken_at = None
            self._go_on()

    def _answered(self, send: Send, refused: float | None) -> None:
        if not self._alive:
            return
        job, now = self._jobs[send.job_id], self._world.now
        del self._under_way[job.name]
        self._lane.end(job.name, now, sent=True)
        if refused is not None:
            self._lane.rate.limited(now, refused)
        if job.seen is not None:
            watch = self._lane.running.get(job.name)
            if watch is not None and self._learns:
                self._durations.learn(job.work, watch.since.age, watch.age(now))
            self._lane.put(None, job.name, now)
            del self._jobs[job.name]
        elif job.ends is not None:
            self._lane.put(Running(job.name, now, job.work), job.name, now, again=refused)
        else:
            self._lane.put(self._waiting(job, now + (refused or 0.0)), job.name, now)
        self._go_on()


class RoundRobin(Lane):
    """The lane's limits and queue; polls the job whose last poll is longest ago, at most once a second."""

    def poll_at(self, watch: Watch, now: float) -> float:
        """Return when the job may be polled again."""
        if watch.sent is None:
            return super().poll_at(watch, now)
        return watch.sent + self.tuning.first_poll

    def most_useful(self, due: Iterable[Watch], now: float) -> Watch:
        """Return the job that has been due for longest."""
        return min(due, key=lambda watch: watch.due)
