"""The client of Studii's API, with one method for each endpoint (Studii API docs)."""

import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from uuid import uuid4

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from bot.aio.proxy import direct
from bot.aio.public_hosts import Reach
from bot.clock import Clock, SystemClock
from bot.studii.addresses import Addresses
from bot.studii.errors import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    JobNotFound,
    KeyRefused,
    MalformedAnswer,
    MalformedKey,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    OutputGone,
    PlanRefused,
    RateLimited,
    StudiiError,
    UploadFailed,
)
from bot.studii.exchange import ApiResponse, Lost, exchange, sending_once
from bot.studii.sanitize import clean, detail_of, retry_after
from bot.studii.transfer import ChoosePath, Download, FileTransfer, ReserveSpace
from bot.studii.wire import CreatedJob, JobReport, UploadTarget, parse
from bot.validation import Secret
from bot.version import VERSION

USER_AGENT = f"studii-for-discord/{VERSION}"

_A_KEY = re.compile(r"[!-~]{1,500}")
_REFUSALS = {refusal.code: refusal for refusal in (BadInputs, KeyRefused, OutOfCredits, PlanRefused)}


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Time limits in seconds.

    `read` bounds the pause between bytes, `total` an API call, `transfer` an upload or download.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 60.0
    transfer: float = 900.0


class StudiiClient:
    """Client of Studii's API, which owns its HTTP sessions while its context is open.

    Each API call sends exactly one request and never repeats it: the caller counts requests and decides what
    may be sent again. All methods raise the errors of `bot.studii.errors`, which never contain a key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts | None = None,
        attempts: int = 3,
        retry_wait: float = 0.5,
        count: Callable[[str, int | None], None] = lambda kind, status: None,
        connect: Callable[..., TCPConnector] = direct,
        clock: Clock | None = None,
    ) -> None:
        """Create a client.

        `attempts` and `retry_wait` (seconds before the first repeat) apply to uploads and downloads of files.
        `count` is called for each request with its kind and the status of its answer, or None without an
        answer. `connect` creates each session's connector, with the options of `bot.aio.proxy.connector`.
        `clock` is compared with a date until which Studii wants no requests, by default the machine's.
        """
        self._addresses = Addresses(base_url)
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or SystemClock()
        self._attempts = attempts
        self._retry_wait = retry_wait
        self._count = count
        self._connect = connect
        self._stack = AsyncExitStack()
        self._api: ClientSession
        self._create: ClientSession
        self._files: FileTransfer

    async def __aenter__(self) -> Self:
        self._api = await self._session(self._timeouts.total, {"POST": "upload", "GET": "status"})
        # On a kept-alive connection a stale socket and a lost answer look the same: a paid POST gets a fresh
        # one.
        self._create = await self._session(self._timeouts.total, {"POST": "create"}, force_close=True)
        # The other sessions ask the base alone, which the operator chose.
        kinds, reach = {"PUT": "put", "GET": "output"}, self._addresses.reach
        session = await self._session(self._timeouts.transfer, kinds, reach=reach)
        self._files = FileTransfer(session, attempts=self._attempts, retry_wait=self._retry_wait)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _session(
        self, total: float, kinds: Mapping[str, str], *, force_close: bool = False, reach: Reach | None = None
    ) -> ClientSession:
        limits = self._timeouts
        return await self._stack.enter_async_context(
            ClientSession(
                connector=self._connect(force_close=force_close, reach=reach),
                timeout=ClientTimeout(total=total, connect=limits.connect, sock_read=limits.read),
                headers={"User-Agent": USER_AGENT},
                cookie_jar=DummyCookieJar(),  # keys of different servers share a session, cookies must not
                middlewares=(sending_once(kinds, self._count),),
            )
        )

    async def create_job(
        self, key: str, tool: str, inputs: Mapping[str, str], source_object_key: str | None = None
    ) -> CreatedJob:
        """POST /jobs: spends credits (Studii API docs, Create a job).

        Raises `RateLimited`, `ApiFailed` or `NotSent` if it was not taken and may be sent again, `ApiRefused`
        if it was refused, and `OutcomeUnknown` if it may have been taken.
        """
        secret = _secret(key)
        del key  # here and below: a traceback that shows local variables shows no key
        body: dict[str, object] = {"tool": tool, "inputs": dict(inputs)}
        if source_object_key is not None:
            body["source_object_key"] = source_object_key
        answer = await exchange(self._create, "POST", self._addresses.jobs, secret, body)
        if isinstance(answer, Lost):
            raise OutcomeUnknown(reason=answer.reason) if answer.sent else NotSent(reason=answer.reason)
        if answer.is_success:
            created = parse(CreatedJob.of, answer.body)
            if created is None:
                raise OutcomeUnknown(reason=f"unreadable answer, status {answer.status}")
            return created
        if answer.status == 500 or 400 <= answer.status < 500:
            raise self._failure(answer, secret)
        raise OutcomeUnknown(reason=f"status {answer.status}", detail=_detail(answer, secret))

    async def job_status(self, key: str, job_id: str, status_url: str | None = None) -> JobReport:
        """GET a job's status (Studii API docs, Poll status)."""
        secret = _secret(key)
        del key
        answer = await self._ask("GET", self._addresses.job(job_id, status_url), secret)
        report = parse(JobReport.of, answer.body)
        if report is None or report.id != job_id:
            raise MalformedAnswer(reason="not a report of this job")
        url = report.output_url
        refused = url is not None and self._addresses.handed_back(url) is None
        report = replace(report, output_url=None if refused else url, output_refused=refused)
        return replace(report, error=clean(report.error, secret.reveal()))

    async def check_key(self, key: str) -> None:
        """Check a key by asking for a job that can't exist. Raises `KeyRefused` if the key is not valid.

        Takes one request and no credits.
        """
        secret = _secret(key)
        del key
        try:
            await self._ask("GET", self._addresses.job(str(uuid4())), secret)
        except JobNotFound:
            return

    async def request_upload(self, key: str, filename: str, content_type: str) -> UploadTarget:
        """POST /uploads: return where to upload a source (Studii API docs, Upload a source image)."""
        secret = _secret(key)
        del key
        body = {"filename": filename, "content_type": content_type}
        answer = await self._ask("POST", self._addresses.uploads, secret, body)
        target = parse(UploadTarget.of, answer.body)
        if target is None:
            raise MalformedAnswer(reason="not an upload target")
        if self._addresses.handed_back(target.signed_url) is None:
            raise MalformedAnswer(reason="signed_url is not safe")
        return target

    async def put(self, target: UploadTarget, path: Path, content_type: str) -> None:
        """Upload a file with the content type that the target was requested for.

        Raises `UploadFailed`, after which a new target is needed, and OSError if the file can't be read.
        """
        address = self._addresses.handed_back(target.signed_url)
        if address is None:
            raise UploadFailed(reason="the signed address is not one that is asked")
        await self._files.put(address, path, content_type)

    async def download(
        self,
        url: str,
        destination: Path,
        *,
        limit: int,
        room: ReserveSpace | None = None,
        kept_as: ChoosePath | None = None,
    ) -> Download:
        """Download an output of at most `limit` bytes to a file, which appears complete or not at all.

        `room` is called before the first byte is written, and may raise; `kept_as` when all bytes are there,
        to choose another path in the same folder than `destination`.

        Raises `OutputGone`, `TooLarge`, `DownloadFailed`, and OSError if the file cannot be written.
        """
        address = self._addresses.handed_back(url)
        if address is None:
            raise OutputGone(reason="its address is not one that is asked")
        return await self._files.download(address, destination, limit, room, kept_as)

    async def _ask(self, method: str, url: URL, key: Secret, json: object = None) -> ApiResponse:
        """Return the 2xx answer to a request that costs nothing."""
        answer = await exchange(self._api, method, url, key, json)
        if isinstance(answer, Lost):
            raise NoAnswer(reason=answer.reason) if answer.sent else NotSent(reason=answer.reason)
        if answer.is_success and answer.body is not None:
            return answer
        if answer.status < 400:
            raise MalformedAnswer(reason=f"unexpected answer, status {answer.status}")
        if answer.status == 404 and method == "GET":
            # A web page says that the address is wrong, or that a proxy spoke; the API says that there is no
            # job.
            if answer.content_type == "text/html":
                raise MalformedAnswer(reason="a web page, status 404")
            raise JobNotFound(detail=_detail(answer, key))
        raise self._failure(answer, key)

    def _failure(self, answer: ApiResponse, key: Secret) -> StudiiError:
        detail = _detail(answer, key)
        if answer.status == 429:
            return RateLimited(retry_after(answer.headers, self._clock.now()), detail=detail)
        if answer.status >= 500:
            return ApiFailed(answer.status, detail=detail)
        refusal = _REFUSALS.get(answer.status)
        return refusal(detail=detail) if refusal else ApiRefused(answer.status, detail=detail)


def _secret(key: str) -> Secret:
    if not _A_KEY.fullmatch(key):
        # It could not even stand in a header.
        raise MalformedKey
    return Secret(key)


def _detail(answer: ApiResponse, key: Secret) -> str | None:
    return detail_of(answer.body, key.reveal())
