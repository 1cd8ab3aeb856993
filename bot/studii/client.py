"""The client of Studii's API, with one method for each endpoint (Studii API docs)."""

import asyncio
import os
import re
from asyncio import IncompleteReadError
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote
from uuid import uuid4

import msgspec
from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from bot.aio.net import (
    NO_CONNECTION,
    NO_TRANSFER,
    PRIVATE,
    Connector,
    Reach,
    absolute_address,
    never_sent,
    reason_of,
)
from bot.aio.tasks import opened, shielded
from bot.clock import Clock, SystemClock
from bot.reasons import Reason, ReasonCode
from bot.studii.answers import (
    CreatedJob,
    JobReport,
    UploadTarget,
    clean,
    fields_of,
    message_in,
    retry_after,
    shaped,
)
from bot.studii.errors import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    DownloadFailed,
    JobNotFound,
    KeyRefused,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    OutputGone,
    PlanRefused,
    RateLimited,
    StudiiError,
    TooLarge,
    UploadFailed,
)
from bot.validation import Secret
from bot.version import VERSION

USER_AGENT = f"studii-for-discord/{VERSION}"
MAX_ANSWER_BYTES = 2**20

_A_KEY = re.compile(r"[!-~]{1,500}")
_REFUSALS = {400: BadInputs, 401: KeyRefused, 402: OutOfCredits, 403: PlanRefused}
_CHUNK = 256 * 1024
_HEAD = 64  # bytes, which are enough to recognize a file's type
# Storage services say 400 and 401 of a signature that has expired.
_GONE = frozenset({400, 401, 403, 404, 410})


@dataclass(frozen=True)
class Download:
    """A finished download. `size` is in bytes; `content_type` is the storage's claim about it.

    `head` has the file's first bytes.
    """

    size: int
    content_type: str
    head: bytes


ReserveSpace = Callable[[int | None], Awaitable[int]]
"""Reserve space on the disk for a file of n bytes, or of unknown size if that is None. Returns the number of
bytes that it may have."""

ChoosePath = Callable[[Download], Path]
"""Return the path at which a download is kept, now that it is known what it is. May raise."""


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

    Each call sends exactly one request and never repeats it: the caller counts requests and decides what may
    be sent again. All methods raise the errors of `bot.studii.errors`, which never contain a key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts | None = None,
        count: Callable[[str, int | None], None] = lambda kind, status: None,
        connect: Callable[..., TCPConnector] = Connector,
        clock: Clock | None = None,
    ) -> None:
        """Create a client.

        `count` is called for each request with its kind and the status of its answer, or None without an
        answer. `connect` creates each session's connector, with the options of `bot.aio.net.Connector`.
        `clock` is compared with a date until which Studii wants no requests, by default the machine's.
        """
        base = absolute_address(base_url)
        if base is None:
            raise ValueError("base_url must be an address such as https://studii.tech/api/v1")
        self._base = base
        self._reach = Reach.of(base.host or "")
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or SystemClock()
        self._count = count
        self._connect = connect
        self._stack = AsyncExitStack()
        self._api: ClientSession
        self._create: ClientSession
        self._files: ClientSession

    async def __aenter__(self) -> Self:
        self._api = await self._session(self._timeouts.total, self._connect())
        # On a kept-alive connection a stale socket and a lost answer look the same: a paid POST gets a fresh
        # one.
        self._create = await self._session(self._timeouts.total, self._connect(force_close=True))
        # The other sessions ask the base alone, which the operator chose.
        self._files = await self._session(self._timeouts.transfer, self._connect(reach=self._reach))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _session(self, total: float, connector: TCPConnector) -> ClientSession:
        limits = self._timeouts
        session = ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=total, connect=limits.connect, sock_read=limits.read),
            headers={"User-Agent": USER_AGENT},
            cookie_jar=DummyCookieJar(),  # keys of different servers share a session, cookies must not
        )
        # aiohttp would repeat a GET or PUT by itself, but each request counts against a key's limit, and a
        # signed URL is good for one upload.
        session._retry_connection = False  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return await self._stack.enter_async_context(session)

    async def create_job(
        self, key: str, tool: str, inputs: Mapping[str, str], source_object_key: str | None = None
    ) -> CreatedJob:
        """POST /jobs: spends credits (Studii API docs, Create a job).

        Raises `RateLimited`, `ApiFailed` or `NotSent` if it was not taken and may be sent again, `ApiRefused`
        if it was refused, and `OutcomeUnknown` if it may have been taken.
        """
        secret = _secret(key)
        del key  # here and below: a traceback that shows local variables shows no key
        source = {} if source_object_key is None else {"source_object_key": source_object_key}
        body = {"tool": tool, "inputs": dict(inputs), **source}
        fields = await self._ask(self._create, "create", "POST", self._url("jobs"), secret, body)
        created = shaped(CreatedJob, fields)
        if created is None:
            raise OutcomeUnknown(reason="an answer without the job's id")
        return created

    async def job_status(self, key: str, job_id: str, status_url: str | None = None) -> JobReport:
        """GET a job's status (Studii API docs, Poll status)."""
        secret = _secret(key)
        del key
        fields = await self._ask(self._api, "status", "GET", self.job_url(job_id, status_url), secret)
        fields["error"] = clean(message_in(fields, "error"), secret.reveal())
        report = shaped(JobReport, fields)
        if report is None or report.id != job_id:
            raise MalformedAnswer(reason="not a report of this job")
        if report.output_url is None or self.handed_back(report.output_url) is not None:
            return report
        return msgspec.structs.replace(report, output_url=None, output_refused=True)

    async def check_key(self, key: str) -> None:
        """Check a key by asking for a job that can't exist. Raises `KeyRefused` if the key is not valid.

        Takes one request and no credits.
        """
        secret = _secret(key)
        del key
        with suppress(JobNotFound):
            await self._ask(self._api, "status", "GET", self.job_url(str(uuid4())), secret)

    async def request_upload(self, key: str, filename: str, content_type: str) -> UploadTarget:
        """POST /uploads: return where to upload a source (Studii API docs, Upload a source image)."""
        secret = _secret(key)
        del key
        body = {"filename": filename, "content_type": content_type}
        fields = await self._ask(self._api, "upload", "POST", self._url("uploads"), secret, body)
        target = shaped(UploadTarget, fields)
        if target is None or self.handed_back(target.signed_url) is None:
            raise MalformedAnswer(reason="not an upload target, or not a safe one")
        return target

    async def put(self, target: UploadTarget, path: Path, content_type: str) -> None:
        """Upload a file with the content type that the target was requested for.

        Raises `UploadFailed`, after which a new target is needed, and OSError if the file can't be read.
        """
        address = self.handed_back(target.signed_url)
        if address is None:
            raise UploadFailed(reason="the signed address is not one that is asked")
        answered: int | None = None
        async with opened(path, "rb") as file:
            # Storage servers refuse chunked bodies, so the length is given.
            headers = {"Content-Type": content_type, "Content-Length": str(os.fstat(file.fileno()).st_size)}
            try:
                async with self._files.put(
                    address, data=file, headers=headers, allow_redirects=False
                ) as response:
                    status = answered = response.status
            except NO_TRANSFER as error:
                raise UploadFailed(reason=reason_of(error)) from None
            finally:
                self._count("put", answered)
        if not 200 <= status < 300:
            raise UploadFailed(status)

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
        address = self.handed_back(url)
        if address is None:
            raise OutputGone(reason="its address is not one that is asked")
        # The name is fixed, so that a file left by a crash is overwritten.
        part = destination.with_name(f"{destination.name}.part")
        try:
            got = await self._receive(address, part, limit, room)
            await shielded(asyncio.to_thread(_keep, part, destination if kept_as is None else kept_as(got)))
        except BaseException:
            await asyncio.to_thread(part.unlink, missing_ok=True)
            raise
        return got

    async def _receive(self, url: URL, part: Path, limit: int, room: ReserveSpace | None) -> Download:
        status: int | None = None
        try:
            async with self._files.get(
                url,
                headers={"Accept-Encoding": "identity"},  # so that lengths are those of the file
                auto_decompress=False,
                allow_redirects=False,
                read_bufsize=_CHUNK,
            ) as response:
                status = response.status
                _check(response, limit)
                if room is not None:
                    limit = min(limit, await room(response.content_length))
                async with opened(part, "wb") as file:
                    return await _write(response, file, limit)
        except NO_TRANSFER as error:
            reason = reason_of(error)
            raise (OutputGone if reason == PRIVATE else DownloadFailed)(reason=reason) from None
        finally:
            self._count("output", status)

    def job_url(self, job_id: str, status_url: str | None = None) -> URL:
        """Return the URL of a job's status.

        `status_url` is used only if it has the origin of the base, because the request contains the key.
        """
        given = self.handed_back(status_url or "")
        own = given is not None and given.origin() == self._base.origin()
        return given if given is not None and own else self._url("jobs", job_id)

    def handed_back(self, text: str) -> URL | None:
        """Return a URL from an answer unchanged, as a signature may depend on it, or None if it is unsafe.

        Unsafe are other schemes than https (unless the base is http), no host, a user and password, and hosts
        of private networks (unless the base is in one). Where a proxy resolves names this is the only check
        of the host; else the resolver checks the IP address as well.
        """
        url = absolute_address(text)
        if url is None or url.scheme not in {"https", self._base.scheme}:
            return None
        return url if self._reach.allows(url.host or "") else None

    def _url(self, *path: str) -> URL:
        # A lone dot would be a segment of the path.
        parts = (quote(part, safe="").replace(".", "%2E") for part in path)
        return URL("/".join([str(self._base).rstrip("/"), *parts]), encoded=True)

    async def _ask(
        self, session: ClientSession, kind: str, method: str, url: URL, key: Secret, body: object = None
    ) -> dict[str, Any]:
        """Return the fields of the answer to one request. Raises what any answer but a 2xx means."""
        met = await self._exchange(session, kind, method, url, key, body)
        if isinstance(met, StudiiError):
            raise met
        return met

    async def _exchange(
        self, session: ClientSession, kind: str, method: str, url: URL, key: Secret, body: object
    ) -> dict[str, Any] | StudiiError:
        """Send exactly one request and read its answer, without following a redirect.

        Errors are returned and not raised, so that none has the library's exception, with the request's
        headers, as its context, or the headers among the variables of its traceback.
        """
        headers = {"Authorization": f"Bearer {key.reveal()}", "Accept": "application/json"}
        answer: ClientResponse | None = None
        content, lost = b"", StudiiError()
        try:
            async with session.request(
                method, url, json=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.content.readexactly(MAX_ANSWER_BYTES + 1)
        except IncompleteReadError as complete:
            content = complete.partial
        except NO_CONNECTION as error:
            no_answer = OutcomeUnknown if kind == "create" else NoAnswer
            lost = (NotSent if never_sent(error) else no_answer)(reason=reason_of(error))
        finally:
            self._count(kind, None if answer is None else answer.status)
        if answer is None:
            return lost
        fields = fields_of(content)
        detail = clean(message_in(fields, "error", "message"), key.reveal())
        return self._refusal(kind, answer, detail, is_readable=bool(fields)) or fields

    def _refusal(
        self, kind: str, answer: ClientResponse, detail: str | None, *, is_readable: bool
    ) -> StudiiError | None:
        """Return what an answer means that is not one to go on with."""
        status, is_paid = answer.status, kind == "create"
        if status == 429:
            return RateLimited(retry_after(answer.headers, self._clock.now()))
        if status == 500 or (status > 500 and not is_paid):
            return ApiFailed(reason=f"status {status}")
        asks_for_job = status == 404 and kind == "status"
        # A web page says that the address is wrong, or that a proxy spoke; the API says that there is no job.
        if 400 <= status < 500 and not (asks_for_job and answer.content_type == "text/html"):
            meant = JobNotFound if asks_for_job else _REFUSALS.get(status, ApiRefused)
            return meant(status, detail=detail)
        if 200 <= status < 300 and is_readable:
            return None
        unclear = OutcomeUnknown if is_paid else MalformedAnswer
        return unclear(reason=f"unexpected answer, status {status}")


def _secret(key: str) -> Secret:
    if not _A_KEY.fullmatch(key):
        # It could not even stand in a header.
        raise KeyRefused(told=Reason(ReasonCode.KEY_MALFORMED))
    return Secret(key)


def _check(response: ClientResponse, limit: int) -> None:
    """Raise unless the answer is a 200 with an acceptable body."""
    if response.status != 200:
        raise (OutputGone if response.status in _GONE else DownloadFailed)(reason=f"status {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadFailed(reason="packed although it was asked for plain")
    if response.content_length is not None and response.content_length > limit:
        raise TooLarge(limit)


async def _write(response: ClientResponse, file: BinaryIO, limit: int) -> Download:
    size, head = 0, b""
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        head += piece[: _HEAD - len(head)]
        await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(file.flush)
    if size == 0 or response.content_length not in {None, size}:
        raise DownloadFailed(reason=f"{size} of {response.content_length} bytes")
    return Download(size, response.content_type, head)


def _keep(part: Path, destination: Path) -> None:
    """Give the file its name once the disk has it."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(destination)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(destination.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
