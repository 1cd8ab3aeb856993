"""Metrics of what passes between the bot and Discord."""

from prometheus_client import CollectorRegistry, Counter, Histogram

# Discord waits 3 seconds for the first answer.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


class DiscordMetrics:
    """Requests to Discord, connections to its gateway, and answers to commands, buttons and forms."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "studii_discord_requests",
            "Requests to Discord's API, by the status of the answer (none: no answer)",
            ("status",),
            registry=registry,
        )
        self._connections = Counter(
            "studii_gateway_connections",
            "Connections to Discord's gateway: new ones, and ones that resumed where the last one broke off",
            ("kind",),
            registry=registry,
        )
        self._interactions = Counter(
            "studii_interactions",
            "Commands, buttons and forms, by the outcome of the first answer",
            ("kind", "outcome"),
            registry=registry,
        )
        self._first_answer = Histogram(
            "studii_first_answer_seconds",
            "From hearing of a command, button or form to Discord's taking the first answer",
            buckets=_SECONDS,
            registry=registry,
        )

    def request(self, status: int | None) -> None:
        """Count a request that was answered with that status, or not at all (None)."""
        self._requests.labels("none" if status is None else str(status)).inc()

    def connection(self, kind: str) -> None:
        """Count a connection to the gateway: "new" or "resumed"."""
        self._connections.labels(kind).inc()

    def interaction(self, kind: str, outcome: str, seconds: float | None = None) -> None:
        """Count an interaction. `seconds` is the time to the first answer, if Discord took one."""
        self._interactions.labels(kind, outcome).inc()
        if seconds is not None:
            self._first_answer.observe(max(0.0, seconds))
