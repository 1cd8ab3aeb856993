"""Send one request and read its answer, and say what an error means for what was sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse, ClientSession
from multidict import CIMultiDict
from yarl import URL

from bot.aio.connections import NO_CONNECTION
from bot.aio.guarded_resolver import NotReached
from bot.aio.proxy import NoTunnel
from bot.validation import Secret

MAX_API_ANSWER_BYTES = 2**20


@dataclass(frozen=True)
class ApiResponse:
    """An answer. `body` is None if it is incomplete or larger than `MAX_API_ANSWER_BYTES` bytes.

    Headers and body are not in the repr: they may echo the key or contain a signed URL.
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
    """No answer came. `sent` is False only if it is certain that nothing of the request was sent."""

    sent: bool
    reason: str


class _ConnectionLost(aiohttp.ClientError):
    """Replaces the errors after which aiohttp would repeat a GET or PUT by itself."""


def never_sent(error: BaseException) -> bool:
    """Return whether no connection was made: DNS, refused, TLS, the proxy, or a timeout while connecting."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | NoTunnel)


def leads_nowhere(error: BaseException) -> bool:
    """Return whether the host's name resolves to addresses of private networks only."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotReached)


def reason_of(error: BaseException) -> str:
    """Return a few words about an error, without the library's text, which may contain headers."""
    return str(error) if isinstance(error, _ConnectionLost | NoTunnel) else type(error).__name__


def sending_once(kinds: Mapping[str, str], count: Callable[[str, int | None], None]) -> ClientMiddlewareType:
    """Return middleware that counts each request by its kind (by method) and the answer's status, if any.

    It keeps aiohttp from repeating idempotent requests (client.py, `retry_persistent_connection`): each
    request counts against a key's limit, and a signed URL is good for one upload.
    """

    async def send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        kind = kinds.get(request.method, request.method.lower())
        try:
            response = await handler(request)
        except NO_CONNECTION as error:
            count(kind, None)
            lost = isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError)
            if lost and not isinstance(error, aiohttp.ClientConnectorError):
                raise _ConnectionLost(type(error).__name__) from error
            raise
        count(kind, response.status)
        return response

    return send_once


async def exchange(
    session: ClientSession, method: str, url: URL, key: Secret, json: object
) -> ApiResponse | Lost:
    """Send exactly one request and read its answer, without following a redirect.

    Errors are returned and not raised, so that no later error has the library's exception, with the request's
    headers, as its context.
    """
    headers = {"Authorization": f"Bearer {key.reveal()}", "Accept": "application/json"}
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
    except NO_CONNECTION as error:
        return Lost(not never_sent(error), reason_of(error))


async def _bounded_body(response: ClientResponse) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > MAX_API_ANSWER_BYTES:
                response.close()
                return None
    except NO_CONNECTION:
        return None
    return bytes(body)
