"""Connections through the proxy of HTTPS_PROXY, and errors that say for certain when none came about."""

import base64
import re
from dataclasses import dataclass, field, replace
from typing import Any, Self

import aiohttp
from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDict
from yarl import URL

from bot.aio.connections import NO_CONNECTION
from bot.aio.gated_connector import Gate, GatedConnector
from bot.aio.guarded_resolver import GuardedResolver
from bot.aio.host_names import is_host
from bot.aio.public_hosts import Reach, is_loopback

_SECURE = frozenset({"https", "wss"})
_FORM = "must be an address such as http://proxy.example:3128"


class NoTunnel(aiohttp.ClientError):
    """The proxy did not lead to the server: no byte of the request left.

    `str(error)` is a clause for the operator without the proxy's user and password. The library's exception
    is not kept behind it, because its request has both in a header.
    """


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and the hosts that are reached without it."""

    address: URL  # without user and password
    direct: str  # as in NO_PROXY
    authorization: str | None = field(repr=False)

    @classmethod
    def parse(cls, address: str, direct: str = "") -> Self:
        """Read the two settings as curl and others do. Raises ValueError with a clause that names the
        mistake and quotes nothing."""
        try:
            url = URL(address if "://" in address else f"http://{address}")
            port = url.port
        except ValueError:
            raise ValueError(_FORM) from None
        if url.scheme not in {"http", "https"}:
            raise ValueError(f"{_FORM}; other kinds don't work")
        more = url.path not in {"", "/"} or url.query_string or url.fragment
        if more or port is None or not is_host(url.host or ""):
            raise ValueError(_FORM)
        authorization = None
        if url.user is not None:
            pair = f"{url.user}:{url.password or ''}".encode()
            authorization = f"Basic {base64.b64encode(pair).decode()}"
        return cls(url.origin(), direct, authorization)

    @property
    def name(self) -> str:
        """Return host and port, for a sentence."""
        return f"{self.address.host}:{self.address.port}"

    def leads_to(self, url: URL) -> bool:
        """Return whether a request to this address goes through the proxy: it is https, and not exempt."""
        host = url.host or ""
        if url.scheme not in _SECURE or is_loopback(host):
            return False
        return not any(_covers(one, host, url.port) for one in re.split(r"[,\s]+", self.direct.lower()))


class ProxyConnector(TCPConnector):
    """Goes through the proxy where that applies, and raises `NoTunnel` if the proxy does not lead there.

    The proxy is set here, and not on a session, so that it is chosen for each address (discord.py has one
    for all), and so that user and password are in no address that an error message may quote.
    """

    def __init__(self, proxy: Proxy, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - partly untyped there
        self._proxy = proxy

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        if not self._proxy.leads_to(req.url):
            return await super().connect(req, traces, timeout)
        # A copy for each request: the library writes into it.
        given = self._proxy.authorization
        headers = CIMultiDict({"Proxy-Authorization": given} if given else {})
        req.update_proxy(self._proxy.address, None, headers)
        try:
            return await super().connect(req, traces, timeout)
        except (aiohttp.ClientSSLError, TimeoutError):
            # The server's own certificate, behind the tunnel; or too slow, which the session tells apart.
            raise
        except aiohttp.ClientHttpProxyError as error:
            reason = f"the proxy {self._proxy.name} refused the connection with status {error.status}"
            if error.status == 407:
                reason = f"the proxy {self._proxy.name} refused the user and password in HTTPS_PROXY"
        except aiohttp.ClientConnectorError:
            reason = f"the proxy {self._proxy.name} can't be reached"
        except NO_CONNECTION:
            reason = f"the proxy {self._proxy.name} closed the connection"
        raise NoTunnel(reason)


class _GatedProxyConnector(GatedConnector, ProxyConnector):
    """Both."""


def connector(
    proxy: Proxy | None, *, reach: Reach | None = None, gate: Gate | None = None, **options: Any
) -> TCPConnector:
    """Return the connector of a session.

    `options` are those of `aiohttp.TCPConnector`. `reach` says which hosts it may connect to, or None for
    all. The proxy may be anywhere. `gate` is asked before each request.
    """
    if reach is not None:
        own: set[str] = set() if proxy is None else {(proxy.address.host or "").lower()}
        options["resolver"] = GuardedResolver(replace(reach, hosts=reach.hosts | own))
    if gate is not None:
        if proxy is None:
            return GatedConnector(gate, **options)
        return _GatedProxyConnector(gate, proxy=proxy, **options)
    return ProxyConnector(proxy, **options) if proxy is not None else TCPConnector(**options)


def direct(**options: Any) -> TCPConnector:
    """Return the connector of a session without a proxy; see `connector`."""
    return connector(None, **options)


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY names the host, one above it, or `*`; a port in it has to agree."""
    if entry == "*":
        return True
    name, colon, wanted = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
    if colon and wanted != str(port):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))
