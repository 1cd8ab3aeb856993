"""HTTP connections: the errors of those that fail, the way through a proxy, and hosts that must be public."""

import asyncio
import errno
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import AF_INET, AddressFamily
from typing import Any, Self

import aiohttp
from aiohttp import ClientRequest, ClientTimeout, TCPConnector, ThreadedResolver
from aiohttp.abc import ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDict
from yarl import URL

from bot.validation import is_host

NO_CONNECTION = (aiohttp.ClientError, OSError)  # a TimeoutError is an OSError too
# Where a file is read or written in the same block: another OSError would be the file's.
NO_TRANSFER = (aiohttp.ClientError, TimeoutError)
PRIVATE = "the address's host is in a private network"

_FORM = "must be an address such as http://proxy.example:3128"
# RFC 6761, 6762 and 8375, and ICANN's .internal. Resolvers read what ends in a number as an address.
_LOCAL_NAME = re.compile(r"(.*\.)?(localhost|local|localdomain|internal|lan|home\.arpa|\d+|0x[0-9a-f]*)")
_GLOBAL_UNICAST, _NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")


class NotPublic(OSError):
    """A name leads to addresses of private networks only."""


class NoTunnel(aiohttp.ClientError):
    """The proxy did not lead to the server: no byte of the request left.

    `str(error)` is a clause for the operator without the proxy's user and password. The library's exception
    is not kept behind it, because its request has both in a header.
    """


def never_sent(error: BaseException) -> bool:
    """Return whether no connection was made: DNS, refused, TLS, the proxy, or a timeout while connecting."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | NoTunnel)


def reason_of(error: BaseException) -> str:
    """Return a few words about an error, without the library's text, which may contain headers."""
    if isinstance(getattr(error, "os_error", None), NotPublic):
        return PRIVATE
    return str(error) if isinstance(error, NoTunnel) else type(error).__name__


def absolute_address(text: str) -> URL | None:
    """Return an http or https address with a host and nothing of a user, kept to the letter, or None."""
    try:
        url = URL(text, encoded=True)
        fits = url.scheme in {"http", "https"} and url.port and is_host(url.host or "")
    except ValueError:
        return None
    return url if fits and url.raw_user is None and re.fullmatch("[!-~]+", text) else None


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine, as `localhost` or as an address."""
    address = _address_of(host)
    return f".{host.rstrip('.')}".endswith(".localhost") if address is None else address.is_loopback


def is_public(host: str) -> bool:
    """Return whether the host is on the public internet, as far as its name or literal address tells."""
    address = _address_of(host)
    if address is None:
        name = host.lower().rstrip(".")
        return "." in name and not _LOCAL_NAME.fullmatch(name)
    # IPv6 addresses outside of global unicast are local, reserved, or not assigned to anybody.
    assigned = isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST
    return address.is_global and assigned and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Reach:
    """The hosts that an address of unknown origin may lead to: the public internet, `hosts`, and local
    networks if `near` is set.

    Link-local addresses are never reached: clouds keep the credentials of a machine there.
    """

    hosts: frozenset[str] = frozenset()
    near: bool = False

    @classmethod
    def of(cls, host: str) -> Self:
        """Return the reach of an operator's own host. If it is local, its neighbours are reached too."""
        return cls(frozenset({host.lower()}), not is_public(host))

    def allows(self, host: str) -> bool:
        """Return whether the host may be connected to, as far as its name or literal address tells."""
        if is_public(host) or host.lower() in self.hosts:
            return True
        address = _address_of(host)
        return self.near and (
            address is None or not (address.is_link_local or address.is_multicast or address.is_unspecified)
        )


def _address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that the host is written as, or None if it is a name.

    Of an IPv4 address in IPv6 (mapped, 6to4, NAT64), the IPv4 address.
    """
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0].rstrip("."))
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    return inner or (IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address)


class _PublicResolver(ThreadedResolver):
    """DNS that leaves out the addresses that may not be connected to."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        trusted = host.lower() in self._reach.hosts
        allowed = [one for one in found if trusted or self._reach.allows(one["host"])]
        if not allowed:
            raise NotPublic
        return allowed


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the hosts that are reached without it (as in NO_PROXY)."""

    address: URL  # without user and password
    direct: str = ""
    login: str | None = field(default=None, repr=False)  # as in Proxy-Authorization

    @classmethod
    def parse(cls, address: str, direct: str = "") -> Self:
        """Read the two settings as curl and others do. Raises ValueError with a clause that names the
        mistake and quotes nothing."""
        try:
            url = URL(address if "://" in address else f"http://{address}")
            fits = url.port and is_host(url.host or "") and url.path_qs in {"", "/"} and not url.fragment
        except ValueError:
            raise ValueError(_FORM) from None
        if url.scheme not in {"http", "https"}:
            raise ValueError(f"{_FORM}; other kinds don't work")
        if not fits:
            raise ValueError(_FORM)
        login = None if url.user is None else aiohttp.encode_basic_auth(url.user, url.password or "")
        return cls(url.origin(), direct.lower(), login)

    def leads_to(self, url: URL) -> bool:
        """Return whether a request to this address goes through the proxy: it is https, and not exempt."""
        if url.scheme not in {"https", "wss"} or is_loopback(url.host or ""):
            return False
        names = re.split(r"[,\s]+", self.direct)
        return "*" not in names and not any(_covers(name, url) for name in names)

    def refusal(self, error: Exception) -> str:
        """Return a clause that says how the proxy did not lead to the server."""
        name = f"the proxy {self.address.host}:{self.address.port}"
        if isinstance(error, aiohttp.ClientConnectorError):
            return f"{name} can't be reached"
        if not isinstance(error, aiohttp.ClientHttpProxyError):
            return f"{name} closed the connection"
        if error.status == 407:
            return f"{name} refused the user and password in HTTPS_PROXY"
        return f"{name} refused the connection with status {error.status}"


def _covers(entry: str, url: URL) -> bool:
    """Return whether an entry of NO_PROXY names the host, or one above it; a port in it has to agree."""
    name, _, port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    name = name.removeprefix("*").removeprefix(".")
    return bool(name) and port in {"", str(url.port)} and f".{url.host}".endswith(f".{name}")


@dataclass(frozen=True, slots=True)
class Gate:
    """An answer whether a request to an address may be sent now, or how many seconds it has to wait."""

    allows: Callable[[URL], bool]
    delay: Callable[[URL], float] = lambda _: 0.0


class Connector(TCPConnector):
    """Connects through the proxy where that applies, to hosts in reach alone, and only if the gate allows it.

    aiohttp's `trust_env` is not used, because it ignores a proxy at an https address, and sends passwords of
    ~/.netrc to whom a signed URL names. The proxy is set here, and not on a session, so that it is chosen for
    each address (discord.py has one for all), and its password is in no address that an error may quote.
    """

    def __init__(
        self,
        proxy: Proxy | None = None,
        *,
        reach: Reach | None = None,
        gate: Gate | None = None,
        **options: Any,
    ) -> None:
        """Create a connector with the options of `TCPConnector`. Without `reach`, all hosts are reached."""
        if reach is not None:
            own = set[str]() if proxy is None else {(proxy.address.host or "").lower()}
            options["resolver"] = _PublicResolver(replace(reach, hosts=reach.hosts | own))
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - partly untyped there
        self._proxy, self._gate = proxy, gate

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        if self._gate is not None and (seconds := self._gate.delay(req.url)) > 0:
            await asyncio.sleep(seconds)
        connection = await self._connected(req, traces, timeout)
        # Between here and the request's first byte nothing is awaited.
        if self._gate is not None and not self._gate.allows(req.url):
            connection.close()
            refused = OSError(errno.EPERM, "this process may not send now")
            raise aiohttp.ClientConnectorError(req.connection_key, refused)
        return connection

    async def _connected(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        if self._proxy is None or not self._proxy.leads_to(req.url):
            return await super().connect(req, traces, timeout)
        # A copy for each request: the library writes into it.
        login = CIMultiDict({"Proxy-Authorization": self._proxy.login} if self._proxy.login else {})
        req.update_proxy(self._proxy.address, None, login)
        try:
            return await super().connect(req, traces, timeout)
        except (aiohttp.ClientSSLError, TimeoutError):
            # The server's own certificate, behind the tunnel; or too slow, which the session tells apart.
            raise
        except NO_CONNECTION as error:
            refusal = self._proxy.refusal(error)
        raise NoTunnel(refusal)
