"""Asking costs nothing: each question is one request, and its failures may be asked again."""

import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot.studii import (
    USER_AGENT,
    ApiFailed,
    JobNotFound,
    KeyRefused,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    OutOfCredits,
    PlanRefused,
    RateLimited,
    StudiiClient,
    StudiiError,
)
from sandbox.studii import Endpoint, Fault, Key, Outcome, StudiiServer, faults
from tests.studii.bare import answering, speaking
from tests.studii.conftest import QUICK
from tests.support.clock import FakeClock

INPUTS = {"mode": "image", "source": "text", "prompt": "A misty pine forest at dawn"}

REPEATABLE: list[tuple[Fault, type[StudiiError]]] = [
    (faults.error(500), ApiFailed),
    (faults.proxy_error(502), ApiFailed),
    (faults.error(503), ApiFailed),
    (faults.proxy_error(504, after=True), ApiFailed),
    (faults.rate_limited(3), RateLimited),
    (faults.DropBefore(), NoAnswer),
    (faults.DropAfter(), NoAnswer),
    (faults.Slow(1.0), NoAnswer),
    (faults.Redirect(307), MalformedAnswer),
    (faults.Redirect(302), MalformedAnswer),
    (faults.Malformed(), MalformedAnswer),
    (faults.Truncated(), MalformedAnswer),
    (faults.WrongShape(), MalformedAnswer),
    (faults.Answer(200, "<html>", "text/html"), MalformedAnswer),
    (faults.Answer(204, ""), MalformedAnswer),
    (faults.Answer(200, json.dumps({"id": "x" * 2**20})), MalformedAnswer),
    (faults.error(401), KeyRefused),
    (faults.error(402), OutOfCredits),
    (faults.error(403), PlanRefused),
]


async def ask(client: StudiiClient, key: Key, endpoint: Endpoint, job_id: str) -> None:
    if endpoint == "status":
        await client.job_status(key.secret, job_id)
    else:
        await client.request_upload(key.secret, "kitchen.jpg", "image/jpeg")


@pytest.mark.parametrize("endpoint", ["status", "upload"])
# Not the whole of it: some answers are long, and a name goes with every report of a test.
@pytest.mark.parametrize(("fault", "error"), REPEATABLE, ids=lambda one: repr(one)[:80])
async def test_a_question_that_fails_is_one_request_and_can_be_asked_again(
    client: StudiiClient,
    server: StudiiServer,
    key: Key,
    endpoint: Endpoint,
    fault: Fault,
    error: type[StudiiError],
) -> None:
    job = await client.create_job(key.secret, "studio", INPUTS)
    await ask(client, key, endpoint, job.id)  # the next one finds a kept-alive connection
    server.fail(endpoint, fault)
    server.fail(endpoint, faults.error(400), times=3)
    with pytest.raises(error):
        await ask(client, key, endpoint, job.id)
    assert server.failures.left(endpoint) == 3
    server.failures.clear()
    await ask(client, key, endpoint, job.id)


async def test_a_kept_connection_that_died_is_not_asked_twice_in_secret() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{"id": "8a", "status": "queued"}'
    async with speaking(answer, b"", answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        report = await client.job_status("stu_key", "8a")
        assert not report.succeeded
        assert not report.failed
        with pytest.raises(NoAnswer):
            await client.job_status("stu_key", "8a")
        assert len(bare.bodies) == 2


async def test_a_date_to_come_back_at_is_compared_with_the_injected_clock() -> None:
    answer = b"HTTP/1.1 429 Busy\r\nRetry-After: Thu, 14 May 2026 10:00:20 GMT\r\nContent-Length: 0\r\n\r\n"
    clock = FakeClock(datetime(2026, 5, 14, 10, 0, 0, tzinfo=UTC))
    async with speaking(answer) as bare, StudiiClient(bare.url, timeouts=QUICK, clock=clock) as client:
        with pytest.raises(RateLimited) as limited:
            await client.job_status("stu_key", "8a")
        assert limited.value.retry_after == 20.0


async def test_a_refused_connection_was_not_sent(server: StudiiServer) -> None:
    async with StudiiClient("http://127.0.0.1:1/api/v1", timeouts=QUICK) as client:
        with pytest.raises(NotSent):
            await client.check_key("stu_key")


async def test_a_finished_job_says_all_that_is_known(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)
    report = await client.job_status(key.secret, created.id, created.status_url)
    assert report.succeeded or report.failed
    assert report.succeeded
    assert not report.failed
    assert report.output_url
    assert report.output_url.startswith("http://127.0.0.1")
    assert (report.output_kind, report.error) == ("image", None)
    assert report.credits_charged == created.credits_charged


async def test_a_failed_job_says_why_and_what_it_cost(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    server.next_job(Outcome(fails="The model refused this prompt.", refunded=False, charge=8))
    created = await client.create_job(key.secret, "studio", INPUTS)
    report = await client.job_status(key.secret, created.id)
    assert report.succeeded or report.failed
    assert report.failed
    assert (report.error, report.credits_charged) == ("The model refused this prompt.", 8)


async def test_a_status_that_is_not_documented_means_still_going(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)
    server.fail("status", faults.WrongShape(without=frozenset(), replaced={"status": "Polishing", "eta": 3}))
    report = await client.job_status(key.secret, created.id)
    assert report.status == "Polishing"
    assert not report.succeeded
    assert not report.failed


async def test_missing_and_odd_optional_fields_do_no_harm() -> None:
    odd = {
        "id": "8a",
        "status": "failed",
        "output_url": 7,
        "output_kind": None,
        "error": {"message": "No\nface stu_key found."},
        "credits_charged": "eight",
    }
    bodies = [odd, {"id": "8a", "status": "queued"}]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(bodies.pop(0))

    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        report = await client.job_status("stu_key", "8a")
        assert report.error == "No face stu_… found."
        assert (report.output_url, report.output_kind, report.credits_charged) == (None, None, None)
        assert (await client.job_status("stu_key", "8a")).status == "queued"


@pytest.mark.parametrize(
    ("said", "counted"), [(7.5, 8), (8.0, 8), (0.0, 0), (0.2, 1), ("8", 8), (-1, None), (True, None)]
)
async def test_a_part_of_a_credit_counts_as_a_whole_one(said: object, counted: int | None) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"id": "8a", "status": "completed", "credits_charged": said})

    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        assert (await client.job_status("stu_key", "8a")).credits_charged == counted


async def test_the_report_of_another_job_is_not_taken_for_this_one(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)
    server.fail("status", faults.WrongShape(without=frozenset(), replaced={"id": "another"}))
    with pytest.raises(MalformedAnswer):
        await client.job_status(key.secret, created.id)


@pytest.mark.parametrize(
    "address",
    ["ftp://127.0.0.1/x", "javascript:alert(1)", "//x/y", "http://u:p@x/y", "http://169.254.169.254/x"],
)
async def test_an_output_at_an_unsafe_address_is_not_believed(
    client: StudiiClient, server: StudiiServer, key: Key, address: str
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)
    server.fail("status", faults.WrongShape(without=frozenset(), replaced={"output_url": address}))
    report = await client.job_status(key.secret, created.id)
    assert report.succeeded
    assert (report.output_url, report.output_refused) == (None, True)


async def test_a_key_is_not_sent_to_a_foreign_host(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"id": created.id, "status": "failed"})

    async with answering(answer) as foreign:
        report = await client.job_status(key.secret, created.id, f"{foreign.url}/api/v1/jobs/{created.id}")
        assert report.succeeded
        assert not foreign.headers


async def test_a_job_of_another_account_is_not_found(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await client.create_job(key.secret, "studio", INPUTS)
    with pytest.raises(JobNotFound):
        await client.job_status(server.add_key().secret, created.id)


async def test_a_web_page_does_not_say_that_a_job_is_lost(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    server.fail("status", faults.proxy_error(404))
    with pytest.raises(MalformedAnswer):
        await client.job_status(key.secret, "8a1f")


async def test_a_good_key_is_known_without_spending(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    await client.check_key(key.secret)
    assert len(server.requests) == 1
    assert key.spent == 0


async def test_a_bad_key_is_refused(client: StudiiClient, key: Key) -> None:
    key.revoke()
    with pytest.raises(KeyRefused):
        await client.check_key(key.secret)
    with pytest.raises(KeyRefused):
        await client.check_key("stu_invented")


async def test_a_wrong_api_address_does_not_make_every_key_good() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404, text="<html>Page not found", content_type="text/html")

    async with answering(answer) as site, StudiiClient(site.url, timeouts=QUICK) as client:
        with pytest.raises(MalformedAnswer):
            await client.check_key("stu_key")


async def test_the_product_says_who_it_is_and_keeps_no_cookies() -> None:
    async def answer(_: web.Request) -> web.Response:
        response = web.json_response({"error": "Job not found."}, status=404)
        response.set_cookie("session", "of-one-key")
        return response

    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        await client.check_key("stu_key")
        await client.check_key("stu_other")
    assert USER_AGENT.startswith("studii-for-discord/")
    assert {headers["User-Agent"] for headers in bare.headers} == {USER_AGENT}
    assert [headers["Authorization"] for headers in bare.headers] == ["Bearer stu_key", "Bearer stu_other"]
    assert not any("Cookie" in headers for headers in bare.headers)
