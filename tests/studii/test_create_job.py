"""A job is sent once, and what became of it is told apart by what may be done next."""

import asyncio
import json
import socket

import pytest

from bot.studii import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    CreatedJob,
    KeyRefused,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    PlanRefused,
    RateLimited,
    StudiiClient,
)
from sandbox.studii import Fault, Key, StudiiServer, faults
from tests.studii.bare import speaking
from tests.studii.conftest import QUICK

INPUTS = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A misty pine forest at dawn"}


async def create(client: StudiiClient, key: Key) -> CreatedJob:
    return await client.create_job(key.secret, "studio", INPUTS)


async def test_a_job_that_was_taken_says_its_id_and_its_price(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    created = await create(client, key)
    job = server.jobs[created.id]
    assert created == CreatedJob(job.id, "queued", f"{server.url}/jobs/{job.id}", job.charged)
    [record] = server.requests.of("create")
    assert json.loads(record.body) == {"tool": "studio", "inputs": INPUTS}


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadInputs), (401, KeyRefused), (402, OutOfCredits), (403, PlanRefused)],
)
async def test_a_documented_refusal_is_told_with_studiis_words(
    client: StudiiClient, server: StudiiServer, key: Key, status: int, error: type[ApiRefused]
) -> None:
    server.fail("create", faults.error(status, "These are Studii's words."))
    with pytest.raises(error) as refused:
        await create(client, key)
    assert refused.value.status == status
    assert refused.value.detail == "These are Studii's words."
    assert "Studii says: “These are Studii's words”." in str(refused.value)
    assert not server.jobs


@pytest.mark.parametrize("status", [404, 409, 413, 422])
async def test_any_other_refusal_is_one_too(
    client: StudiiClient, server: StudiiServer, key: Key, status: int
) -> None:
    server.fail("create", faults.proxy_error(status))
    with pytest.raises(ApiRefused) as refused:
        await create(client, key)
    assert type(refused.value) is ApiRefused
    assert refused.value.status == status


async def test_out_of_credits_names_both_remedies(client: StudiiClient, server: StudiiServer) -> None:
    with pytest.raises(OutOfCredits) as refused:
        await create(client, server.add_key(balance=0))
    assert "add some" in str(refused.value)
    assert "raise it" in str(refused.value)
    assert str(refused.value.detail).removesuffix(".") in str(refused.value)


async def test_a_revoked_key_is_refused(client: StudiiClient, key: Key) -> None:
    key.revoke()
    with pytest.raises(KeyRefused):
        await create(client, key)


@pytest.mark.parametrize("text", ["", "stu_a b", "stu_a\r\nX-Header: 1", "stu_ä", "x" * 501])
async def test_what_cannot_be_a_key_is_refused_without_being_sent(
    client: StudiiClient, server: StudiiServer, text: str
) -> None:
    with pytest.raises(KeyRefused):
        await client.create_job(text, "studio", INPUTS)
    assert not server.requests


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("9999", 300.0), (None, None)])
async def test_a_rate_limit_says_how_long_to_wait(
    client: StudiiClient, server: StudiiServer, key: Key, header: str | None, seconds: float | None
) -> None:
    server.fail("create", faults.rate_limited(header))
    with pytest.raises(RateLimited) as limited:
        await create(client, key)
    assert limited.value.retry_after == seconds
    assert server.requests.count("create") == 1


@pytest.mark.promise
async def test_a_500_that_was_received_may_be_tried_again(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    server.fail("create", faults.error(500, "Out of order."))
    with pytest.raises(ApiFailed) as failed:
        await create(client, key)
    assert (failed.value.status, failed.value.detail) == (500, "Out of order.")
    assert server.requests.count("create") == 1
    assert (await create(client, key)).id in server.jobs


UNKNOWN: list[Fault] = [
    faults.proxy_error(502),
    faults.proxy_error(502, after=True),
    faults.error(503),
    faults.proxy_error(504, after=True),
    faults.Answer(200, "", after=True),
    faults.Answer(202, "<html>", "text/html", after=True),
    faults.Answer(202, '{"id": null}', after=True),
    faults.Answer(202, json.dumps({"id": "x" * 2**20}), after=True),
    faults.Redirect(307),
    faults.Redirect(303),
    faults.DropBefore(),
    faults.DropAfter(),
    faults.Truncated(),
    faults.Malformed(),
    faults.WrongShape(),
    faults.WrongShape(without=frozenset({"id"})),
    faults.WrongShape(without=frozenset(), replaced={"id": ["8a1f"]}),
    faults.WrongShape(without=frozenset(), replaced={"id": ""}),
    faults.Slow(1.0),
    faults.Slow(1.0, after=True),
]


# Not the whole of it: some answers are long, and a name goes with every report of a test.
@pytest.mark.promise
@pytest.mark.parametrize("fault", UNKNOWN, ids=lambda one: repr(one)[:80])
async def test_when_nobody_can_tell_it_is_said_and_nothing_is_sent_twice(
    client: StudiiClient, server: StudiiServer, key: Key, fault: Fault
) -> None:
    server.fail("create", fault)
    server.fail("create", faults.error(400), times=5)
    with pytest.raises(OutcomeUnknown) as unknown:
        await create(client, key)
    assert unknown.value.reason
    assert server.failures.left("create") == 5


@pytest.mark.promise
@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 202 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 202 Acc",
    ],
)
async def test_what_is_not_even_http_leaves_the_outcome_unknown(answer: bytes) -> None:
    async with speaking(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(OutcomeUnknown):
            await client.create_job("stu_key", "studio", INPUTS)
        assert len(bare.bodies) == 1


async def test_the_total_time_is_bounded_even_if_something_keeps_arriving() -> None:
    head = b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
    timeouts = type(QUICK)(connect=1.0, read=5.0, total=0.2)
    async with (
        speaking(head, b"never asked for") as bare,
        StudiiClient(bare.url, timeouts=timeouts) as client,
    ):
        with pytest.raises(OutcomeUnknown):
            await client.create_job("stu_key", "studio", INPUTS)


@pytest.mark.parametrize("field", ["status", "status_url", "credits_charged"])
@pytest.mark.parametrize("value", [None, ["odd"]])
async def test_a_job_whose_id_came_is_not_lost_over_another_field(
    client: StudiiClient, server: StudiiServer, key: Key, field: str, value: object
) -> None:
    server.fail("create", faults.WrongShape(without=frozenset(), replaced={field: value, "new_field": 1}))
    created = await create(client, key)
    assert created.id in server.jobs
    assert getattr(created, field) == ("queued" if field == "status" else None)


@pytest.mark.promise
async def test_a_refused_connection_was_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with StudiiClient(address, timeouts=QUICK) as client:
            with pytest.raises(NotSent) as not_sent:
                await client.create_job("stu_key", "studio", INPUTS)
    assert not_sent.value.reason == "ClientConnectorError"


@pytest.mark.promise
async def test_a_name_that_is_not_found_was_not_sent() -> None:
    async with StudiiClient("http://studii.invalid", timeouts=QUICK) as client:
        with pytest.raises(NotSent):
            await client.create_job("stu_key", "studio", INPUTS)


@pytest.mark.promise
async def test_a_connection_that_does_not_become_secure_was_not_sent() -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"plain words\r\n")
        writer.close()

    async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as plain:
        address = f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        async with StudiiClient(address, timeouts=QUICK) as client:
            with pytest.raises(NotSent):
                await client.create_job("stu_key", "studio", INPUTS)


@pytest.mark.promise
async def test_a_connection_that_takes_too_long_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **options: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    timeouts = type(QUICK)(connect=0.05)
    async with StudiiClient("http://127.0.0.1:9", timeouts=timeouts) as client:
        with pytest.raises(NotSent) as not_sent:
            await client.create_job("stu_key", "studio", INPUTS)
    assert not_sent.value.reason == "ConnectionTimeoutError"


async def test_a_cancelled_request_ends_as_cancelled(
    client: StudiiClient, server: StudiiServer, key: Key
) -> None:
    server.fail("create", faults.Slow(5.0))
    task = asyncio.create_task(create(client, key))
    while server.failures.left("create"):  # noqa: ASYNC110 - the sandbox has no event for it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.promise
async def test_each_job_goes_over_a_connection_of_its_own() -> None:
    answer = b'HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id": "8a"}'
    # The second answer on the first connection would be a refusal.
    async with speaking(answer, b"", answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        assert (await client.create_job("stu_key", "studio", INPUTS)).id == "8a"
        with pytest.raises(OutcomeUnknown):
            await client.create_job("stu_key", "studio", INPUTS)
        assert (await client.create_job("stu_key", "studio", INPUTS)).id == "8a"
        assert all(b"connection: close" in head.lower() for head in bare.bodies)
