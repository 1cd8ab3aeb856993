"""The record of requests, for tests and the demo."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.studii.faults import Endpoint, Fault


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request.

    `status` is None if the connection was closed without an answer; `key` is the hint of the key that it
    carried; `body` holds the first 500 characters of a JSON body.
    """

    at: datetime
    monotonic: float
    endpoint: Endpoint
    key: str | None
    status: int | None
    job_id: str | None
    body: str
    fault: Fault | None


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, size: int = 20_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=size)

    def add(self, record: RequestRecord) -> None:
        self._records.append(record)

    def of(
        self, endpoint: Endpoint | None = None, *, status: int | None = None, key: str | None = None
    ) -> list[RequestRecord]:
        """Return the requests to an endpoint, with a status, or with a key (its hint), as far as these are
        given."""
        return [
            record
            for record in self._records
            if (endpoint is None or record.endpoint == endpoint)
            and (status is None or record.status == status)
            and (key is None or record.key == key)
        ]

    def count(
        self, endpoint: Endpoint | None = None, *, status: int | None = None, key: str | None = None
    ) -> int:
        return len(self.of(endpoint, status=status, key=key))

    def clear(self) -> None:
        self._records.clear()

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(tuple(self._records))

    def __len__(self) -> int:
        return len(self._records)
