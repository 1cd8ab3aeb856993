"""DNS that gives no addresses of private networks."""

import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult

from bot.aio.public_hosts import Reach, address_of


class NotReached(OSError):
    """A name resolves to no address that may be connected to."""


class GuardedResolver(ThreadedResolver):
    """DNS that leaves out the addresses that may not be connected to."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises `NotReached` if none of them may be connected to."""
        found = await super().resolve(host, port, family)
        if host.lower() in self._reach.hosts:
            return found
        allowed = [one for one in found if self._allows(one["host"])]
        if found and not allowed:
            raise NotReached("the host is in a private network")
        return allowed

    def _allows(self, resolved: str) -> bool:
        address = address_of(resolved)
        return address is not None and self._reach.allows_address(address)
