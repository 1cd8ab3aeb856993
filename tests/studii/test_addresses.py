"""A key goes to Studii alone, and nothing goes over an open line."""

import pytest

from bot.studii.addresses import Addresses

HTTPS = Addresses("https://studii.tech/api/v1")
HTTP = Addresses("http://127.0.0.1:8080/api/v1/")
OWN = "https://studii.tech/api/v1/jobs/8a1f"


def test_endpoints_are_below_the_base() -> None:
    assert str(HTTPS.jobs) == "https://studii.tech/api/v1/jobs"
    assert str(HTTP.uploads) == "http://127.0.0.1:8080/api/v1/uploads"


def test_studiis_own_status_address_is_used() -> None:
    assert str(HTTPS.job("8a1f", f"{OWN}?v=2")) == f"{OWN}?v=2"


@pytest.mark.parametrize(
    "status_url",
    [
        None,
        "",
        "https://studii.tech.evil.example/api/v1/jobs/8a1f",
        "https://evil.example/api/v1/jobs/8a1f",
        "https://studii.tech:8443/api/v1/jobs/8a1f",
        "http://studii.tech/api/v1/jobs/8a1f",
        "https://studii.tech@evil.example/",
        "https://user:password@studii.tech/api/v1/jobs/8a1f",
        "//evil.example/jobs/8a1f",
        "/api/v1/jobs/8a1f",
        "https://studii.tech/jobs/8a1f\r\nX-Header: 1",
    ],
)
def test_a_status_address_that_leads_elsewhere_is_replaced_by_ours(status_url: str | None) -> None:
    assert str(HTTPS.job("8a1f", status_url)) == OWN


@pytest.mark.parametrize(
    ("job_id", "path"),
    [("../keys", "%2E%2E%2Fkeys"), ("..", "%2E%2E"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("a%2Fb", "a%252Fb")],
)
def test_a_job_id_never_leads_out_of_its_place(job_id: str, path: str) -> None:
    assert HTTPS.job(job_id).raw_path == f"/api/v1/jobs/{path}"


def test_an_address_is_kept_to_the_letter() -> None:
    signed = "https://x.supabase.co/storage/v1/a%2fb+c/9c3e.jpg?token=e%2BJ.a_b=="
    assert str(HTTPS.handed_back(signed)) == signed


@pytest.mark.parametrize(
    "address",
    [
        "http://x.supabase.co/a",
        "ftp://x.supabase.co/a",
        "file:///etc/passwd",
        "x.supabase.co/a",
        "https:///a",
        "https://x.supabase.co:99999/a",
        "https://[/a",
        "https://user@x.supabase.co/a",
        "https://x.supabase.co/ä",
        "https://x.supabase.co/a b",
        "",
    ],
)
def test_addresses_that_are_not_safe_are_not_used(address: str) -> None:
    assert HTTPS.handed_back(address) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "localhost",
        "localhost.:8443",
        "10.0.0.1:9000",
        "minio",
        "metadata.google.internal",
        "169.254.169.254",
        "[::1]",
        "[::ffff:7f00:1]",
        "[fe80::1%25eth0]",
    ],
)
def test_an_address_of_a_private_network_is_not_used(host: str) -> None:
    assert HTTPS.handed_back(f"https://{host}/a") is None
    assert str(HTTPS.job("8a1f", f"https://{host}/api/v1/jobs/8a1f")) == OWN


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9", "10.0.0.1", "minio:9000"])
def test_it_is_used_where_the_api_itself_is_in_one(host: str) -> None:
    assert HTTP.handed_back(f"http://{host}/a") is not None


def test_the_address_where_clouds_keep_credentials_is_never_used() -> None:
    assert HTTP.handed_back("http://169.254.169.254/latest/meta-data/") is None


def test_plain_http_is_fine_where_the_api_itself_is_plain() -> None:
    assert HTTP.handed_back("http://127.0.0.1:9/a") is not None
    assert HTTP.handed_back("https://x.supabase.co/a") is not None
    assert HTTP.handed_back("ftp://127.0.0.1/a") is None


@pytest.mark.parametrize("base", ["", "studii.tech", "ftp://studii.tech", "https://", "https://a b"])
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Addresses(base)
