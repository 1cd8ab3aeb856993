"""Studii in memory: the sandbox's world and endpoints, reached through the simulated network."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.studii.answers import Refusal
from sandbox.studii.api import API, OUTPUTS, UPLOADS, Api
from sandbox.studii.faults import FaultQueue
from sandbox.studii.jobs import Durations, Job, Outcome, Output
from sandbox.studii.keys import Key
from sandbox.studii.outputs import Outputs
from sandbox.studii.record import RequestLog
from sandbox.studii.world import Options, StudiiWorld
from tests.simulation import media
from tests.simulation.loop import Clock
from tests.simulation.network import Network, finish

HOST = "studii.tech"
REFUSED = 0.015  # of new jobs
REFUSALS = {
    400: "The prompt is not allowed by our content policy.",
    402: "Insufficient credits.",
    403: "This tool is not available with this API key.",
}


class _Time:
    """The sandbox's clock, from the simulation's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now, UTC)

    def monotonic(self) -> float:
        return self._clock.now


class _Outputs(Outputs):
    """Outputs that nobody draws."""

    def __init__(self) -> None: ...

    async def of(self, job: Job) -> Output:
        if job.outcome.output is not None:
            return job.outcome.output
        return output_of(job)

    async def trouble_with(self, source: bytes) -> str | None:
        return None if media.kind_of(source) is not None else "The source image could not be read."


def output_of(job: Job) -> Output:
    """Return what a job made: bytes that no other job's output has."""
    if job.request.kind == "video":
        return Output(media.video(job.seed), "video/mp4")
    return Output(media.picture(job.seed), "image/png")


class Studii:
    """Studii's API, whose jobs take and cost what the seed says.

    `over_limit` counts the requests that were refused because there were too many, by the end of the key.
    """

    name = "studii"

    def __init__(self, clock: Clock, network: Network) -> None:
        self.clock, self._rand = clock, clock.random("studii")
        self._refuses, self._faults = clock.random("Studii refuses"), network.faults
        options = Options(
            seed=clock.seed, durations=Durations(image=12.0, video=40.0, spread=0.6), output_lifetime=3600.0
        )
        self.world = StudiiWorld(_Time(clock), options)
        api = Api(self.world, FaultQueue(), RequestLog(), _Outputs())
        self.over_limit: Counter[str] = Counter()
        self.requests = 0
        self._digests: dict[tuple[str, bool], str] = {}
        self._endpoints: dict[
            tuple[str, str], tuple[str, Callable[[Any], Coroutine[Any, Any, web.Response]]]
        ] = {
            ("POST", f"{API}/jobs"): ("", api.create),
            ("GET", f"{API}/jobs/"): ("id", api.status),
            ("POST", f"{API}/uploads"): ("", api.upload),
            ("PUT", f"{UPLOADS}/"): ("object_key", api.put),
            ("GET", f"{OUTPUTS}/"): ("token", api.output),
        }
        network.add(HOST, self)

    def new_key(self, plan: Any, balance: int, *, cap: int | None = None) -> Key:
        """Issue a key of a new account."""
        return self.world.add_key(
            plan, balance, cap=cap, rate_limit=None, tools=None, account=None, rate_style=None
        )

    @property
    def jobs(self) -> list[Job]:
        """Return all jobs that were taken, oldest first."""
        return list(self.world.jobs.values())

    def number_of(self, job: Job) -> int | None:
        """Return the number of the request that a job came of: in its prompt, or in its photo."""
        if (found := re.search(r"no\. (\d+)", job.request.text)) is not None:
            return int(found[1])
        return None if job.source is None else media.number_of(job.source)

    def sha256_of(self, job: Job, *, small: bool = False) -> str:
        """Return the digest of what a job made, or of its thumbnail."""
        if (job.id, small) not in self._digests:
            data = (job.outcome.output or output_of(job)).data
            self._digests[job.id, small] = hashlib.sha256(
                media.thumbnail(data) if small else data
            ).hexdigest()
        return self._digests[job.id, small]

    def answer(self, request: Any) -> web.StreamResponse:
        """Do what a request asks for."""
        self.requests += 1
        if not self.world.outcomes:
            self.world.outcomes.append(self._outcome())
        if (refusal := self._refusal(request)) is not None:
            return refusal.response()
        for (method, start), (name, handler) in self._endpoints.items():
            rest = request.path[len(start) :]
            if method != request.method or not request.path.startswith(start) or bool(rest) != bool(name):
                continue
            request.match_info = {name: rest}
            try:
                return finish(handler(request))
            except Refusal as refusal:
                if refusal.status == 429:
                    self.over_limit[request.headers["Authorization"][-4:]] += 1
                return refusal.response()
        raise NotImplementedError(f"{request.method} {request.path}")

    def _refusal(self, request: Any) -> Refusal | None:
        """Draw whether a new job is refused: for what it asks for, or for what the account may do."""
        if (request.method, request.path) != ("POST", f"{API}/jobs") or not self._faults.active:
            return None
        if self._refuses.random() >= REFUSED:
            return None
        status = self._refuses.choice(list(REFUSALS))
        self._faults.note(f"studii refuses with {status}")
        return Refusal(status, REFUSALS[status])

    def limited(self) -> web.Response:
        """Answer as if the key's limit were used up."""
        wait = self._rand.choice((None, 1, 7, 45))
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return web.json_response({"error": "Rate limit exceeded."}, status=429, headers=headers)

    def upgrade(self, connection: Any) -> Any:
        raise NotImplementedError

    def _outcome(self) -> Outcome:
        """Draw how the next job ends."""
        rand = self._rand
        drawn = rand.random()
        if drawn < 0.06:
            return Outcome(fails="The model could not finish this picture.")
        if drawn < 0.09:
            return Outcome(fails="The model refused this prompt.", refunded=False)
        if drawn < 0.12:
            return Outcome(charge=rand.randint(1, 20))
        if drawn < 0.14:
            return Outcome(final_charge=rand.randint(0, 12))
        if drawn < 0.16:
            return Outcome(url_after=rand.uniform(1, 90))
        if drawn < 0.17:
            return Outcome(status="upscaling")
        if drawn < 0.175:  # each is asked about hundreds of times
            return Outcome(duration=rand.uniform(600, 7200))
        if drawn < 0.18:
            return Outcome(output=Output(media.picture(rand.getrandbits(32), "broken"), "image/png"))
        return Outcome()
