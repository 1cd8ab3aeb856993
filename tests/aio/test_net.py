"""Which addresses a proxy leads to; and a stranger's address leads to the public internet or nowhere."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, strategies as st
from yarl import URL

from bot.aio.net import Proxy, Reach, is_public

PUBLIC = Reach()
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
]
UNASSIGNED = [
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "2001:db8::1",
    "2001:0:808:808::1",
    "64:ff9b:1::1",
    "fec0::1",
]


@pytest.mark.parametrize(
    "host", [*LOCAL, *NEVER, *UNASSIGNED, "2130706433", "0x7f000001", "0177.0.0.1", "127.1", ""]
)
def test_hosts_of_this_machine_and_its_networks_are_not(host: str) -> None:
    assert not PUBLIC.allows(host)
    assert not Reach.of("studii.tech").allows(host)


@pytest.mark.parametrize("trusted", ["127.0.0.1", "localhost", "::1", "10.0.0.5", "studii-mirror"])
def test_a_trusted_host_that_is_local_has_its_neighbours_reached_and_no_more(trusted: str) -> None:
    reach = Reach.of(trusted)
    assert all(reach.allows(host) for host in LOCAL)
    assert not any(reach.allows(host) for host in NEVER)
    assert reach.allows("studii.tech")


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_the_same_in_each_form_of_ipv6(number: int) -> None:
    v4 = IPv4Address(number)
    for form in IPV6_FORMS:
        assert is_public(form(v4)) == is_public(str(v4))


@pytest.mark.parametrize(
    ("direct", "url", "led"),
    [
        ("", "https://discord.com/api", True),
        ("", "wss://gateway.discord.gg/?v=10", True),
        ("", "http://studii.example/api/v1", False),  # HTTPS_PROXY is for what is encrypted
        ("", "https://127.0.0.1:8080/", False),
        ("", "https://[::1]/", False),
        ("", "https://localhost/", False),
        ("*", "https://discord.com/", False),
        ("discord.com", "https://discord.com/", False),
        ("discord.com", "https://cdn.discord.com/", False),
        ("discord.com", "https://notdiscord.com/", True),
        ("discord.com", "https://discord.com.example/", True),
        (".discord.com", "https://discord.com/", False),
        ("*.discord.com", "https://cdn.discord.com/", False),
        ("example.com, Studii.Tech", "https://studii.tech/api", False),
        ("example.com studii.tech", "https://studii.tech/api", False),
        ("studii.tech:8443", "https://studii.tech/api", True),
        ("studii.tech:443", "https://studii.tech/api", False),
        ("10.0.0.7", "https://10.0.0.7/api", False),
        ("2001:db8::1", "https://[2001:db8::1]/api", False),
        (",", "https://studii.tech/api", True),
    ],
)
def test_what_goes_through_the_proxy(direct: str, url: str, led: bool) -> None:
    assert Proxy.parse("http://proxy.example:3128", direct).leads_to(URL(url)) is led


@pytest.mark.parametrize(
    ("written", "address", "login"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("proxy.example:3128", "http://proxy.example:3128", None),
        ("https://proxy.example/", "https://proxy.example", None),
        ("http://maya:p%40ss%3Aword@10.0.0.1:8080", "http://10.0.0.1:8080", "Basic bWF5YTpwQHNzOndvcmQ="),
        ("maya@proxy.example:3128", "http://proxy.example:3128", "Basic bWF5YTo="),
    ],
)
def test_a_proxys_address_is_kept_apart_from_its_user_and_password(
    written: str, address: str, login: str | None
) -> None:
    proxy = Proxy.parse(written)
    assert (str(proxy.address), proxy.login) == (address, login)
    assert "bWF5" not in repr(proxy)
    assert "maya" not in repr(proxy)


@pytest.mark.parametrize(
    "written", ["socks5://maya:word@proxy:1080", "http://", "http://proxy:x", "http://p/way", "http://p?word"]
)
def test_what_is_no_proxys_address_is_said_without_quoting_it(written: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as") as caught:
        Proxy.parse(written)
    assert "word" not in str(caught.value)
