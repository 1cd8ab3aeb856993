"""Jobs: how long they take and how they end, worked out from the clock whenever somebody asks."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf, log

from sandbox.studii.keys import Key
from sandbox.studii.tools import JobRequest, Kind


@dataclass(frozen=True)
class Output:
    data: bytes
    content_type: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a job; the default is success.

    `duration` and `url_after` are in seconds. `charge` replaces the price, and `final_charge` that of
    the last answer. `status` is shown in place of "processing".
    """

    fails: str | None = None
    refunded: bool = True
    status: str | None = None
    never_ends: bool = False
    without_url: bool = False
    url_after: float = 0.0
    duration: float | None = None
    charge: int | None = None
    final_charge: int | None = None
    output: Output | None = None


PROMPT_CONVENTIONS = {
    "[fail]": "the job fails and its credits come back",
    "[fail-charged]": "the job fails and its credits stay charged",
    "[slow]": "the job takes ten times as long",
    "[stuck]": "the job never ends",
}
"""Words that do something when they stand in any text input, to try them from the demo page."""


def outcome_from_text(text: str, duration: float) -> Outcome:
    """Return the outcome that a text asks for by convention. `duration` is that without a convention."""
    if "[fail-charged]" in text:
        return Outcome(fails="The model refused this prompt.", refunded=False)
    if "[fail]" in text:
        return Outcome(fails="The model could not finish this picture.")
    if "[stuck]" in text:
        return Outcome(never_ends=True)
    if "[slow]" in text:
        return Outcome(duration=duration * 10)
    return Outcome()


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Median seconds from creation to the end, and the spread (sigma of the lognormal)."""

    image: float = 3.0
    video: float = 6.0
    spread: float = 0.3

    def draw(self, kind: Kind, rng: random.Random) -> float:
        median = self.video if kind == "video" else self.image
        return rng.lognormvariate(log(median), self.spread) if median > 0 else 0.0


@dataclass
class Job:
    id: str
    key: Key
    request: JobRequest
    outcome: Outcome
    created_at: datetime
    created: float
    duration: float
    charged: int
    seed: int
    source: bytes | None
    output_token: str

    @property
    def ends(self) -> float:
        """The time on the monotonic clock at which the job ends."""
        return inf if self.outcome.never_ends else self.created + self.duration

    def status(self, now: float) -> str:
        if now >= self.ends:
            return "failed" if self.outcome.fails is not None else "completed"
        if now < self.created + self.duration * 0.15:
            return "queued"
        return self.outcome.status or "processing"

    def credits_charged(self, now: float) -> int:
        """Return the credits charged for the job as of `now`."""
        if now < self.ends:
            return self.charged
        if self.outcome.final_charge is not None:
            return self.outcome.final_charge
        return 0 if self.outcome.fails is not None and self.outcome.refunded else self.charged

    def has_url(self, now: float) -> bool:
        done = self.status(now) == "completed" and not self.outcome.without_url
        return done and now >= self.ends + self.outcome.url_after

    def answer(self, now: float, output_url: str) -> dict[str, object]:
        """Return the body of GET /jobs/{id} (Studii API docs, Poll status)."""
        status = self.status(now)
        over = status in ("completed", "failed")
        completed_at = self.created_at + timedelta(seconds=self.duration)
        return {
            "id": self.id,
            "status": status,
            "output_url": output_url if self.has_url(now) else None,
            "output_kind": self.request.kind if status == "completed" else None,
            "tool": self.request.tool,
            "error": self.outcome.fails if status == "failed" else None,
            "created_at": self.created_at.isoformat(timespec="milliseconds"),
            "completed_at": completed_at.isoformat(timespec="milliseconds") if over else None,
            "credits_charged": self.credits_charged(now),
        }
