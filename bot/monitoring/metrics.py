"""Metrics for Prometheus. They contain no name or id of a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Buckets from an immediate posting to one that waited for Discord.
_SECONDS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Figures that are read when the metrics are requested.

    `jobs` is by state and tool. `lanes` is the share of each lane's requests in use, by the lane's hash.
    """

    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    credits_reserved: int = 0
    credits_spent: int = 0
    lanes: Mapping[str, float] = field(default_factory=dict[str, float])
    oldest_due_poll: float = 0.0
    unreadable_rows: int = 0


class Metrics:
    """The metrics, in a registry of their own, so that two bots in a process share none."""

    # Long: a list of the metrics, with their texts.
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "studii_requests",
            "Requests to Studii and its storage, by kind and by the status of the answer (none: no answer)",
            ("kind", "status"),
            registry=self._registry,
        )
        self._limited = Counter(
            "studii_rate_limited", "Answers of Studii with status 429", registry=self._registry
        )
        self._posted = Histogram(
            "studii_finished_to_posted_seconds",
            "From noticing that a job has ended to its message in Discord",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._jobs = Gauge(
            "studii_jobs", "Jobs by state and tool", ("state", "tool"), registry=self._registry
        )
        self._credits = Gauge(
            "studii_credits",
            "Credits reserved for open jobs, and spent so far",
            ("what",),
            registry=self._registry,
        )
        self._lanes = Gauge(
            "studii_lane_occupancy",
            "Share of the requests that a key allows in a minute that is in use",
            ("lane",),
            registry=self._registry,
        )
        self._overdue = Gauge(
            "studii_oldest_due_poll_seconds",
            "How late the most overdue poll of a job is",
            registry=self._registry,
        )

        self._unreadable = Gauge(
            "studii_unreadable_rows",
            "Rows of the database that could not be read since the start; see doctor",
            registry=self._registry,
        )

    def request(self, kind: str, status: int | None) -> None:
        """Count a request to Studii that was answered with that status, or not at all (None)."""
        self._requests.labels(kind, "none" if status is None else str(status)).inc()
        if status == 429:
            self._limited.inc()

    def posted(self, seconds: float) -> None:
        """Record the seconds from noticing a job's end to its posting in Discord."""
        self._posted.observe(max(0.0, seconds))

    def render(self, now: Snapshot) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._jobs.clear()
        for (state, tool), count in now.jobs.items():
            self._jobs.labels(state, tool).set(count)
        self._lanes.clear()
        for lane, share in now.lanes.items():
            self._lanes.labels(lane).set(share)
        self._credits.labels("reserved").set(now.credits_reserved)
        self._credits.labels("spent").set(now.credits_spent)
        self._overdue.set(now.oldest_due_poll)
        self._unreadable.set(now.unreadable_rows)
        return generate_latest(self._registry)
