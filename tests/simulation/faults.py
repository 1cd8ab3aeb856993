"""What goes wrong between a process and a server, drawn from the seed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulation.loop import Clock, Plan


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `dropped`: the connection ends before anything happened. `lost`: it happens, and the connection ends
    without an answer. `stalled`: it happens, and no answer ever comes. `slow`: the answer takes `seconds`
    longer. `502 after`: it happens, and a proxy says 502. `cut`: the answer's last byte is missing.
    `garbled`: half of its body is missing. The others are answers without an effect.
    """

    kind: str
    seconds: float = 0.0

    @property
    def happens(self) -> bool:
        return self.kind in {"lost", "stalled", "slow", "502 after", "cut", "garbled"}


EVERY: Mapping[str, int] = {
    "dropped": 3,
    "lost": 3,
    "stalled": 1,
    "slow": 3,
    "500": 3,
    "502": 2,
    "503": 1,
    "504": 1,
    "502 after": 3,
    "429": 2,
    "cut": 1,
}
"""Kinds of faults with their weights."""


class Faults:
    """Draws a fault for each request, with a probability for each server, and its hours away.

    `share` is that probability; `kinds` what may be drawn. Nothing goes wrong before `begins` and after
    `ends`. `met` counts what went wrong, by server and kind. `planned` are faults of the next requests
    that have a text in their server, method and path.
    """

    def __init__(self, clock: Clock, ends: float, begins: float) -> None:
        self._clock, self._rand = clock, clock.random("faults")
        self.begins, self.ends = begins, ends
        self.share: dict[str, float] = {}
        self.kinds: dict[str, Mapping[str, int]] = {}
        self.met: Counter[str] = Counter()
        self.planned: list[tuple[str, Fault]] = []
        self.spoilt: list[tuple[float, str, str]] = []  # when, server, path
        self.outages: list[tuple[float, float, str]] = []  # from, until, server
        self.unreadable: list[tuple[float, float, int]] = []  # from, until, channel: its past
        self.wrong_clock: list[tuple[float, float]] = []  # from when to when the machine's was wrong
        self._away: dict[str, tuple[str, float]] = {}

    @property
    def active(self) -> bool:
        return self.begins <= self._clock.now < self.ends

    def of(self, server: str, method: str, path: str) -> Fault | None:
        """Draw what happens to a request."""
        for planned in self.planned:
            if planned[0] in f"{server} {method} {path}":
                self.planned.remove(planned)
                self.spoilt.append((self._clock.now, server, path))
                return planned[1]
        share = self.share.get(server, 0.0)
        drawn = self._rand.random()
        if not self.active or drawn >= share:
            return None
        kinds = self.kinds.get(server, EVERY)
        (kind,) = self._rand.choices(list(kinds), list(kinds.values()))
        self.note(f"{server} {kind}")
        self.spoilt.append((self._clock.now, server, path))
        return Fault(kind, self._rand.choice((0.5, 2.0, 5.0, 31.0)) if kind == "slow" else 0.0)

    def note(self, kind: str) -> None:
        """Count something that went wrong."""
        self.met[kind] += 1

    def away(self, server: str) -> str | None:
        """Return how a server can't be reached now: its name isn't found, or nobody answers."""
        how, until = self._away.get(server, ("", 0.0))
        return how if self._clock.now < until else None

    def outage(self, server: str, seconds: float) -> None:
        """Let nobody reach a server for a while."""
        how = self._rand.choice(("dns", "refused"))
        self._away[server] = (how, self._clock.now + seconds)
        self.outages.append((self._clock.now, self._clock.now + seconds, server))
        self.note(f"{server} away")
        self._clock.note("away", server, how, f"{seconds:.0f}")

    def outages_of(self, server: str, often: float, mean: float) -> Plan:
        """Let a server be away so often a second: a plan for the clock."""
        while True:
            yield self._rand.expovariate(often)
            if self.active:
                long = 30 if self._rand.random() < 0.1 else 1  # an hour and more
                self.outage(server, self._rand.expovariate(1 / mean) * long)
