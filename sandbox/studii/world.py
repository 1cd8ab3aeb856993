"""The state behind the endpoints: keys, uploads and jobs."""

import random
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from sandbox.studii.answers import Refusal
from sandbox.studii.clock import Clock
from sandbox.studii.jobs import Durations, Job, Outcome, outcome_from_text
from sandbox.studii.keys import REQUESTS_PER_MINUTE, Account, Key, Plan
from sandbox.studii.ratelimit import RateStyle, make_limiter
from sandbox.studii.tools import JobRequest
from sandbox.studii.uploads import Upload


@dataclass(frozen=True, kw_only=True)
class Options:
    """The behaviour of the server.

    Times are in seconds. `speed` 10 makes jobs ten times as fast, and `instant` makes them end immediately.
    `latency` is added to every answer. `long_side` is the size of pictures in pixels.
    """

    seed: int = 1
    speed: float = 1.0
    instant: bool = False
    durations: Durations = field(default_factory=Durations)
    latency: float = 0.0
    upload_lifetime: float = 7200.0
    output_lifetime: float | None = None
    max_upload_bytes: int = 50 * 1024 * 1024
    long_side: int = 1024
    rate_style: RateStyle = field(default_factory=RateStyle)


@dataclass
class StudiiWorld:
    clock: Clock
    options: Options
    keys: dict[str, Key] = field(default_factory=dict[str, Key])
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    by_output_token: dict[str, Job] = field(default_factory=dict[str, Job])
    outcomes: deque[Outcome] = field(default_factory=deque[Outcome])

    def __post_init__(self) -> None:
        self._rng = random.Random(self.options.seed)  # noqa: S311 - spread of durations, no secret

    def add_key(
        self,
        plan: Plan,
        balance: int,
        *,
        cap: int | None,
        rate_limit: int | None,
        tools: frozenset[str] | None,
        account: Account | None,
        rate_style: RateStyle | None,
    ) -> Key:
        style = rate_style or self.options.rate_style
        limit = REQUESTS_PER_MINUTE[plan] if rate_limit is None else rate_limit
        key = Key(
            account=account or Account(plan, balance),
            cap=cap,
            tools=tools,
            limiter=make_limiter(limit, style),
            tells_retry_after=style.retry_after,
            charges=self.charges,
        )
        self.keys[key.secret] = key
        return key

    def key_of(self, headers: Mapping[str, str]) -> Key:
        """Return the key that a request carries. Raises Refusal 401, 403 (plan) or 429."""
        authorization = headers.get("Authorization")
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise Refusal(401, "Malformed API key. Send Authorization: Bearer stu_….")
        else:
            secret = headers.get("x-api-key", "")
        if not secret:
            raise Refusal(401, "Missing API key.")
        key = self.keys.get(secret)
        if key is None or key.revoked:
            malformed = not secret.startswith("stu_")
            raise Refusal(401, "Malformed API key." if malformed else "Invalid or revoked API key.")
        self._count(key)
        if key.account.plan == "starter":
            raise Refusal(403, "The API needs the Pro plan or higher.")
        return key

    def _count(self, key: Key) -> None:
        wait = key.limiter.take(self.clock.monotonic())
        if wait > 0:
            told = {"Retry-After": str(max(1, int(wait + 0.999)))} if key.tells_retry_after else {}
            raise Refusal(429, "Rate limit exceeded. Slow down and try again.", told)

    def charges(self, owner: Key | Account) -> int:
        """Return the credits that jobs have cost a key or an account as of now."""
        now = self.clock.monotonic()
        return sum(
            job.credits_charged(now) for job in self.jobs.values() if owner in (job.key, job.key.account)
        )

    def check_source(self, key: Key, object_key: str) -> bytes:
        """Return the bytes behind an object key. Answers 400 unless this account has uploaded them."""
        upload = self.uploads.get(object_key)
        if upload is None or upload.account is not key.account:
            raise Refusal(400, "source_object_key is not one of your uploads.")
        if upload.data is None:
            raise Refusal(400, "source_object_key has not been uploaded yet. PUT the bytes first.")
        return upload.data

    def create_job(self, key: Key, request: JobRequest, source: bytes | None, trouble: str | None) -> Job:
        """Charge and queue a job. Raises Refusal 402, 403.

        `trouble` is a reason for which it will fail in any case.
        """
        if key.tools is not None and request.tool not in key.tools:
            raise Refusal(403, f"Your plan does not include {request.tool}.")
        now = self.clock.monotonic()
        usual = self._usual_duration(request)
        outcome = self.outcomes.popleft() if self.outcomes else outcome_from_text(request.text, usual)
        if trouble is not None:
            outcome = replace(outcome, fails=trouble, refunded=True)
        cost = request.credits if outcome.charge is None else outcome.charge
        self._afford(key, cost)
        job = Job(
            id=str(uuid4()),
            key=key,
            request=request,
            outcome=outcome,
            created_at=self.clock.now(),
            created=now,
            duration=usual if outcome.duration is None else outcome.duration,
            charged=cost,
            seed=self._rng.getrandbits(32),
            source=source,
            output_token=secrets.token_urlsafe(24),
        )
        self.jobs[job.id] = job
        self.by_output_token[job.output_token] = job
        return job

    def _usual_duration(self, request: JobRequest) -> float:
        drawn = self.options.durations.draw(request.kind, self._rng)
        return 0.0 if self.options.instant else drawn / self.options.speed

    def _afford(self, key: Key, cost: int) -> None:
        if cost > key.balance:
            raise Refusal(402, f"Out of credits: this job costs {cost}, you have {key.balance}.")
        if key.cap is not None and key.spent + cost > key.cap:
            raise Refusal(
                402, f"Spend cap reached: this key may spend {key.cap} credits, {key.spent} are spent."
            )

    def job_of(self, key: Key, job_id: str) -> Job:
        """Return a job of the key's account. Answers 404 for any other."""
        job = self.jobs.get(job_id)
        if job is None or job.key.account is not key.account:
            raise Refusal(404, "Job not found.")
        return job
