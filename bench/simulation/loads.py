"""Loads of a key: kinds of work, and the arrivals of jobs."""

from dataclasses import dataclass
from math import erfc, exp, log, sqrt
from random import Random

from bot.engine.lane import Work

IMAGE, VIDEO = Work("studio", "image"), Work("studio", "video")


@dataclass(frozen=True)
class Lasting:
    """The real durations of jobs: lognormal, with some immediate failures and some cold starts."""

    median: float  # seconds
    spread: float  # of the logarithm
    fail_fast: float = 0.0  # the share that ends after one to three seconds
    cold: float = 0.0  # the share that takes `warm_up` seconds more
    warm_up: float = 40.0

    def draw(self, rng: Random) -> float:
        luck = rng.random()
        if luck < self.fail_fast:
            return rng.uniform(1.0, 3.0)
        took = self.median * exp(self.spread * rng.gauss(0.0, 1.0))
        return took + self.warm_up if luck < self.fail_fast + self.cold else took

    def ended(self, age: float) -> float:
        """Return the probability to have ended by that age."""
        body = 1.0 - self.fail_fast - self.cold
        fast = min(1.0, max(0.0, (age - 1.0) / 2.0))
        return self.fail_fast * fast + body * self._body(age) + self.cold * self._body(age - self.warm_up)

    @property
    def mean(self) -> float:
        warm = self.median * exp(self.spread**2 / 2)
        return self.fail_fast * 2.0 + (1.0 - self.fail_fast) * warm + self.cold * self.warm_up

    def _body(self, age: float) -> float:
        return erfc(-log(age / self.median) / self.spread / sqrt(2)) / 2 if age > 0 else 0.0


USUAL = {IMAGE: Lasting(12.0, 0.5), VIDEO: Lasting(90.0, 0.6)}
ROUGH = {
    IMAGE: Lasting(12.0, 0.5, fail_fast=0.05, cold=0.2),
    VIDEO: Lasting(90.0, 0.6, fail_fast=0.05, cold=0.2),
}
MIXES = {"images": {IMAGE: 1.0}, "videos": {VIDEO: 1.0}, "mixed": {IMAGE: 0.7, VIDEO: 0.3}}


@dataclass(frozen=True)
class Load:
    """`in_flight` jobs on average (steady), or as many at once (burst), on a key of `limit` a minute."""

    mix: str
    limit: int
    in_flight: int
    burst: bool = False

    @property
    def name(self) -> str:
        return f"{self.mix}, {self.limit}/min, {self.in_flight} {'at once' if self.burst else 'in flight'}"

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.in_flight / sum(share * USUAL[work].mean for work, share in MIXES[self.mix].items())

    @property
    def polls(self) -> float:
        """Requests per job that an upload and a submission leave for polls."""
        return self.limit / 60 / self.rate - 2

    def arrivals(self, rng: Random, lasts: float) -> list[float]:
        """Return the arrivals of jobs in seconds."""
        if self.burst:
            return [0.0] * self.in_flight
        # Poisson, given their number: by luck, a run of so few would be another load than the bound is for.
        return sorted(rng.uniform(0.0, lasts) for _ in range(max(1, round(self.rate * lasts))))

    def works(self, rng: Random, number: int) -> list[Work]:
        """Return the work of each job."""
        mix = MIXES[self.mix]
        return rng.choices(list(mix), list(mix.values()), k=number)
