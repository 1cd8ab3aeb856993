"""Metrics for Prometheus. They contain no name or id of a server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from bot.monitoring.discord_metrics import DiscordMetrics
from bot.version import VERSION

# Buckets from an immediate posting to one that waited for Discord.
_SECONDS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_DATABASE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

disable_created_metrics()  # a time for each counter, which Prometheus doesn't read in this format


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Figures that are read when the metrics are requested.

    `jobs` is by state and tool. `lanes` is the share of each lane's requests in use, by the lane's hash.
    `spool` is the bytes in use, and the most there may be. `shards` are those that this process serves, and
    those that no process does.
    """

    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    credits_reserved: int = 0
    credits_spent: int = 0
    lanes: Mapping[str, float] = field(default_factory=dict[str, float])
    oldest_due_poll: float = 0.0
    unreadable_rows: int = 0
    spool: tuple[int, int] = (0, 0)
    gateway: bool = False
    shards: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Vitals:
    """Functions that read the state of the running parts."""

    alive: Callable[[], bool]
    gateway: Callable[[], bool]
    oldest_due_poll: Callable[[], float]
    lanes: Callable[[], Mapping[str, float]]
    spool: Callable[[], tuple[int, int]] = lambda: (0, 0)


class _Gauges:
    """The metrics that a snapshot sets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self._jobs = gauge("studii_jobs", "Jobs by state and tool", "state", "tool")
        self._credits = gauge("studii_credits", "Credits reserved for open jobs, and spent so far", "what")
        self._lanes = gauge(
            "studii_lane_occupancy",
            "Share of the requests that a key allows in a minute that is in use",
            "lane",
        )
        self._overdue = gauge("studii_oldest_due_poll_seconds", "How late the most overdue poll of a job is")
        self._unreadable = gauge(
            "studii_unreadable_rows",
            "Rows of the database that could not be read since the start; see doctor",
        )
        self._gateway = gauge("studii_gateway_connected", "Whether Discord's gateway is connected")
        self._spool = gauge(
            "studii_spool_bytes", "Photos and results on their way, in bytes: used, and the limit", "what"
        )

        self._shards = gauge(
            "studii_shards",
            "Shards of Discord's gateway: held by this process, and free, as no process serves them",
            "what",
        )

    def show(self, now: Snapshot) -> None:
        """Set all of them."""
        for what, amount in zip(("held", "free"), now.shards, strict=True):
            self._shards.labels(what).set(amount)
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
        self._gateway.set(now.gateway)
        for what, amount in zip(("used", "limit"), now.spool, strict=True):
            self._spool.labels(what).set(amount)


class Metrics:
    """The metrics, in a registry of their own, so that two bots in a process share none."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=registry), partial(Histogram, registry=registry)
        Info("studii_build", "The version that runs", registry=registry).info({"version": VERSION})
        ProcessCollector(namespace="studii", registry=registry)
        self.discord = DiscordMetrics(registry)
        self._gauges = _Gauges(registry)
        self._requests = counter(
            "studii_requests",
            "Requests to Studii and its storage, by kind and by status of the answer (none: no answer)",
            ("kind", "status"),
        )
        self._limited = counter("studii_rate_limited", "Answers from Studii with status 429")
        self._posted = histogram(
            "studii_finished_to_posted_seconds",
            "From noticing that a job has ended to its message in Discord",
            buckets=_SECONDS,
        )
        database = histogram(
            "studii_database_seconds",
            "Time of a transaction (read, write), and of waiting for the turn to write (turn)",
            ("what",),
            buckets=_DATABASE_SECONDS,
        )
        # Finding the one with a label takes longer than to count; there are three.
        self._database = {what: database.labels(what) for what in ("read", "write", "turn")}
        self._refused = counter(
            "studii_database_failures",
            "Transactions that failed: a full disk, a server that is away, or a wait that was too long",
        )
        self._decoders = counter(
            "studii_decoder_deaths",
            "Processes that open pictures and ended on one, or exceeded a bound",
        )
        self._takeovers = counter("studii_takeovers", "Shards that this process has taken")
        self._fences = counter(
            "studii_fences_met",
            "Transactions that were refused because another process had taken over",
        )

    def cluster(self, what: str) -> None:
        """Count a shard that was taken over ("takeover"), or a transaction that found another process in this
        one's place ("fence")."""
        (self._takeovers if what == "takeover" else self._fences).inc()

    def request(self, kind: str, status: int | None) -> None:
        """Count a request to Studii that was answered with that status, or not at all (None)."""
        self._requests.labels(kind, "none" if status is None else str(status)).inc()
        if status == 429:
            self._limited.inc()

    def posted(self, seconds: float) -> None:
        """Record the seconds from noticing a job's end to its posting in Discord."""
        self._posted.observe(max(0.0, seconds))

    def database(self, what: str, seconds: float) -> None:
        """Record the seconds of a transaction ("read", "write") or of waiting to write ("turn"), or count one
        of those that failed ("failure")."""
        if what == "failure":
            self._refused.inc()
        else:
            self._database[what].observe(max(0.0, seconds))

    def decoder_died(self) -> None:
        """Count a decoder that died on a picture or exceeded a bound."""
        self._decoders.inc()

    def render(self, now: Snapshot) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._gauges.show(now)
        return generate_latest(self._registry)
