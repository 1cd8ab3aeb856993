"""Which addresses a proxy leads to, and what its setting may look like."""

import pytest
from yarl import URL

from bot.aio.proxy import Proxy


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
    ("written", "address", "authorization"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("proxy.example:3128", "http://proxy.example:3128", None),
        ("https://proxy.example/", "https://proxy.example", None),
        ("http://maya:p%40ss%3Aword@10.0.0.1:8080", "http://10.0.0.1:8080", "Basic bWF5YTpwQHNzOndvcmQ="),
        ("maya@proxy.example:3128", "http://proxy.example:3128", "Basic bWF5YTo="),
    ],
)
def test_a_proxys_address_is_kept_apart_from_its_user_and_password(
    written: str, address: str, authorization: str | None
) -> None:
    proxy = Proxy.parse(written)
    assert (str(proxy.address), proxy.authorization) == (address, authorization)
    assert "bWF5" not in repr(proxy)
    assert "maya" not in repr(proxy)


@pytest.mark.parametrize(
    "written", ["socks5://maya:word@proxy:1080", "http://", "http://proxy:x", "http://p/way"]
)
def test_what_is_no_proxys_address_is_said_without_quoting_it(written: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as") as caught:
        Proxy.parse(written)
    assert "word" not in str(caught.value)
