"""A stranger's address leads to the public internet or nowhere."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot.aio.guarded_resolver import GuardedResolver, NotReached
from bot.aio.public_hosts import Reach, is_near, is_public, reach_of

PUBLIC = Reach()
AT_HOME = reach_of("127.0.0.1")
IPV6_FORMS: tuple[Callable[[IPv4Address], str], ...] = (
    lambda v4: f"::ffff:{v4}",
    lambda v4: f"64:ff9b::{v4}",
    lambda v4: str(IPv6Address((0x2002 << 112) | (int(v4) << 80) | 1)),
)


@pytest.mark.parametrize(
    "host",
    [
        "studii.tech",
        "x.supabase.co",
        "8.8.8.8",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "internal.example.com",
        "10.example.com",
    ],
)
def test_hosts_of_the_public_internet_are_reached(host: str) -> None:
    assert PUBLIC.allows(host)


LOCAL = [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "router.local",
    "metadata.google.internal",
    "nas.home.arpa",
    "minio",
    "127.0.0.1",
    "127.0.0.1.",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "::1",
    "[::1]",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::1",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "0.0.0.0",  # noqa: S104 - an address, nothing is bound to it
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "2001:db8::1",
    "2001:0:808:808::1",
    "64:ff9b:1::1",
    "fec0::1",
]


@pytest.mark.parametrize("host", [*LOCAL, *NEVER, "2130706433", "0x7f000001", "0177.0.0.1", "127.1", ""])
def test_hosts_of_this_machine_and_its_networks_are_not(host: str) -> None:
    assert not PUBLIC.allows(host)
    assert not reach_of("studii.tech").allows(host)


@pytest.mark.parametrize("trusted", ["127.0.0.1", "localhost", "::1", "10.0.0.5", "studii-mirror"])
def test_a_trusted_host_that_is_local_has_its_neighbours_reached_and_no_more(trusted: str) -> None:
    reach = reach_of(trusted)
    assert all(reach.allows(host) for host in LOCAL)
    assert not any(reach.allows(host) for host in NEVER)
    assert reach.allows("studii.tech")


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_the_same_in_each_form_of_ipv6(number: int) -> None:
    v4 = IPv4Address(number)
    for form in IPV6_FORMS:
        v6 = ip_address(form(v4))
        assert is_public(v6) == is_public(v4)
        assert is_near(v6) == is_near(v4)


@given(st.integers(0, 2**128 - 1).map(IPv6Address) | st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_address_is_both_public_and_near(address: IPv4Address | IPv6Address) -> None:
    assert not (is_public(address) and is_near(address))


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name be at those addresses, for the resolver of this process."""

    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0))
            if ":" in one
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def test_of_a_names_addresses_the_public_ones_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "10.0.0.1", "8.8.8.8", "169.254.169.254")
    found = await GuardedResolver(PUBLIC).resolve("files.example", 443)
    assert [one["host"] for one in found] == ["8.8.8.8"]


async def test_a_name_that_leads_home_is_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.1", "::ffff:10.0.0.1")
    with pytest.raises(NotReached):
        await GuardedResolver(PUBLIC).resolve("files.example", 443)
    found = await GuardedResolver(AT_HOME).resolve("files.example", 443)
    assert [one["host"] for one in found] == ["127.0.0.1", "::ffff:10.0.0.1"]
    trusted = await GuardedResolver(reach_of("files.example")).resolve("files.example", 443)
    assert trusted == found
