"""Discord's rate limits: of a bucket, of all requests of a token, and of refused requests.

https://discord.com/developers/docs/topics/rate-limits
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.discord.emulator.faults import FaultHandler
from sandbox.discord.emulator.refusals import answer_with

SECOND, TEN_MINUTES = 1.0, 600.0
COUNTED_AGAINST_THE_ADDRESS = frozenset({401, 403, 429})


@dataclass(frozen=True)
class Limit:
    """At most `most` requests in `seconds`."""

    most: int
    seconds: float


@dataclass(frozen=True)
class Limits:
    """The limits by kind of request (see `routes`), for each channel or token; `all_together` is the token's,
    `refused` the address's: after that number of refusals in ten minutes everything is refused."""

    by_call: Mapping[str, Limit] = field(
        default_factory=lambda: {
            "send": Limit(5, 5.0),
            "edit": Limit(5, 5.0),
            "delete": Limit(5, 1.0),
            "react": Limit(1, 0.25),
            "unreact": Limit(1, 0.25),
            "followup": Limit(5, 2.0),
            "answer": Limit(5, 2.0),
            "dm": Limit(10, 10.0),
        }
    )
    all_together: int = 50
    refused: int = 10_000


@dataclass
class _Bucket:
    """A window that begins with the first request in it."""

    left: int
    ends: float


class RateLimits:
    """Counts requests; without `limits` it refuses none."""

    def __init__(self, limits: Limits | None, now: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._now = now
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._second = _Bucket(0, 0.0)
        self._refused: deque[float] = deque()

    def clear(self) -> None:
        """Forget what was counted."""
        self._buckets.clear()
        self._refused.clear()
        self._second = _Bucket(0, 0.0)

    def limited(self, call: str, handler: FaultHandler) -> FaultHandler:
        """Return the handler with the limits of that kind of request in front."""

        async def handle(request: web.Request) -> web.StreamResponse:
            limits = self.limits
            if limits is None:
                return await handler(request)
            if self._banned(limits):
                return web.Response(status=429, text="error code: 1015", content_type="text/html")
            own = "token" in request.match_info  # interactions are not counted with the others
            wait = 0.0 if own else self._take(self._second, Limit(limits.all_together, SECOND))
            if wait > 0:
                return self._refuse(wait, "global")
            limit = limits.by_call.get(call)
            if limit is None:
                return await handler(request)
            major = request.match_info.get("token") or request.match_info.get("channel", "")
            bucket = self._buckets.setdefault((call, major), _Bucket(0, 0.0))
            wait = self._take(bucket, limit)
            if wait > 0:
                return self._refuse(wait, "user", self._headers(call, limit, bucket))
            response = await handler(request)
            if not response.prepared:
                response.headers.update(self._headers(call, limit, bucket))
            return response

        return handle

    def note(self, status: int) -> None:
        """Note how a request was answered."""
        if status in COUNTED_AGAINST_THE_ADDRESS:
            self._refused.append(self._now())

    def _banned(self, limits: Limits) -> bool:
        now = self._now()
        while self._refused and self._refused[0] < now - TEN_MINUTES:
            self._refused.popleft()
        return len(self._refused) >= limits.refused

    def _take(self, bucket: _Bucket, limit: Limit) -> float:
        """Count a request; return the seconds until the next is possible if this one is not."""
        now = self._now()
        if now >= bucket.ends:
            bucket.left, bucket.ends = limit.most, now + limit.seconds
        if bucket.left == 0:
            return bucket.ends - now
        bucket.left -= 1
        return 0.0

    def _headers(self, call: str, limit: Limit, bucket: _Bucket) -> dict[str, str]:
        after = max(0.0, bucket.ends - self._now())
        return {
            "X-RateLimit-Limit": str(limit.most),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": f"bucket-of-{call}",
        }

    def _refuse(self, wait: float, scope: str, headers: Mapping[str, str] | None = None) -> web.Response:
        everything = scope == "global"
        told = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everything}
        response = answer_with(told, status=429)
        response.headers.update(headers or {})
        response.headers.update(
            {"Retry-After": f"{wait:.3f}", "X-RateLimit-Scope": scope, "Via": "1.1 google"}
        )
        if everything:
            response.headers["X-RateLimit-Global"] = "true"
        return response
