"""What Studii's answers and addresses mean, and what no error or log says."""

import asyncio
import json
import logging
import socket
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp import web

import bot
from bot.aio.net import PRIVATE, Connector, Proxy
from bot.studii import (
    CreatedJob,
    DownloadFailed,
    KeyRefused,
    MalformedAnswer,
    OutputGone,
    StudiiClient,
    StudiiError,
    UploadFailed,
    UploadTarget,
)
from bot.studii.answers import JobReport, clean, fields_of, message_in, retry_after, shaped
from sandbox.studii import Endpoint, Key, StudiiServer
from sandbox.studii.api import API
from tests.studii.conftest import ENDPOINTS, HOST, INPUTS, QUICK, Handler, answering, ask, behind
from tests.support.tls import certificate, contexts

KEY = "stu_0123456789abcdef"
NOW = datetime(2026, 5, 14, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("field", ["status", "status_url", "credits_charged"])
@pytest.mark.parametrize("value", [None, ["odd"], {}, 1e300, "\ud800", "\0"])
async def test_a_job_whose_id_came_is_not_lost_over_another_field(field: str, value: object) -> None:
    body = json.dumps({"id": "8a1f", "new_field": 1, field: value}).encode()
    created = shaped(CreatedJob, fields_of(body))
    assert created is not None
    assert created.id == "8a1f"
    assert getattr(created, field) in {None, "queued", "?"}


@pytest.mark.parametrize(
    ("answer", "report"),
    [
        ({"status": "Polishing", "eta": 3}, JobReport("8a", "Polishing")),
        (
            {"status": "failed", "output_url": 7, "output_kind": None, "credits_charged": "eight"},
            JobReport("8a", "failed"),
        ),
        (
            {"status": "failed", "error": {"message": "No\nface stu_key found."}},
            JobReport("8a", "failed", error="No face stu_… found."),
        ),
        (
            {"status": "completed", "output_url": "ftp://a/x"},
            JobReport("8a", "completed", output_refused=True),
        ),
        ({"status": "completed", "output_url": "//x/y"}, JobReport("8a", "completed", output_refused=True)),
        (
            {"status": "completed", "output_url": "http://u:p@x/y"},
            JobReport("8a", "completed", output_refused=True),
        ),
        (
            {"status": "completed", "output_url": "http://169.254.169.254/x"},
            JobReport("8a", "completed", output_refused=True),
        ),
        *(
            (
                {"status": "completed", "credits_charged": said},
                JobReport("8a", "completed", credits_charged=counted),
            )
            for said, counted in ((7.5, 8), (8.0, 8), (0.0, 0), (0.2, 1), ("8", 8), (-1, None), (True, None))
        ),
    ],
)
async def test_an_odd_answer_is_read_as_far_as_it_can_be(answer: dict[str, Any], report: JobReport) -> None:
    async def say(_: web.Request) -> web.Response:
        return web.json_response({"id": "8a", **answer})

    async with answering(say) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        assert await client.job_status("stu_key", "8a") == report
        with pytest.raises(MalformedAnswer):
            await client.job_status("stu_key", "another")
    assert "x" not in repr(JobReport("8a", "done", "https://signed.example/x"))


@pytest.mark.parametrize("text", ["", "stu_a b", "stu_a\r\nX-Header: 1", "stu_ä", "x" * 501])
async def test_a_key_is_known_without_spending(
    client: StudiiClient, server: StudiiServer, key: Key, text: str
) -> None:
    await client.check_key(key.secret)
    assert (len(server.requests), key.spent) == (1, 0)
    with pytest.raises(KeyRefused):
        await client.create_job(text, "studio", INPUTS)  # which is sent to nobody
    assert len(server.requests) == 1
    key.revoke()
    with pytest.raises(KeyRefused):
        await client.check_key(key.secret)


@pytest.mark.promise
@pytest.mark.parametrize("status", [200, 404])
async def test_a_web_page_makes_no_key_good_and_loses_no_job(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>Page not found", content_type="text/html")

    async with answering(answer) as site, StudiiClient(site.url, timeouts=QUICK) as client:
        with pytest.raises(MalformedAnswer):
            await client.check_key("stu_key")
        with pytest.raises(MalformedAnswer):
            await client.job_status("stu_key", "8a1f")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error": "No such style."}, "No such style."),
        ({"message": "No such style."}, "No such style."),
        ({"error": {"message": "No such style.", "code": 7}}, "No such style."),
        ({"error": None, "message": "No such style."}, "No such style."),
        ({"error": "  \n"}, None),
        ({"error": 7}, None),
        (["No such style."], None),
        ("No such style.", None),
        ({}, None),
    ],
)
def test_the_words_of_an_error_are_found(document: object, words: str | None) -> None:
    assert message_in(fields_of(json.dumps(document).encode()), "error", "message") == words


@pytest.mark.parametrize("body", [None, b"", b"<html>", b"{", b"\xff\xfe", b"[" * 100_000, b"[1]"])
def test_a_body_that_cannot_be_read_has_no_fields(body: bytes | None) -> None:
    assert fields_of(body) == {}


@pytest.mark.parametrize(
    "text",
    [
        f"The key {KEY} is revoked.",
        f"{KEY}{KEY}",
        f"{'x' * 290} {KEY}",
        "\u200b".join(KEY),
        "\u202e".join(KEY),
        "\U000e0061".join(KEY),
        "The key stu_another-key_of-somebody is revoked.",
    ],
)
def test_no_key_gets_through_whole_or_in_part(text: str) -> None:
    cleaned = clean(text, KEY) or ""
    assert "0123" not in cleaned
    assert "somebody" not in cleaned
    assert "stu_" in cleaned or len(text) > 300
    assert clean("bad key: p@ss/word!", "p@ss/word!") == "bad key: stu_…"


def test_words_are_one_line_of_300_characters_at_most() -> None:
    assert clean("a\x00b\x1b[31m\r\n\tc\u202ed\u2028e \ud800f", KEY) == "ab[31m cd e f"
    cleaned = clean("word " * 1000, KEY) or ""
    assert (len(cleaned), cleaned[-1]) == (300, "…")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("-3", 0.0), ("86400", 300.0), ("inf", 300.0)),
        *(("nan", None), ("soon", None), ("", None)),
        ("Thu, 14 May 2026 12:00:30 GMT", 30.0),
        ("Thu, 14 May 2026 11:00:00 GMT", 0.0),
        ("Fri, 15 May 2026 12:00:00 GMT", 300.0),
        ("Thu, 99 May 2026 12:00:30 GMT", None),
    ],
)
def test_the_time_to_wait_is_read_in_both_forms_and_bounded(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds
    earlier = {"Retry-After": "Thu, 14 May 2026 10:00:20 GMT", "Date": "Thu, 14 May 2026 10:00:00 GMT"}
    assert retry_after(earlier, NOW) == 20.0


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


SECRECY_KEY = "stu_c0ffee-the-whole-secret"


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"error": f"bad {request.headers['Authorization']}"}, status=400)


async def fail(_: web.Request) -> web.Response:
    return web.json_response({"message": f"internal: {SECRECY_KEY}"}, status=500)


async def hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def nonsense(_: web.Request) -> web.Response:
    return web.Response(text=SECRECY_KEY, headers={"Location": f"https://x/{SECRECY_KEY}"})


def everything_said_about(error: BaseException) -> str:
    """All that a logger, or an error report with the local variables of our code, would show."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        told += [str(seen), repr(seen), repr(seen.args), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    here = Path(bot.__file__).parent
    ours = [frame.locals for frame in report.stack if Path(frame.filename).is_relative_to(here)]
    assert ours
    return "\n".join([*told, repr(ours)])


@pytest.mark.promise
@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "check"])
@pytest.mark.parametrize("handler", [echo, fail, hang_up, nonsense])
async def test_no_error_and_no_log_line_holds_the_key(
    caplog: pytest.LogCaptureFixture, handler: Handler, endpoint: Endpoint | Literal["check"]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(handler) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(StudiiError) as caught:
            await (
                client.check_key(SECRECY_KEY) if endpoint == "check" else ask(client, SECRECY_KEY, endpoint)
            )
        assert "c0ffee" not in repr(vars(client))
    assert bare.headers[0]["Authorization"] == f"Bearer {SECRECY_KEY}"
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "c0ffee" not in everything_said_about(caught.value)
    assert "c0ffee" not in caplog.text
