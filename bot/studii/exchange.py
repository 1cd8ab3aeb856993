"""One request, one answer: the only place that knows how aiohttp fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse, ClientSession
from multidict import CIMultiDict
from pydantic import SecretStr
from yarl import URL

from bot.aio.proxy import NoTunnel
from bot.aio.resolver import NotReached

LARGEST_ANSWER = 2**20


@dataclass(frozen=True)
class ApiResponse:
    """`body` is None if it did not arrive whole, or is larger than an answer may be.

    What came is not shown: it may echo the key, or hold an address that lets anybody upload.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content_type: str
    body: bytes | None = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Lost:
    """No answer. `sent` is False only if it is certain that no byte of the request left."""

    sent: bool
    reason: str


class _ConnectionLost(aiohttp.ClientError):
    """Stands in for the errors upon which aiohttp would send a GET or PUT a second time by itself."""


async def send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Middleware that keeps aiohttp from repeating idempotent requests (client.py,
    `retry_persistent_connection`): each one counts against a key's limit, and a signed URL is good for one
    upload."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise _ConnectionLost(type(lost).__name__) from lost


def never_sent(error: BaseException) -> bool:
    """Whether a failure means that no connection came about: DNS, refusal, TLS, a proxy that does not lead
    there, or too slow to connect."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | NoTunnel)


def leads_nowhere(error: BaseException) -> bool:
    """Whether the host's name resolves to addresses of private networks alone."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotReached)


def reason_of(error: BaseException) -> str:
    """A few words about a failure, without the text of the library's exception, which may hold headers."""
    return str(error) if isinstance(error, _ConnectionLost | NoTunnel) else type(error).__name__


def counting(kinds: Mapping[str, str], count: Callable[[str, int | None], None]) -> ClientMiddlewareType:
    """Middleware that tells of each request its kind (by method) and the status of its answer, if any."""

    async def counted(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        kind = kinds.get(request.method, request.method.lower())
        try:
            response = await handler(request)
        except (aiohttp.ClientError, OSError):
            count(kind, None)
            raise
        count(kind, response.status)
        return response

    return counted


async def exchange(
    session: ClientSession, method: str, url: URL, key: SecretStr, json: object = None
) -> ApiResponse | Lost:
    """Send exactly one request and read its answer, without following a redirect.

    Failures are returned and not raised, so that no later error drags along the library's exception (and with
    it the headers of the request).
    """
    headers = {"Authorization": f"Bearer {key.get_secret_value()}", "Accept": "application/json"}
    try:
        async with session.request(
            method, url, json=json, headers=headers, allow_redirects=False
        ) as response:
            return ApiResponse(
                response.status,
                CIMultiDict(response.headers),
                response.content_type,
                await _bounded_body(response),
            )
    except (aiohttp.ClientError, OSError) as error:  # a TimeoutError, of the total time, is an OSError too
        return Lost(not never_sent(error), reason_of(error))


async def _bounded_body(response: ClientResponse) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                response.close()
                return None
    except (aiohttp.ClientError, OSError):
        return None
    return bytes(body)
