"""Limits the hosts that an address of unknown origin may lead to: those of the public internet.

An address that comes with an answer can name a host of the network that the bot runs in (a router, a cloud's
metadata service). `Reach.allows` refuses it by its name or literal address; `GuardedResolver`
(`guarded_resolver.py`) refuses the addresses that names resolve to. The resolver hands out the
addresses that are then connected to, so a name that resolves differently the second time is of no use.
Behind a proxy the proxy looks names up, and only the first check applies.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# IPv6 addresses outside of it are local, reserved, or not assigned to anybody.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOOPBACK = IPv6Address("::1")
_TEREDO = IPv6Network("2001::/32")
# The low 32 bits are an IPv4 address: translated by NAT64 (RFC 6052), or written in IPv6 (RFC 4291, 2.5.5.1).
_ENDING_IN_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
_NEAR = tuple(
    ip_network(one)
    for one in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
)
# RFC 6761, 6762 and 8375, and ICANN's .internal.
_LOCAL_NAME = re.compile(r"(.*\.)?(localhost|local|localdomain|internal|lan|home\.arpa)")
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


def address_of(host: str) -> Address | None:
    """Return the address that the host is written as, or None if it is a name."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0].rstrip("."))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Return whether the address is one of the public internet, also if it is an IPv4 address in IPv6."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    inner = _ipv4_in(address)
    if inner is not None:
        return is_public(inner)
    # A Teredo address leads to the IPv4 address in it, and is out of use.
    return address in _GLOBAL_UNICAST and address.is_global and address not in _TEREDO


def is_near(address: Address) -> bool:
    """Return whether the address is this machine's own or one of a private network.

    Link-local addresses are neither: clouds keep the credentials of a machine there.
    """
    inner = _ipv4_in(address) if isinstance(address, IPv6Address) else None
    # ::1 is this machine, not the IPv4 address 0.0.0.1.
    looked_at = address if inner is None or address == _LOOPBACK else inner
    return any(looked_at.version == network.version and looked_at in network for network in _NEAR)


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine, as `localhost` or as an address."""
    address = address_of(host)
    if address is None:
        return f".{host.lower().rstrip('.')}".endswith(".localhost")
    inner = _ipv4_in(address) if isinstance(address, IPv6Address) else None
    return address.is_loopback or (inner is not None and inner.is_loopback)


def is_local_name(host: str) -> bool:
    """Return whether a host that is no address is a name that only a local network knows.

    A name that ends in a number is none that DNS has: resolvers read it as an address.
    """
    name = host.lower().rstrip(".")
    return "." not in name or bool(_LOCAL_NAME.fullmatch(name) or _NUMBER.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Reach:
    """The permitted hosts: the public internet, `hosts`, and near addresses if `near` is set."""

    hosts: frozenset[str] = frozenset()
    near: bool = False

    def allows(self, host: str) -> bool:
        """Return whether the host may be connected to, as far as its name or literal address tells."""
        if host.lower() in self.hosts:
            return True
        address = address_of(host)
        if address is None:
            return self.near or not is_local_name(host)
        return self.allows_address(address)

    def allows_address(self, address: Address) -> bool:
        """Return whether an address that a name resolved to may be connected to."""
        return is_public(address) or (self.near and is_near(address))


def reach_of(host: str) -> Reach:
    """Return the reach of the public internet and of `host`, which is trusted.

    If it is local by its name or literal address, its neighbours are reached too.
    """
    address = address_of(host)
    near = is_local_name(host) if address is None else is_near(address)
    return Reach(frozenset({host.lower()}), near)


def _ipv4_in(address: IPv6Address) -> IPv4Address | None:
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in network for network in _ENDING_IN_IPV4):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner
