"""A key goes to Studii alone, and what Studii hands back leads to public hosts, whatever DNS says."""

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.aio.net import PRIVATE, Connector, Proxy
from bot.studii import DownloadFailed, OutputGone, StudiiClient, UploadFailed, UploadTarget
from sandbox.studii.api import API
from tests.studii.conftest import HOST, QUICK, behind
from tests.support.tls import certificate, contexts

HTTPS = StudiiClient("https://studii.tech/api/v1")
HTTP = StudiiClient("http://127.0.0.1:8080/api/v1/")
OWN = "https://studii.tech/api/v1/jobs/8a1f"
PRIVATE_HOSTS = (
    *("127.0.0.1", "127.0.0.1.", "127.1", "2130706433", "localhost", "localhost.:8443", "10.0.0.1:9000"),
    *("minio", "metadata.google.internal", "169.254.169.254", "[::1]", "[::ffff:7f00:1]", "[fe80::1%25eth0]"),
)


@pytest.mark.parametrize(
    "status_url",
    [
        *(None, "", "//evil.example/jobs/8a1f", "/api/v1/jobs/8a1f"),
        "https://studii.tech.evil.example/api/v1/jobs/8a1f",
        "https://studii.tech:8443/api/v1/jobs/8a1f",
        "http://studii.tech/api/v1/jobs/8a1f",
        "https://studii.tech@evil.example/",
        "https://user:password@studii.tech/api/v1/jobs/8a1f",
        "https://studii.tech/jobs/8a1f\r\nX-Header: 1",
        *(f"https://{host}/api/v1/jobs/8a1f" for host in PRIVATE_HOSTS),
    ],
)
def test_a_status_address_that_leads_elsewhere_is_replaced_by_ours(status_url: str | None) -> None:
    assert str(HTTPS.job_url("8a1f", status_url)) == OWN


@pytest.mark.parametrize(
    ("job_id", "path"),
    [("../keys", "%2E%2E%2Fkeys"), ("..", "%2E%2E"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("a%2Fb", "a%252Fb")],
)
def test_a_job_id_never_leads_out_of_its_place(job_id: str, path: str) -> None:
    assert HTTPS.job_url(job_id).raw_path == f"/api/v1/jobs/{path}"


def test_an_address_is_kept_to_the_letter() -> None:
    signed = "https://x.supabase.co/storage/v1/a%2fb+c/9c3e.jpg?token=e%2BJ.a_b=="
    assert str(HTTPS.handed_back(signed)) == signed
    assert str(HTTPS.job_url("8a1f", f"{OWN}?v=2")) == f"{OWN}?v=2"
    assert str(HTTP.job_url("8a1f")) == "http://127.0.0.1:8080/api/v1/jobs/8a1f"


@pytest.mark.promise
@pytest.mark.parametrize(
    "address",
    [
        *("http://x.supabase.co/a", "ftp://x.supabase.co/a", "file:///etc/passwd", "x.supabase.co/a", ""),
        *("https:///a", "https://x.supabase.co:99999/a", "https://[/a", "https://user@x.supabase.co/a"),
        *("https://x.supabase.co/ä", "https://x.supabase.co/a b", "javascript:alert(1)"),
        *(f"https://{host}/a" for host in PRIVATE_HOSTS),
    ],
)
async def test_addresses_that_are_not_safe_are_not_used(tmp_path: Path, address: str) -> None:
    assert HTTPS.handed_back(address) is None
    async with StudiiClient("https://studii.tech/api/v1") as client:
        with pytest.raises(UploadFailed):
            await client.put(UploadTarget("a.jpg", address), tmp_path / "photo", "image/jpeg")
        with pytest.raises(OutputGone):
            await client.download(address, tmp_path / "out", limit=10)


def test_a_neighbour_is_asked_where_the_api_itself_is_in_a_private_network() -> None:
    for host in ("127.0.0.1:9", "localhost:9", "10.0.0.1", "minio:9000", "x.supabase.co"):
        assert HTTP.handed_back(f"http://{host}/a") is not None
    assert HTTP.handed_back("https://x.supabase.co/a") is not None
    assert HTTP.handed_back("http://169.254.169.254/latest/meta-data/") is None  # credentials of clouds


@pytest.mark.parametrize("base", ["", "studii.tech", "ftp://studii.tech", "https://", "https://a b"])
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        StudiiClient(base)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("base", "visits"), [("https://studii.example/api/v1", 0), ("http://localhost:9/api/v1", 2)]
)
async def test_a_name_that_leads_to_a_private_network_is_asked_only_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, visits: int
) -> None:
    seen: list[str] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append("a visit")
        writer.close()

    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    photo = tmp_path / "photo.png"
    photo.write_bytes(b"private")
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as neighbour:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        address = f"{base.partition(':')[0]}://files.example:{neighbour.sockets[0].getsockname()[1]}/a"
        async with StudiiClient(base, timeouts=QUICK) as client:
            with pytest.raises(UploadFailed) as failed:
                await client.put(UploadTarget("key", address), photo, "image/png")
            with pytest.raises(DownloadFailed if visits else OutputGone):
                await client.download(address, tmp_path / "a", limit=1000)
    assert (failed.value.reason == PRIVATE) == (visits == 0)
    assert len(seen) == visits


async def test_the_proxy_may_be_in_a_private_network_and_what_studii_hands_back_may_not(
    tmp_path: Path,
) -> None:
    async with behind(tmp_path) as way:
        proxy = Proxy.parse(way.proxy.address().replace("127.0.0.1", "localhost"))
        _, trusting = contexts(certificate(tmp_path, HOST))
        async with StudiiClient(
            f"https://{HOST}{API}", connect=partial(Connector, proxy, ssl=trusting)
        ) as client:
            with pytest.raises(DownloadFailed):
                await client.download("https://files.example/a.png", tmp_path / "a", limit=1000)
            with pytest.raises(OutputGone):
                await client.download("https://localhost/a.png", tmp_path / "a", limit=1000)
        assert way.proxy.asked == ["files.example:443"]  # the proxy looks names up: it was asked for this one
