"""What Studii answers is read leniently, cleaned before people see it, and never believed about addresses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.studii import USER_AGENT, CreatedJob, KeyRefused, MalformedAnswer, StudiiClient
from bot.studii.answers import JobReport, clean, fields_of, message_in, retry_after, shaped
from sandbox.studii import Key, StudiiServer
from tests.studii.bare import answering
from tests.studii.conftest import INPUTS, QUICK

KEY = "stu_0123456789abcdef"
NOW = datetime(2026, 5, 14, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("field", ["status", "status_url", "credits_charged"])
@pytest.mark.parametrize("value", [None, ["odd"], {}, 1e300, "\ud800"])
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


async def test_the_product_says_who_it_is_and_keeps_no_cookies() -> None:
    async def answer(_: web.Request) -> web.Response:
        response = web.json_response({"error": "Job not found."}, status=404)
        response.set_cookie("session", "of-one-key")
        return response

    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        await client.check_key("stu_key")
        await client.check_key("stu_other")
    assert {headers["User-Agent"] for headers in bare.headers} == {USER_AGENT}
    assert [headers["Authorization"] for headers in bare.headers] == ["Bearer stu_key", "Bearer stu_other"]
    assert not any("Cookie" in headers for headers in bare.headers)


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
