"""The Studii API on loopback, with its controls."""

from collections.abc import Collection, Mapping
from ssl import SSLContext
from typing import Self

from aiohttp import web

from sandbox.studii.api import API, Api
from sandbox.studii.clock import Clock, RealClock
from sandbox.studii.faults import Endpoint, Fault, FaultQueue
from sandbox.studii.jobs import Job, Outcome, Output
from sandbox.studii.keys import Account, Key, Plan
from sandbox.studii.outputs import Outputs
from sandbox.studii.ratelimit import RateStyle
from sandbox.studii.record import RequestLog
from sandbox.studii.uploads import Upload
from sandbox.studii.world import Options, StudiiWorld


class StudiiServer:
    """A Studii API that listens on 127.0.0.1 while its context is open.

    Nothing in it is timed by a task: a job's state is worked out from the clock when it is asked for.
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        clock: Clock | None = None,
        port: int = 0,
        tls: SSLContext | None = None,
    ) -> None:
        self.options = options or Options()
        self.requests = RequestLog()
        self.failures = FaultQueue()
        self._world = StudiiWorld(clock or RealClock(), self.options)
        self._port = port
        self._tls = tls
        self._runner: web.AppRunner | None = None
        self._outputs = Outputs(self.options.long_side)
        self._address = ""

    @property
    def url(self) -> str:
        """The base address of the API, without a slash at its end."""
        return f"{self._address}{API}"

    @property
    def jobs(self) -> Mapping[str, Job]:
        """All jobs by id, in the order of their creation."""
        return self._world.jobs

    @property
    def uploads(self) -> Mapping[str, Upload]:
        """All uploads by object key; `data` is None until the bytes have arrived."""
        return self._world.uploads

    def add_key(
        self,
        plan: Plan = "pro",
        balance: int = 1000,
        *,
        cap: int | None = None,
        rate_limit: int | None = None,
        tools: Collection[str] | None = None,
        account: Account | None = None,
        rate_style: RateStyle | None = None,
    ) -> Key:
        """Add a new key, of a new account unless one is given (`other_key.account`; its plan and balance
        hold).

        `rate_limit` is requests a period, by default the plan's. `tools` are those that the plan includes.
        """
        return self._world.add_key(
            account.plan if account else plan,
            balance,
            cap=cap,
            rate_limit=rate_limit,
            tools=None if tools is None else frozenset(tools),
            account=account,
            rate_style=rate_style,
        )

    def fail(self, endpoint: Endpoint, fault: Fault, times: int = 1) -> None:
        """Let the next `times` requests to an endpoint meet a fault (see `sandbox.studii.faults`)."""
        self.failures.add(endpoint, fault, times)

    def next_job(self, outcome: Outcome, times: int = 1) -> None:
        """Decide what becomes of the next jobs that are created; goes before the words in their prompts."""
        self._world.outcomes.extend([outcome] * times)

    async def output_of(self, job_id: str) -> Output:
        """Return the bytes that the output address of a job serves.

        Raises KeyError if there is no such job.
        """
        return await self._outputs.of(self._world.jobs[job_id])

    async def __aenter__(self) -> Self:
        api = Api(self._world, self.failures, self.requests, self._outputs)
        # Handlers that a fault keeps asleep need not be waited for.
        self._runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        self._port = self._runner.addresses[0][1]
        self._address = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._outputs.close()
